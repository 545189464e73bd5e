import Telemetry

/// Topics laid out by the equipment hierarchy of ISA-95: where a device stands is what it is called.
///
/// ```
/// <root>/<location>/<_contract>[/<group>…][/<name>]      without `levels`
/// <root>/<enterprise>/<site>/…/<cell>[/<group>…][/<name>]  with a name in `levels` for each
/// ```
/// The first is the form of the United Manufacturing Hub: a location of one or more levels, ended by the
/// first level that begins with `_`, which says what kind of data follows. Values under `_historian` and
/// `_raw` are metrics `group.name`; those of another contract `_x` are metrics `x.group.name`. A topic of
/// another form is none of the namespace: other routes may read it.
///
/// | topic under `umh/v1` | payload | device | metric |
/// |---|---|---|---|
/// | `acme/linz/press1/_historian/axis/x` | `{"timestamp_ms": …, "value": 5}` | `acme.linz.press1` | `axis.x` |
/// | `acme/linz/press1/_historian/axis` | `{"timestamp_ms": …, "x": 5}` | `acme.linz.press1` | `axis.x` |
/// | `acme/linz/press1/_raw/axis/x` | `5` | `acme.linz.press1` | `axis.x` |
/// | `acme/linz/press1/_pump_v1/flow` | `{"timestamp_ms": …, "value": 5}` | `acme.linz.press1` | `pump_v1.flow` |
public struct UnifiedNamespace: Hashable, Sendable {
  /// Levels before the location; empty: none.
  public let root: String
  /// Names of the levels of a location; empty: a contract ends it.
  public let levels: [String]
  /// Contracts that are dropped knowingly.
  public let ignoredContracts: [String]
  /// Matches the topics of the namespace, and some that have another form; captures `levels`.
  public let pattern: TopicPattern

  /// Contracts whose name is no part of the metric: the values of machines.
  public static let plainContracts = ["_historian", "_raw"]
  private static let pathBytesMax = 256

  /// - Throws: when the root has wildcards, or a level no name of its own.
  public init(
    root: String = "", levels: [String] = [], ignoredContracts: [String] = []
  ) throws(TopicPattern.SyntaxError) {
    let captures = levels.map { "{\($0)}" }
    let start = root.isEmpty ? [] : [root]
    pattern = try TopicPattern((start + captures + ["#"]).joined(separator: "/"))
    guard pattern.captureNames == levels, root.isEmpty || AssetPath(root) != nil,
      pattern.levels.dropLast().dropLast(levels.count).allSatisfy({ $0.rank == 0 })
    else {
      throw .init(message: "`\(root)` is no root: it must be plain levels such as `umh/v1`")
    }
    self.root = root
    self.levels = levels
    self.ignoredContracts = ignoredContracts
  }

  /// What a topic says in the namespace.
  struct Place: Hashable {
    var location: [Substring]
    /// Empty with `levels`.
    var contract: Substring
    /// What the name of each metric begins with.
    var path: [Substring]
  }

  /// - Returns: `nil` when the topic has not the form of the namespace.
  func place(of topic: [Substring]) -> Place? {
    let rest = topic.dropFirst(root.isEmpty ? 0 : root.split(separator: "/").count)
    guard !rest.contains(where: \.isEmpty) else { return nil }
    var place: Place
    if levels.isEmpty {
      guard let end = rest.firstIndex(where: { $0.first == "_" }), end > rest.startIndex else {
        return nil
      }
      place = Place(
        location: Array(rest[..<end]), contract: rest[end], path: Array(rest[(end + 1)...]))
      if !Self.plainContracts.contains(String(place.contract)) {
        place.path.insert(place.contract.dropFirst(), at: 0)
      }
    } else {
      guard rest.count >= levels.count else { return nil }
      place = Place(
        location: Array(rest.prefix(levels.count)), contract: "",
        path: Array(rest.dropFirst(levels.count)))
    }
    let isShort = place.path.reduce(0) { $0 + $1.utf8.count + 1 } <= Self.pathBytesMax
    return isShort && place.path.first != "" ? place : nil
  }
}

extension UnifiedNamespace {
  /// The topic on which others of the namespace look for a metric of a device; the way back of a route.
  ///
  /// The place of the device is the location, else the parts of its id between dots; the parts of the
  /// metric between dots are levels. A level must not hold wildcards: `+` and `#` become `-`.
  /// - Returns: `nil` where the namespace has no such place: a level begins with `_` or is empty, or there
  ///   are not as many as `levels`.
  public func topic(
    of device: DeviceDefinition, metric: String, contract: String = "_historian"
  ) -> String? {
    let place =
      device.asset.isEmpty ? device.id.split(separator: ".") : device.asset.split(separator: "/")
    let path = metric.split(omittingEmptySubsequences: false) { $0 == "." || $0 == "/" }
    let hasForm =
      levels.isEmpty
      ? !place.isEmpty && !place.contains { $0.first == "_" } : place.count == levels.count
    guard hasForm, !path.contains(where: \.isEmpty) else { return nil }
    let start = root.isEmpty ? [] : [Substring(root)]
    let all = start + place + (levels.isEmpty ? [Substring(contract)] : []) + path
    return all.map { String($0.map { $0 == "+" || $0 == "#" ? "-" : $0 }) }.joined(separator: "/")
  }
}
