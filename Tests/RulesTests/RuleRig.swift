import Devices
import Telemetry
import Testing

@testable import Rules

/// An engine over a small plant, fed by seconds and values.
struct RuleRig {
  static let profiles = """
    profiles:
      - id: press
        metrics:
          temperature: {unit: °C, interval: 1 s}
          pressure: {unit: bar}
          speed: {unit: 1/min}
          power: {unit: kW}
          load: {unit: "%"}
          cycles: {kind: counter, unit: "{count}", rollover: 1000}
          good: {kind: counter, unit: "{count}"}
          scrap: {kind: counter, unit: "{count}"}
          state: {values: [running, idle, setup, fault]}
          jam: {type: boolean}
          button: {kind: event, type: text}
          raw: {}
      - id: pump
        metrics:
          flow: {unit: m³/h}
          temperature: {unit: °F}
    devices:
      - {id: press1, profile: press, asset: acme/hall/line1/press}
      - {id: press2, profile: press, asset: acme/hall/line2/press}
      - {id: pump1, profile: pump, asset: acme/hall/line1/pump}

    """
  static let wallStart: Int64 = 1_795_248_000_000_000
  static let elapsedStart: Int64 = 5_000_000_000

  var engine: RuleEngine
  var output = RuleOutput()
  private(set) var catalog: [Item] = []
  private var seriesIndexes: [String: UInt32] = [:]
  private var words: [String: UInt32] = [:]
  private(set) var now = 0.0
  private var sequence: UInt64 = 0

  static func configuration(_ yaml: String = profiles) throws -> DeviceConfiguration {
    let (configuration, diagnostics) = DeviceConfiguration.load(files: [
      ConfigurationFile(name: "devices.yaml", content: yaml)
    ])
    #expect(diagnostics.map(\.description) == [])
    return try #require(configuration)
  }

  static func rules(
    _ yaml: String, devices: String = profiles
  ) throws -> RuleSet {
    let (rules, diagnostics) = RuleSet.read(
      [ConfigurationFile(name: "rules.yaml", content: yaml)],
      configuration: try configuration(devices))
    #expect(diagnostics.filter { $0.severity == .error }.map(\.description) == [])
    return try #require(rules)
  }

  /// One rule called `r` for presses, with `when` and more keys.
  static func one(_ when: String, _ more: String = "") -> String {
    """
    rules:
      - id: r
        scope: {profile: press, device: press1}
        when: '\(when)'
    \(more.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
    """
  }

  init(
    _ yaml: String, devices: String = profiles, zone: @escaping LocalOffset = { _ in 0 }
  ) throws {
    try self.init(
      rules: try Self.rules(yaml, devices: devices), configuration: try Self.configuration(devices),
      zone: zone)
  }

  init(
    rules: RuleSet, configuration: DeviceConfiguration, zone: @escaping LocalOffset = { _ in 0 }
  ) throws {
    engine = RuleEngine(rules: rules, zone: zone)
    for (index, device) in configuration.devices.enumerated() {
      define(
        .device(
          DeviceDefinition(
            index: UInt32(index), id: device.id, profile: device.profile, asset: device.asset)))
      for metric in configuration.profile(device.profile)?.metrics ?? [] {
        addSeries(
          "\(device.id)/\(metric.name)", device: UInt32(index), type: metric.type,
          kind: metric.kind, unit: metric.unit?.code ?? "")
      }
    }
    advance(to: 0)
  }

  mutating func define(_ item: Item) {
    catalog.append(item)
    engine.define(item)
  }

  mutating func addSeries(
    _ name: String, device: UInt32, type: ValueType, kind: MetricKind = .gauge, unit: String = ""
  ) {
    let index = UInt32(seriesIndexes.count)
    seriesIndexes[name] = index
    let metric = String(name[name.index(after: name.firstIndex(of: "/") ?? name.startIndex)...])
    define(
      .series(
        SeriesDefinition(
          index: index, device: device, metric: metric, type: type, kind: kind, unit: unit)))
  }

