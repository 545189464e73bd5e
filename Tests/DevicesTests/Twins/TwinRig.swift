import Devices
import Telemetry
import Testing

/// Desires of a small plant, fed record by record as the stages do it, with everything they said.
struct TwinRig {
  static let start = Timestamp(microseconds: 1_795_248_000_000_000)
  static let profile = """
    profiles:
      - id: conveyor
        metrics:
          state: {values: {0: "off", 1: idle, 2: running, 3: fault}}
          guard: {type: boolean, interval: 2 s}
          speed: {unit: m/s, deadband: 0.01}
          mode: {values: {M: manual, A: automatic}}
          level: {range: [0, 10]}
          lamp: {type: boolean}
          temperature: {unit: °C}
        desired:
          speed:
            range: [0.2, 2]
            tolerance: 0.02
            permitted_when: {state: [running, idle], guard: ["true"]}
          mode:
            permitted_when: always
            topic: /plant/{device}/set
            payload: {mode: "{raw}", word: "{value}", ref: "{id} of {device}", n: 1, on: true}
            rate_limit: 0 s
          belt_temperature:
            metric: temperature
            unit: °F
            range: [50, 122]
            tolerance: 2
            permitted_when: always
            payload: "{value}"
            expires: 10 s
            timeout: 20 s
          level: {values: [1, 2, 4], permitted_when: always, rate_limit: 0 s}
          lamp: {permitted_when: always, rate_limit: 0 s}
      - id: press
        metrics: {temperature: {unit: °C}}
    """

  var twins: TwinDesires
  let profiles: [Profile]
  var items: [Item] = []
  var output = TwinOutput()
  /// Everything said so far.
  var said: [String] = []
  /// The event log.
  var logged: [Event] = []
  /// The last standing of `conveyor1`.
  var standing: String?
  var sequence: UInt64 = 0
  var elapsed: Int64 = 0
  private var words: [String] = []
  private var metrics: [String] = []

  static let names = ["state", "guard", "speed", "mode", "level", "lamp", "temperature"]

  init(_ yaml: String = TwinRig.profile) throws {
    profiles = try Fixture.configuration(yaml).profiles
    twins = TwinDesires()
    twins.configure(profiles)
    define(.device(DeviceDefinition(index: 0, id: "conveyor1", profile: "conveyor")))
    define(.device(DeviceDefinition(index: 1, id: "press1", profile: "press")))
    define(.device(DeviceDefinition(index: 2, id: "box", was: ["old-box"])))
    for (index, name) in Self.names.enumerated() {
      let type: ValueType =
        ["state", "mode"].contains(name)
        ? .text : ["guard", "lamp"].contains(name) ? .boolean : .number
      define(
        .series(
          SeriesDefinition(
            index: UInt32(index), device: 0, metric: name, type: type,
            kind: type == .number ? .gauge : .state,
            unit: ["speed": "m/s", "temperature": "Cel"][name] ?? "")))
    }
    define(
      .series(
        SeriesDefinition(
          index: UInt32(Self.names.count), device: 2, metric: "humidity", type: .number,
          kind: .gauge)))
    for (index, word) in ["off", "idle", "running", "fault", "manual", "automatic"].enumerated() {
      define(.word(id: UInt32(index), text: word))
      words.append(word)
    }
  }

  mutating func define(_ item: Item) {
    items.append(item)
    twins.define(item)
  }

  var moment: RecordMoment {
    RecordMoment(
      sequence: sequence, wall: Self.start.advanced(byMicroseconds: elapsed),
      elapsedMicroseconds: elapsed)
  }

  /// One record after `seconds`: what `body` does, then time.
  mutating func record(
    after seconds: Double = 0, _ body: (inout TwinDesires, RecordMoment, inout TwinOutput) -> Void
  ) {
    sequence += 1
    elapsed += Int64(seconds * 1e6)
    output.removeAll()
    body(&twins, moment, &output)
    twins.advance(to: moment, into: &output)
    said += output.events.map(Self.line) + output.standings.map(\.body)
    var rows = StageOutput()
    TwinRecords.add(output, at: moment, to: &rows)
    logged += rows.events.map(\.event)
    standing = rows.standings.last { $0.key == "conveyor1" }?.body ?? standing
  }

