import Capture
import Devices
import Storage
import Telemetry
import TestSupport

/// The ingest thread's work on a capture, without a broker: resolve, journal, store; restarts on request.
final class ReplayRig: @unchecked Sendable {  // One test drives it.
  private let directory: String
  private let configuration: DeviceConfiguration
  private var store: Store
  private var resolver: Resolver
  private var verdicts: [Verdict] = []
  private var batch = Batch()
  private var now: Int64 = 1_000_000
  private(set) var refusals: [String] = []

  init(directory: String, yaml: String = "") throws {
    self.directory = directory
    let files = yaml.isEmpty ? [] : [ConfigurationFile(name: "test.yaml", content: yaml)]
    configuration = DeviceConfiguration.load(files: files).configuration ?? DeviceConfiguration()
    store = try ReplayRig.open(directory)
    resolver = Resolver()
    try recover()
  }

  private static func open(_ directory: String) throws -> Store {
    var settings = StoreSettings(directory: directory)
    settings.journal.synchronizes = false
    settings.ballastBytes = 0
    return try Store(settings: settings)
  }

  private func recover() throws {
    _ = try store.recover { header, batch in store.apply(header, batch, verdicts: &verdicts) }
    store.begin(nowMicroseconds: now)
    var registry = Registry()
    for item in store.catalog.items { registry.apply(item) }
    resolver = Resolver(registry: registry)
    resolver.restore(memory: store.memory.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    batch.items += resolver.reconfigure(configuration).items
  }

  /// One record for each `perRecord` messages.
  func take(_ messages: [CapturedMessage], perRecord: Int = 20) throws {
    for (index, message) in messages.enumerated() {
      now = max(now, message.time.microseconds - 1_700_000_000_000_000)
      let advanced = resolver.advance(to: now, received: message.time, into: &batch)
      note(advanced.outcome)
      resolve(message)
      batch.endDelivery(packetID: 0)
      if index % perRecord == perRecord - 1 || index == messages.count - 1 {
        try commit(at: message.time)
      }
    }
  }

  private func resolve(_ message: CapturedMessage) {
    var (topic, contentType) = (message.topic, message.contentType)
    let outcome = topic.withUTF8 { topic in
      contentType.withUTF8 { contentType in
        message.payload.withUnsafeBytes { payload in
          resolver.resolve(
            IncomingMessage(
              topic: UnsafeRawBufferPointer(topic),
              contentType: UnsafeRawBufferPointer(contentType), payload: payload,
              received: message.time, monotonicMicroseconds: now, isRetained: message.isRetained),
            into: &batch)
        }
      }
    }
    note(outcome)
  }

  private func note(_ outcome: Outcome) {
    refusals += outcome.refusals.map { "\($0.code) \($0.place)" }
  }

  private func commit(at time: Timestamp) throws {
    batch.items += resolver.takeMemory()
    batch.endDelivery(packetID: 0)
    let header = RecordHeader(
      bootID: 1, monotonicMicroseconds: now, wall: time, clockQuality: .synchronized)
    let committed = try store.commit(batch, header: header)
    store.apply(committed, batch, verdicts: &verdicts)
    _ = resolver.markCommitted()
    batch.removeAll()
    if store.isFlushDue(nowMicroseconds: now) { try store.flush(nowMicroseconds: now) }
  }

  /// As after a kill: memory is gone, journal and database are not.
  func restart() throws {
    try store.database.close()
    batch.removeAll()
    store = try ReplayRig.open(directory)
    try recover()
  }

  /// Everything a reader can see, as text: series with type, kind and unit, and their samples.
  func dump() throws -> String {
    let reader = StoreReader(directory: directory, database: store.current) { [unowned self] in
      store.openParts(of: $0)
    }
    let catalog = store.catalog
    var lines: [String] = []
    for series in catalog.series.sorted(by: {
      catalog.key(of: $0.index) < catalog.key(of: $1.index)
    }) {
      let unit = series.unit.isEmpty ? "" : " \(series.unit)"
      lines.append(
        "\(catalog.key(of: series.index))  \(series.type.name) \(series.kind.name)\(unit)")
      let page = try reader.page(
        of: series.index, from: .distantPast, through: .distantFuture, count: 100_000)
      for index in 0..<page.columns.count {
        let quality = Quality(rawValue: page.columns.qualities[index])
        lines.append(
          "  \(Timestamp(microseconds: page.columns.times[index]).rfc3339)  "
            + text(catalog.value(page.columns.bits[index], type: series.type))
            + (quality == .good ? "" : "  \(quality.text)"))
      }
    }
    lines += refusals.map { "refused: \($0)" }
    return lines.joined(separator: "\n") + "\n"
  }

  private func text(_ value: Value) -> String {
    switch value {
    case .number(let number): "\(number)"
    case .boolean(let flag): "\(flag)"
    case .text(let word): word
    }
  }
}
