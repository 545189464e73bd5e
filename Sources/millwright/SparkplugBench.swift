import ArgumentParser
import Devices
import Foundation
import Simulator
import Storage
import Telemetry

/// CPU time a sample of Sparkplug B, from the payload's bytes to journal, open chunks and SQLite.
struct SparkplugBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sparkplug",
    abstract: "CPU time a sample of Sparkplug B data: decode, journal and store.",
    discussion: """
      Edge nodes with one device each send data by alias. Payloads are made before the clock runs; what is
      timed is the ingest thread's work without MQTT: decoding, resolving, one synced journal record per
      batch, open chunks, and the flushes to SQLite that fall due.
      """)

  @Option(help: "Edge nodes.")
  var nodes = 50

  @Option(help: "Metrics of a message.")
  var metrics = 20

  @Option(help: "Messages of each node.")
  var messages = 4_000

  @Option(help: "Messages of one journal record.")
  var batch = 500

  @Option(help: "Where the store is made; on a real disk.")
  var directory = NSTemporaryDirectory()

  func run() throws {
    let path = directory + "/sparkplug-\(getpid())"
    // What cannot be removed only takes room.
    defer { try? FileManager.default.removeItem(atPath: path) }
    var settings = StoreSettings(directory: path)
    settings.ballastBytes = 0
    var sink = SparkplugSink(store: try Store(settings: settings))
    _ = try sink.store.recover { _, _ in }
    var source = SparkplugSource(nodes: nodes, metrics: metrics)
    try sink.take(source.births())
    let began = CPUTime.now
    var making = 0.0
    let progress = ProgressBar("sparkplug", total: nodes * messages)
    var left = nodes * messages
    while left > 0 {
      let start = CPUTime.now
      let part = source.next(min(batch, left))
      making += CPUTime.now - start
      try sink.take(part)
      left -= part.count
      progress.update(to: nodes * messages - left)
    }
    let seconds = CPUTime.now - began - making
    progress.finish()
    let samples = Double(sink.samples)
    print(
      "\(sink.samples) samples of \(metrics) a message: \(Number.text(seconds * 1e9 / samples, decimals: 0)) "
        + "ns of CPU a sample, \(Number.text(samples / seconds / 1e6, decimals: 2)) M samples a second of CPU"
    )
    try sink.store.close(nowMicroseconds: sink.now)
  }
}

/// Seconds that this process has computed, in user and system mode together.
enum CPUTime {
  static var now: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// Seconds of it that `body` takes.
  static func spent(_ body: () -> Void) -> Double {
    let began = now
    body()
    return now - began
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }
}

/// Many nodes that send random walks in turn.
private struct SparkplugSource {
  private var edges: [SparkplugEdge]
  private var values: [[SparkplugEdge.Metric]]
  private var random = RandomSource(seed: 1)
  private var turn = 0
  private var time = Timestamp(microseconds: 1_760_000_000_000_000)

  init(nodes: Int, metrics: Int) {
    edges = (0..<nodes).map { SparkplugEdge(group: "bench", node: "node\($0)") }
    values = (0..<nodes).map { _ in
      (0..<metrics).map { SparkplugEdge.Metric("Axis/metric\($0)", .number(50), unit: "bar") }
    }
  }

  mutating func births() -> [SimulatedMessage] {
    edges.indices.flatMap { index in
      [
        edges[index].nodeBirth([], at: time),
        edges[index].deviceBirth("device", values[index], at: time),
      ]
    }
  }

  mutating func next(_ count: Int) -> [SimulatedMessage] {
    (0..<count).map { _ in
      if turn == 0 { time = time.advanced(byMicroseconds: 1_000_000) }
      for metric in values[turn].indices {
        guard case .number(let before) = values[turn][metric].value else { continue }
        let step = (random.share() * 10 - 5).rounded() / 100
        values[turn][metric].value = .number(((before + step) * 100).rounded() / 100)
      }
      let message = edges[turn].data("device", values[turn], at: time)
      turn = (turn + 1) % edges.count
      return message
    }
  }
}

/// The ingest thread's work, without MQTT.
private struct SparkplugSink {
  let store: Store
  private(set) var samples = 0
  private(set) var now: Int64 = 1_000_000
  private var resolver = Resolver()
  private var verdicts: [Verdict] = []

  init(store: Store) { self.store = store }

  mutating func take(_ messages: [SimulatedMessage]) throws {
    now += 100_000
    var batch = Batch()
    for message in messages {
      var topic = message.topic
      let outcome = topic.withUTF8 { topic in
        message.payload.withUnsafeBytes { payload in
          resolver.resolve(
            IncomingMessage(
              topic: UnsafeRawBufferPointer(topic), payload: payload, received: message.time,
              monotonicMicroseconds: now),
            into: &batch)
        }
      }
      guard outcome.refusedFields == 0 else {
        throw Failure("refused: \(outcome.refusals.first?.detail ?? "")")
      }
      samples += outcome.samples
      batch.endDelivery(packetID: 0)
    }
    batch.items.append(contentsOf: resolver.takeMemory())
    batch.endDelivery(packetID: 0)
    let header = RecordHeader(
      bootID: 1, monotonicMicroseconds: now, wall: messages.last?.time ?? .epoch,
      clockQuality: .synchronized)
    let committed = try store.commit(batch, header: header)
    store.apply(committed, batch, verdicts: &verdicts)
    _ = resolver.markCommitted()
    if store.isFlushDue(nowMicroseconds: now) { try store.flush(nowMicroseconds: now) }
  }
}