  func moment(_ seconds: Double) -> RecordMoment {
    let offset = Int64((seconds * 1e6).rounded())
    return RecordMoment(
      sequence: sequence, wall: Timestamp(microseconds: Self.wallStart + offset),
      elapsedMicroseconds: Self.elapsedStart + offset)
  }

  mutating func sample(
    _ name: String, _ value: Value, at seconds: Double, quality: Quality = .good
  ) -> Sample {
    let bits: UInt64
    switch value {
    case .number(let number): bits = number.bitPattern
    case .boolean(let flag): bits = flag ? 1 : 0
    case .text(let text):
      if words[text] == nil {
        let id = UInt32(words.count)
        words[text] = id
        define(.word(id: id, text: text))
      }
      bits = UInt64(words[text] ?? 0)
    }
    let time = Timestamp(microseconds: Self.wallStart + Int64((seconds * 1e6).rounded()))
    return Sample(series: seriesIndexes[name] ?? .max, time: time, bits: bits, quality: quality)
  }

  /// One sample in a record of its own, received at `at`; its source says `time`.
  mutating func send(
    _ name: String, _ value: Value, at seconds: Double, quality: Quality = .good,
    time: Double? = nil
  ) {
    let sample = self.sample(name, value, at: time ?? seconds, quality: quality)
    sequence += 1
    now = seconds
    engine.observe([sample], at: moment(seconds), into: &output)
    engine.advance(to: moment(seconds), into: &output)
  }

  mutating func send(
    _ name: String, _ value: Double, at seconds: Double, quality: Quality = .good
  ) {
    send(name, .number(value), at: seconds, quality: quality)
  }

  /// Ticks whenever a timer is due, as the gateway does.
  mutating func advance(to seconds: Double) {
    let end = moment(seconds).elapsedMicroseconds
    while let due = engine.nextDeadline(), due <= end {
      let at = Double(due - Self.elapsedStart) / 1e6
      sequence += 1
      engine.advance(to: moment(max(at, now)), into: &output)
    }
    now = seconds
    sequence += 1
    engine.advance(to: moment(seconds), into: &output)
  }

  mutating func command(
    _ action: AlarmCommand.Action, _ rule: String = "r", _ source: String = "press1"
  ) -> AlarmRefusal? {
    engine.command(
      AlarmCommand(action, alarm: AlarmKey(rule: rule, source: source)), at: moment(now),
      by: "anna", remark: "seen", into: &output)
  }

  mutating func goneOffline(_ device: UInt32, at seconds: Double) {
    now = seconds
    engine.wentStale(
      Staleness(device: device, time: moment(seconds).wall), at: moment(seconds), into: &output)
  }

  func state(_ rule: String = "r", _ source: String = "press1") -> AlarmState? {
    engine.alarm(AlarmKey(rule: rule, source: source))?.state
  }

  func isActive(_ rule: String = "r", _ source: String = "press1") -> Bool {
    engine.alarm(AlarmKey(rule: rule, source: source))?.isActive ?? false
  }

  /// `12.5 press1 normal>unacknowledged condition`, one for each transition so far.
  var log: [String] {
    output.transitions.map { step in
      let seconds = Double(step.elapsedMicroseconds - Self.elapsedStart) / 1e6
      return
        "\(shownNumber(seconds)) \(step.key) \(step.from.name)>\(step.to.name) \(step.cause.name)"
    }
  }

  /// Saved state of the engine.
  var saved: [UInt8] {
    var out = ByteWriter()
    engine.encode(into: &out)
    return Array(out.bytes)
  }

  /// An engine with the same rules that takes up the saved state.
  mutating func restart(zone: @escaping LocalOffset = { _ in 0 }) throws {
    let bytes = saved
    var fresh = RuleEngine(rules: engine.rules, zone: zone)
    for item in catalog { fresh.define(item) }
    var ended = RuleOutput()
    try bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      try fresh.restore(from: &reader, at: moment(now), into: &ended)
    }
    #expect(ended.isEmpty)
    engine = fresh
  }
}
