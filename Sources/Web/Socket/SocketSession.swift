import Gateway
import Telemetry

/// What is said on one WebSocket: a state machine that takes texts and updates and yields texts.
///
/// It does no I/O; `SocketServer` reads, writes and looks up what `resume` asks for.
struct SocketSession {
  enum Action: Equatable {
    case send(String)
    /// Everything of the event log from this record on that the new channels take; then they are live. The
    /// record itself too: of its events not all may have come.
    case resume(from: UInt64)
    /// From here on the new channels are live: after `Subscribed` has left.
    case activate
    case close(reason: String)
  }

  static let channelsMax = 100

  /// Keys by their text; `nil` when the key is not known.
  let identify: @Sendable (String) -> Caller?
  private(set) var caller: Caller?
  private var channels: [LiveChannel] = []
  /// Of each channel: events of records through this one came from the log.
  private var loggedThrough: [UInt64] = []
  /// Asked for, and not live yet.
  private var pending: [LiveChannel] = []
  /// The last update that was looked at.
  private(set) var shownThrough: UInt64 = 0
  /// Which channels take each series, as far as it was asked; forgotten when channels change.
  private var takers: [Int: [Int]] = [:]

  init(caller: Caller?, identify: @escaping @Sendable (String) -> Caller?) {
    self.caller = caller
    self.identify = identify
  }

  // MARK: - From the client

  mutating func received(_ text: String) -> [Action] {
    let message: JSONValue
    do {
      message = try JSONReader.read(Array(text.utf8))
    } catch {
      return [.send(Self.error("not_json", "\(error.detail) at byte \(error.offset)"))]
    }
    let payload = message["payload"]
    switch message["type"]?.text {
    case "Auth": return authenticate(payload)
    case "Ping": return [.send(Self.message("Pong", payload: payload ?? .null))]
    case "Subscribe": return subscribe(payload)
    case "Unsubscribe": return unsubscribe(payload)
    case let other:
      let known = ["Auth", "Ping", "Subscribe", "Unsubscribe"]
      let near =
        other.flatMap { nearestName(to: $0, among: known) }
        .map { "; did you mean `\($0)`?" } ?? ""
      return [
        .send(
          Self.error(
            "unknown_type", "a message has a `type`: \(known.joined(separator: ", "))\(near)"))
      ]
    }
  }

  private mutating func authenticate(_ payload: JSONValue?) -> [Action] {
    guard let key = payload?["key"]?.text, let known = identify(key) else {
      return [
        .send(Self.error("unauthorized", "this key is not known here")),
        .close(reason: "unauthorized"),
      ]
    }
    caller = known
    return [.send(Self.message("Authenticated", payload: .object([("key", .string(known.name))])))]
  }

  private mutating func subscribe(_ payload: JSONValue?) -> [Action] {
    guard let caller else {
      return [
        .send(
          Self.error(
            "unauthorized", "send {\"type\": \"Auth\", \"payload\": {\"key\": …}} first"))
      ]
    }
    guard let names = payload?["channels"]?.elements?.map(\.text), !names.isEmpty,
      !names.contains(nil)
    else {
      return [.send(Self.error("bad_payload", "`payload.channels` is a list of names"))]
    }
    var wanted: [LiveChannel] = []
    for name in names.compactMap({ $0 }) {
      do {
        let channel = try LiveChannel(name)
        guard caller.scopes.contains(.read) else {
          return [.send(Self.error("forbidden", "the key `\(caller.name)` lacks the scope read"))]
        }
        wanted.append(channel)
      } catch {
        return [.send(Self.error("unknown_channel", error.detail))]
      }
    }
    let isResumed = payload?["resume_after"] != nil
    // Who resumes a channel that is live wants what it missed.
    if isResumed { remove(names.compactMap { $0 }) }
    let added = wanted.filter { new in
      !channels.contains { $0.text == new.text } && !pending.contains { $0.text == new.text }
    }
    guard channels.count + pending.count + added.count <= Self.channelsMax else {
      return [
        .send(Self.error("too_many", "at most \(Self.channelsMax) channels on one connection"))
      ]
    }
    let answer = Action.send(
      Self.message(
        "Subscribed", payload: .object([("channels", .array(names.map(JSONValue.optional)))]))
    )
    guard let after = payload?["resume_after"] else {
      pending += added
      return [answer, .activate]
    }
    guard case .number(let digits) = after, let sequence = UInt64(digits), sequence < 1 << 42
    else {
      return [.send(Self.error("bad_payload", "`resume_after` is the `sequence` of a message"))]
    }
    pending += added
    return [answer, .resume(from: sequence)]
  }

  /// The channels asked for are live from here on.
  mutating func activate(loggedThrough sequence: UInt64 = 0) {
    channels += pending
    loggedThrough += pending.map { _ in sequence }
    pending.removeAll()
    takers.removeAll()
  }

  private mutating func unsubscribe(_ payload: JSONValue?) -> [Action] {
    let names = payload?["channels"]?.elements?.compactMap(\.text) ?? channels.map(\.text)
    remove(names)
    return [
      .send(
        Self.message(
          "Unsubscribed", payload: .object([("channels", .array(names.map(JSONValue.string)))])))
    ]
  }

  private mutating func remove(_ names: [String]) {
    for place in channels.indices.reversed() where names.contains(channels[place].text) {
      channels.remove(at: place)
      loggedThrough.remove(at: place)
    }
    takers.removeAll()
  }

  // MARK: - From the gateway