  mutating func tick(after seconds: Double) { record(after: seconds) { _, _, _ in } }

  mutating func report(
    _ metric: String, _ value: Value, after seconds: Double = 0, quality: Quality = .good,
    late: Int64 = 0, currentOnly: Bool = false
  ) {
    let bits: UInt64 =
      switch value {
      case .number(let number): number.bitPattern
      case .boolean(let flag): flag ? 1 : 0
      case .text(let text): UInt64(words.firstIndex(of: text) ?? 999)
      }
    let index = UInt32(Self.names.firstIndex(of: metric) ?? 99)
    record(after: seconds) { twins, moment, output in
      twins.observe(
        Sample(
          series: index, time: moment.wall.advanced(byMicroseconds: -late), bits: bits,
          quality: quality, isCurrentOnly: currentOnly), at: moment, into: &output)
    }
  }

  /// The machine runs with its guard closed.
  mutating func run() {
    report("state", .text("running"))
    report("guard", .boolean(true))
  }

  /// - Returns: the version or the code of the refusal.
  @discardableResult
  mutating func ask(
    _ patch: String, of device: String = "conveyor1", by principal: String = "anna",
    why: String = "", match: UInt64? = nil, more: String = "", after seconds: Double = 0
  ) -> String {
    let version = match.map { "\($0)" } ?? "null"
    return send(
      #"{"patch":\#(patch),"if_match":\#(version)\#(more)}"#, to: device, by: principal, why: why,
      after: seconds)
  }

  @discardableResult
  mutating func send(
    _ body: String, to device: String = "conveyor1", by principal: String = "anna",
    why: String = "", name: String = "twin.desire", after seconds: Double = 0
  ) -> String {
    var answer = ""
    record(after: seconds) { twins, moment, output in
      let command = OperatorCommand(
        name: name, target: device, principal: principal, remark: why, body: body)
      switch twins.command(command, at: moment, into: &output) {
      case .success(let version): answer = "\(version)"
      case .failure(let refusal): answer = "\(refusal.code): \(refusal.detail)"
      }
    }
    return answer
  }

  /// `changed speed nil→1.2 m/s v1 anna`, for comparing.
  static func line(_ event: TwinEvent) -> String {
    func text(_ value: Value?) -> String {
      switch value {
      case .number(let number): "\(number)"
      case .boolean(let flag): "\(flag)"
      case .text(let text): text
      case nil: "nil"
      }
    }
    if let refusal = event.refusal { return "refused \(refusal.code) \(event.principal)" }
    let seconds = event.seconds.map { " \($0) s" } ?? ""
    return "\(event.kind) \(event.property) \(text(event.old))→\(text(event.new)) \(event.unit) "
      + "v\(event.version) \(event.principal)\(seconds)"
  }

  var lines: [String] { output.events.map(Self.line) }

  /// The status of a property in the last standing.
  func status(_ property: String) throws -> String? {
    let body = try #require(output.standings.last).body
    return try JSONReader.read(Array(body.utf8))["properties"]?[property]?["status"]?.text
  }

  var saved: [UInt8] {
    var out = ByteWriter()
    twins.encode(into: &out)
    return Array(out.bytes)
  }

  /// Takes up again from `bytes`, as another process does.
  mutating func restore(_ bytes: [UInt8]) throws {
    twins = TwinDesires()
    twins.configure(profiles)
    for item in items { twins.define(item) }
    let result: Result<TwinDesires, any Error> = bytes.withUnsafeBytes { buffer in
      Result {
        var reader = ByteReader(buffer)
        var restored = twins
        try restored.restore(from: &reader)
        return restored
      }
    }
    twins = try result.get()
  }
}
