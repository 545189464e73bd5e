import Devices
import Rules
import Storage
import Telemetry

/// The stages of a gateway without the gateway: messages in, alarms and anomalies out.
///
/// For benches and what-if runs: the same resolver, rules and detectors as live, no I/O, and time is what the
/// messages say. A value: copy it, and two futures follow from one past.
public struct StageRehearsal: Sendable {
  /// An anomaly or an alarm that began.
  public struct Told: Sendable, Hashable {
    /// When the gateway knew.
    public var time: Timestamp
    /// Empty where a rule compares several devices.
    public var device: String
    /// The kind of an anomaly (`novelty`, `flat_line`), or `rule` and the id of a rule.
    public var source: String
    public var isRule: Bool
    /// The metric of an anomaly.
    public var metric: String

    /// What it is, whenever it happens.
    public var label: String { isRule ? "rule \(source)" : source }
  }

  private var stages = Stages()
  private var resolver = Resolver()
  private var batch = Batch()
  private var output = StageOutput()
  private var sequence: UInt64 = 0
  private var start: Timestamp?
  private var elapsed: Int64 = 0
  /// Samples that were resolved so far.
  public private(set) var samples = 0

  public init(configuration: LoadedConfiguration) {
    batch.items = [
      .started(version: ProductVersion.text), .configuration(files: configuration.files),
    ]
    batch.items += resolver.reconfigure(configuration.devices).items
    batch.endDelivery(packetID: 0)
  }

  /// A message that is part of the next record.
  public mutating func take(topic: String, payload: [UInt8], isRetained: Bool, at time: Timestamp) {
    var topic = topic
    let monotonic = elapsed(at: time)
    topic.withUTF8 { topic in
      payload.withUnsafeBytes { payload in
        _ = resolver.resolve(
          IncomingMessage(
            topic: UnsafeRawBufferPointer(topic),
            contentType: UnsafeRawBufferPointer(start: nil, count: 0), payload: payload,
            received: time, monotonicMicroseconds: monotonic, isRetained: isRetained),
          into: &batch)
      }
    }
    batch.endDelivery(packetID: 0)
  }

  /// Commits what was taken as one record, after the timers that were due before it.
  /// - Returns: what began, in order.
  public mutating func commit(at time: Timestamp) -> [Told] {
    let now = elapsed(at: time)
    var told: [Told] = []
    // Timers run on ticks, as in the gateway: records without anything in them.
    while sequence > 0, let due = stages.nextDeadline(), due < now, due > elapsed {
      apply(Batch(), elapsed: due, wall: time.advanced(byMicroseconds: due - now), &told)
    }
    _ = resolver.advance(to: now, received: time, into: &batch)
    samples += batch.samples.count
    apply(batch, elapsed: now, wall: time, &told)
    _ = resolver.takeMemory()
    _ = resolver.markCommitted()
    batch.removeAll()
    return told
  }

  private mutating func elapsed(at time: Timestamp) -> Int64 {
    let first = start ?? time
    start = first
    return max(elapsed, time.microseconds(since: first))
  }

  private mutating func apply(
    _ batch: Batch, elapsed now: Int64, wall: Timestamp, _ told: inout [Told]
  ) {
    elapsed = now
    sequence += 1
    output.removeAll()
    stages.apply(
      RecordHeader(
        sequence: sequence, bootID: 1, monotonicMicroseconds: now, wall: wall,
        clockQuality: .synchronized), batch, into: &output)
    for derived in output.events {
      if let one = Self.told(derived.event, at: wall) { told.append(one) }
    }
  }

  private static func told(_ event: Event, at wall: Timestamp) -> Told? {
    let isRule = event.name == "AlarmRaised"
    guard isRule || event.name == "AnomalyStarted" else { return nil }
    // The stages wrote it.
    let facts = (try? JSONReader.read(Array(event.properties.utf8))) ?? .null
    return Told(
      time: wall, device: event.device ?? "", source: facts[isRule ? "rule" : "kind"]?.text ?? "",
      isRule: isRule, metric: facts["metric"]?.text ?? "")
  }
}
