import Telemetry

/// One thing a WebSocket client watches: a name, and after a colon what of it.
///
/// | written | what comes |
/// |---|---|
/// | `events`, `events:Name*` | events as they are committed, by name |
/// | `alerts`, `alerts:press*` | alarms and anomalies, by device or by a level of the asset path |
/// | `metrics`, `metrics:press*` | samples, by device |
/// | `series:press1/temp*` | samples of series, as `device/metric` |
/// | `twin:press1` | what is reported and desired of a device |
/// | `kpis`, `kpis:line1` | reports of production, by device or asset |
struct LiveChannel: Sendable {
  enum Kind: String, CaseIterable, Sendable {
    case events
    case alerts
    case metrics
    case series
    case twin
    case kpis
  }

  var kind: Kind
  /// As the client wrote it; answers name it so.
  var text: String
  private var filter: Glob?

  struct Unknown: Error {
    var detail: String
  }

  init(_ text: String) throws(Unknown) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let kind = Kind(rawValue: name) else {
      let known = Kind.allCases.map(\.rawValue)
      let near = nearestName(to: name, among: known).map { "; did you mean `\($0)`?" } ?? ";"
      throw Unknown(
        detail: "there is no channel `\(name)`\(near) known: \(known.joined(separator: ", "))")
    }
    self.kind = kind
    self.text = text
    if parts.count == 2, !parts[1].isEmpty { filter = Glob(String(parts[1])) }
    guard filter != nil || (kind != .series && kind != .twin) else {
      throw Unknown(detail: "`\(name)` needs what to watch after a colon, such as `\(name):press1`")
    }
  }

  func matches(_ text: String) -> Bool { filter?.matches(text) ?? true }

  /// Whether the series is watched by this channel.
  func takes(device: String, metric: String) -> Bool {
    switch kind {
    case .metrics, .twin: matches(device)
    case .series: matches("\(device)/\(metric)")
    case .events, .alerts, .kpis: false
    }
  }

  /// Whether something about this device or place is watched by this channel.
  func takes(device: String?, asset: String?) -> Bool {
    guard let filter else { return true }
    if let device, filter.matches(device) { return true }
    guard let asset else { return false }
    return filter.matches(asset)
      || asset.split(separator: "/").contains { filter.matches(String($0)) }
  }
}