  /// The messages for what a record brought, in order.
  mutating func messages(for update: LiveUpdate) -> [String] {
    shownThrough = update.sequence
    guard !channels.isEmpty else { return [] }
    var out: [String] = []
    if !update.events.isEmpty || !update.derived.isEmpty {
      let live = channels.indices.filter { loggedThrough[$0] < update.sequence }.map {
        channels[$0]
      }
      for event in update.events where seesPeople {
        append(event, isDerived: false, sequence: update.sequence, to: &out, live)
      }
      for event in update.derived {
        append(event, isDerived: true, sequence: update.sequence, to: &out, live)
      }
    }
    for standing in update.standings { append(standing, sequence: update.sequence, to: &out) }
    for sample in update.samples { append(sample, of: update, to: &out) }
    return out
  }

  /// An event of the log, for the channels that are about to be live.
  func messages(for row: LoggedEvent) -> [String] {
    guard row.isDerived || seesPeople else { return [] }
    var out: [String] = []
    append(row.event, isDerived: row.isDerived, sequence: row.sequence, to: &out, pending)
    return out
  }

  /// What users did is for keys that may see personal data.
  private var seesPeople: Bool { caller?.scopes.contains(.people) ?? false }

  private func append(
    _ event: Event, isDerived: Bool, sequence: UInt64, to out: inout [String],
    _ channels: [LiveChannel]
  ) {
    let isAlert = isDerived && (event.name.hasPrefix("Alarm") || event.name.hasPrefix("Anomaly"))
    let isKPI = isDerived && event.name.hasPrefix("ShiftReport")
    // Read only when a channel wants to know the place.
    var asset: String??
    for channel in channels {
      switch channel.kind {
      case .events: guard channel.matches(event.name) else { continue }
      case .alerts, .kpis:
        guard channel.kind == .alerts ? isAlert : isKPI else { continue }
        if asset == nil { asset = .some(Self.asset(of: event)) }
        guard channel.takes(device: event.device, asset: asset ?? nil) else { continue }
      case .metrics, .series, .twin: continue
      }
      let type = ["events": "Event", "alerts": "Alert"][channel.kind.rawValue] ?? "KPI"
      out.append(
        Self.text(
          type, channel: channel.text, sequence: sequence, time: event.time,
          payload: Self.payload(of: event)))
    }
  }

  private static func asset(of event: Event) -> String? {
    // Properties that are no JSON name no place.
    let properties = try? JSONReader.read(Array(event.properties.utf8))
    // A report of a line names the line.
    return properties?["asset"]?.text ?? properties?["subject"]?.text
  }

  private static func payload(of event: Event) -> String {
    var members = [
      ("event_id", JSONText.quoted(event.id)), ("name", JSONText.quoted(event.name)),
    ]
    if let device = event.device { members.append(("device", JSONText.quoted(device))) }
    if let user = event.user { members.append(("user", JSONText.quoted(user))) }
    members.append(("properties", event.publicProperties))
    return JSONText.object(members)
  }

  private func append(_ standing: Standing, sequence: UInt64, to out: inout [String]) {
    // Alarms and anomalies have a channel of their own.
    for channel in channels
    where channel.kind == .twin && ["desired", "machine"].contains(standing.kind) {
      guard channel.takes(device: standing.key, asset: nil) else { continue }
      out.append(
        Self.text(
          "Twin", channel: channel.text, sequence: sequence, time: standing.time,
          payload: JSONText.object([
            ("device", JSONText.quoted(standing.key)), ("kind", JSONText.quoted(standing.kind)),
            ("state", standing.body.isEmpty ? "null" : standing.body),
          ])))
    }
  }

  private mutating func append(
    _ sample: Sample, of update: LiveUpdate, to out: inout [String]
  ) {
    let catalog = update.catalog
    let index = Int(sample.series)
    guard index < catalog.series.count, !sample.isCurrentOnly else { return }
    let places = takers(of: index, in: catalog)
    guard !places.isEmpty else { return }
    let definition = catalog.series[index]
    let device = catalog.devices[Int(definition.device)].id
    let value = catalog.value(sample.bits, type: definition.type)
    let payload = JSONText.object([
      ("device", JSONText.quoted(device)), ("metric", JSONText.quoted(definition.metric)),
      ("value", JSONText.value(value)), ("unit", JSONText.quoted(definition.unit)),
      ("quality", JSONText.quoted(sample.quality.text)),
    ])
    for place in places {
      let channel = channels[place]
      out.append(
        Self.text(
          channel.kind == .twin ? "Twin" : "Metric", channel: channel.text,
          sequence: update.sequence, time: sample.time, payload: payload))
    }
  }

  /// Which channels take a series; looked up once, since names rarely change.
  private mutating func takers(of index: Int, in catalog: Catalog) -> [Int] {
    if let known = takers[index] { return known }
    let definition = catalog.series[index]
    let device = catalog.devices[Int(definition.device)].id
    let found = channels.indices.filter {
      channels[$0].takes(device: device, metric: definition.metric)
    }
    takers[index] = found
    return found
  }

  // MARK: - Texts

  static func error(_ code: String, _ detail: String) -> String {
    message("Error", payload: .object([("code", .string(code)), ("detail", .string(detail))]))
  }

  static func lagged(_ skipped: Int) -> String {
    message("Lagged", payload: .object([("skipped", .integer(skipped))]))
  }

  private static func message(_ type: String, payload: JSONValue) -> String {
    JSONValue.object([("type", .string(type)), ("payload", payload)]).encoded
  }

  private static func text(
    _ type: String, channel: String, sequence: UInt64, time: Timestamp, payload: String
  ) -> String {
    JSONText.object([
      ("type", JSONText.quoted(type)), ("channel", JSONText.quoted(channel)),
      ("sequence", String(sequence)), ("time", JSONText.quoted(time.rfc3339)),
      ("payload", payload),
    ])
  }
}
