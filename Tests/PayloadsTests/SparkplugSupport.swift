import Telemetry

@testable import Payloads

/// An edge node as a test writes it down: messages with the sequence numbers that it gives them.
struct EdgeNode {
  var host = SparkplugHost()
  var now: Int64 = 1_000_000
  let received = Timestamp(microseconds: 1_760_000_000_000_000)
  /// Readings of the last `send`, as text.
  private(set) var steps: [SparkplugHost.Step] = []
  private(set) var readings = Readings()

  static func metric(
    _ name: String = "", alias: UInt64? = nil, datatype: UInt32? = 10,
    _ value: SparkplugPayload.Metric.OneOf_Value? = nil, at milliseconds: UInt64? = nil
  ) -> SparkplugPayload.Metric {
    var metric = SparkplugPayload.Metric()
    if !name.isEmpty { metric.name = name }
    if let alias { metric.alias = alias }
    if let datatype { metric.datatype = datatype }
    if let milliseconds { metric.timestamp = milliseconds }
    metric.value = value
    return metric
  }

  static func payload(
    seq: UInt64?, _ metrics: [SparkplugPayload.Metric], at milliseconds: UInt64? = 1_760_000_000_000
  ) -> SparkplugPayload {
    var payload = SparkplugPayload()
    if let seq { payload.seq = seq }
    if let milliseconds { payload.timestamp = milliseconds }
    payload.metrics = metrics
    return payload
  }

  static func bdSeq(_ number: UInt64) -> SparkplugPayload.Metric {
    metric("bdSeq", datatype: 8, .longValue(number))
  }

  /// Lets a message arrive and answers with what became of it, a line for each step.
  @discardableResult
  mutating func send(
    _ kind: String, device: String = "", seq: UInt64?, _ metrics: [SparkplugPayload.Metric] = [],
    at milliseconds: UInt64? = 1_760_000_000_000
  ) -> [String] {
    let suffix = device.isEmpty ? "" : "/\(device)"
    let topic = "spBv1.0/plant/\(kind)/edge\(suffix)"
    let payload = EdgeNode.payload(seq: seq, metrics, at: milliseconds)
    let bytes: [UInt8] = (try? payload.serializedBytes()) ?? []
    readings.removeAll()
    steps = []
    let received = received
    host.receive(
      SparkplugTopic(topic)!, payload, now: now,
      held: { SparkplugHeld(topic: topic, received: received, payload: bytes) },
      readings: &readings, into: &steps)
    return lines(steps)
  }

  /// Lets a message of another producer arrive, as its bytes.
  mutating func send(topic: String, bytes: [UInt8]) throws -> [String] {
    let payload = try bytes.withUnsafeBytes { try SparkplugPayload(reading: $0) }
    readings.removeAll()
    steps = []
    host.receive(
      SparkplugTopic(topic)!, payload, now: now,
      held: { SparkplugHeld(topic: topic, received: .epoch, payload: bytes) },
      readings: &readings, into: &steps)
    return lines(steps)
  }

  /// Lets time go by and answers with the steps and the requests.
  mutating func wait(seconds: Double) -> (steps: [String], requests: [SparkplugHost.RebirthRequest])
  {
    now += Int64(seconds * 1e6)
    var steps: [SparkplugHost.Step] = []
    let requests = host.advance(to: now, timestamp: received, into: &steps)
    return (lines(steps), requests)
  }

  /// What a restart finds: everything remembered so far, later pieces in the place of earlier ones.
  private(set) var memory: [String: [UInt8]] = [:]

  private mutating func lines(_ steps: [SparkplugHost.Step]) -> [String] {
    steps.compactMap { step -> String? in
      switch step {
      case .take: return "take " + describe(readings)
      case .refuse(let error): return "refuse \(error.code)"
      case .takeHeld(_, let readings): return "late " + describe(readings)
      case .refuseHeld(_, let error): return "refuse late \(error.code)"
      case .wentStale(let topic, let time):
        return "stale \(topic.device.isEmpty ? "node" : topic.device)"
          + (time.map { " at \($0.microseconds / 1_000)" } ?? " now")
      case .remember(let name, let content):
        memory[name] = content.isEmpty ? nil : content
        return nil
      }
    }
  }

  mutating func forget(_ name: String) { memory[name] = nil }

  mutating func commit() {
    for (name, content) in host.takeMoved() { memory[name] = content }
  }

  /// The same host after a restart.
  func restarted() -> EdgeNode {
    var next = EdgeNode()
    next.memory = memory
    next.host.restore(memory.map { ($0.key, $0.value) })
    return next
  }

  private func describe(_ readings: Readings) -> String {
    let none = UnsafeRawBufferPointer(start: nil, count: 0)
    let fields = readings.fields.map { field -> String in
      let value: String =
        switch field.value {
        case .number(let number):
          number == number.rounded() && number.magnitude < 1e15 ? "\(Int(number))" : "\(number)"
        case .boolean(let value): "\(value)"
        case .text(let slice): readings.text(slice, payload: none)
        }
      let unit = field.unit.map { " " + readings.text($0, payload: none) } ?? ""
      let quality = field.quality == .good ? "" : " \(field.quality.text)"
      return "\(readings.text(field.name, payload: none))=\(value)\(unit)\(quality)"
    }
    let refusals = readings.refusals.map { "\($0.place):\($0.code)" }
    let absent = readings.absent.map { readings.text($0.name, payload: none) + "=null" }
    let blobs = readings.blobs.map {
      "\(readings.text($0.name, payload: none))=\($0.kind) of \($0.bytes.count)"
    }
    return (fields + absent + blobs + refusals).joined(separator: ", ")
  }
}

extension EdgeNode {
  /// Born with two devices, sequence numbers 0 to 2.
  static func born() -> EdgeNode {
    var edge = EdgeNode()
    edge.send(
      "NBIRTH", seq: 0,
      [bdSeq(7), metric("uptime", alias: 1, datatype: 8, .longValue(3))])
    edge.send("DBIRTH", device: "press", seq: 1, [metric("pressure", alias: 2, .doubleValue(1.5))])
    edge.send("DBIRTH", device: "oven", seq: 2, [metric("heat", alias: 3, .doubleValue(200))])
    edge.commit()
    return edge
  }

  func pressure(_ value: Double) -> [SparkplugPayload.Metric] {
    [EdgeNode.metric(alias: 2, datatype: nil, .doubleValue(value))]
  }
}
