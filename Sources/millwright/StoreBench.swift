import ArgumentParser
import Foundation
import Simulator
import Storage
import Telemetry

/// Fills a store directly, as the ingest thread would, with random walks or random doubles.
struct StoreFiller {
  let store: Store
  private var now: Int64 = 1_000_000
  private var verdicts: [Verdict] = []
  private var random: RandomSource

  init(directory: String, seed: UInt64 = 1) throws {
    var settings = StoreSettings(directory: directory)
    settings.ballastBytes = 0
    // A kill loses nothing that a bench needs; power cuts are not part of it.
    settings.journal.synchronizes = false
    store = try Store(settings: settings)
    random = RandomSource(seed: seed)
    _ = try store.recover { _, _ in }
    store.begin(nowMicroseconds: now)
  }

  mutating func define(_ count: Int, type: ValueType = .number) throws {
    var batch = Batch()
    for index in 0..<UInt32(count) {
      batch.items.append(.device(DeviceDefinition(index: index, id: "walk\(index)")))
      batch.items.append(
        .series(
          SeriesDefinition(index: index, device: index, metric: "value", type: type, kind: .gauge)))
    }
    batch.endDelivery(packetID: 0)
    try commit(batch)
  }

  /// One record; flushes when the store asks for it.
  mutating func commit(_ batch: Batch) throws {
    now += 20_000
    let header = RecordHeader(
      bootID: 1, monotonicMicroseconds: now,
      wall: Timestamp(microseconds: 1_700_000_000_000_000 + now),
      clockQuality: .synchronized)
    let committed = try store.commit(batch, header: header)
    store.apply(committed, batch, verdicts: &verdicts)
    if store.isFlushDue(nowMicroseconds: now) { try store.flush(nowMicroseconds: now) }
  }

  /// Normal, by Box and Muller.
  mutating func gauss() -> Double {
    (-2 * log(1 - random.share())).squareRoot() * cos(2 * .pi * random.share())
  }

  /// 0 ..< 1.
  mutating func uniform() -> Double { random.share() }

  func close() throws { try store.close(nowMicroseconds: now) }

  /// Merges small chunks until none are left, as the background job would.
  mutating func compact(progress: (Int, Int) -> Void) throws {
    try store.flush(nowMicroseconds: now, everything: true)
    let compactor = Compactor(database: store.database)
    let candidates = try compactor.candidates()
    for (done, series) in candidates.enumerated() {
      while let set = try compactor.nextMerge(
        of: series, type: store.catalog.series[Int(series)].type, kind: .gauge, everything: true)
      {
        store.enqueue(set)
        now += 5_000_000
        try store.flush(nowMicroseconds: now)
      }
      progress(done + 1, candidates.count)
    }
  }
}

/// Bytes a sample on disk for several kinds of series.
struct SizeBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "size",
    abstract: "Bytes a sample of journal, database and WAL after compaction and a clean stop.",
    discussion: """
      Each kind of series is written through journal, open chunks, sealing and compaction into a store of
      its own. No VACUUM is run; free pages count.
      """)

  @Option(help: "Series of each kind.")
  var series = 1_000

  @Option(help: "Samples of each series.")
  var samples = 100_000

  @Option(help: "Where the stores are made; on a real disk.")
  var directory = NSTemporaryDirectory()

  @Option(help: "Only this kind: walk, jitter, slow, constant, state.")
  var kind: Kind?

  @Flag(help: "Leave the stores where they were made.")
  var keep = false

  enum Kind: String, CaseIterable, ExpressibleByArgument {
    case walk
    case jitter
    case slow
    case constant
    case state
  }

  func run() throws {
    print("kind      bytes/sample  samples     bytes on disk")
    for kind in kind.map({ [$0] }) ?? Kind.allCases {
      let bytes = try measure(kind)
      let total = series * samples
      let name = kind.rawValue.padding(toLength: 10, withPad: " ", startingAt: 0)
      print("\(name)\(String(format: "%12.3f", Double(bytes) / Double(total)))  \(total)  \(bytes)")
    }
    print("entropy of the increments of walk, jitter and slow: 0.546 bytes a sample")
  }

  private func measure(_ kind: Kind) throws -> Int {
    let path = directory + "/size-\(kind.rawValue)-\(getpid())"
    defer {
      // What cannot be removed only takes room.
      if !keep { try? FileManager.default.removeItem(atPath: path) }
    }
    var filler = try StoreFiller(directory: path)
    try filler.define(series)
    var values = (0..<series).map { _ in 2_000 + Int(filler.uniform() * 6_000) }
    let start: Int64 = 1_700_000_000_000_000
    let progress = ProgressBar("size \(kind.rawValue)", total: samples)
    for step in 0..<samples {
      var batch = Batch()
      for index in 0..<series {
        let bits = value(kind, &values[index], &filler)
        var time = start + Int64(step) * (kind == .slow ? 60_000_000 : 1_000_000)
        if kind == .jitter { time += Int64(filler.gauss() * 5) * 1_000 }
        batch.samples.append(
          Sample(series: UInt32(index), time: Timestamp(microseconds: time), bits: bits))
      }
      batch.endDelivery(packetID: 0)
      try filler.commit(batch)
      if step % 1_000 == 0 { progress.update(to: step) }
    }
    try filler.compact { _, _ in }
    progress.finish()
    try filler.close()
    return try bytes(of: path)
  }

  private func value(_ kind: Kind, _ value: inout Int, _ filler: inout StoreFiller) -> UInt64 {
    switch kind {
    case .constant: break
    case .state: if filler.uniform() < 0.001 { value = Int(filler.uniform() * 6) * 100 }
    case .walk, .jitter, .slow: value += Int((filler.gauss() * 5).rounded())
    }
    return (Double(value) / 100).bitPattern
  }

  private func bytes(of directory: String) throws -> Int {
    guard let files = FileManager.default.enumerator(atPath: directory) else { return 0 }
    var sum = 0
    for case let name as String in files where !name.hasSuffix("-shm") {
      let attributes = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)
      if attributes[.type] as? FileAttributeType == .typeRegular {
        sum += (attributes[.size] as? NSNumber)?.intValue ?? 0
      }
    }
    return sum
  }
}

/// Makes a store of a wanted size for other measurements.
struct FillBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fill", abstract: "Make a store of a wanted size, for other measurements.")

  @Option(help: "Data directory to make.")
  var data: String

  @Option(help: "Random doubles until the store has about this size.")
  var gigabytes: Double = 0

  @Option(help: "Instead: random walks in this many series …")
  var walks = 0

  @Option(help: "… of this many samples each, 1 s apart from 2023-11-14.")
  var samples = 100_000

  func run() throws {
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    var filler = try StoreFiller(directory: data)
    let series = walks > 0 ? walks : 1_000
    try filler.define(series)
    let steps = walks > 0 ? samples : Int(gigabytes * 1e9 / 8 / Double(series))
    var values = (0..<series).map { _ in 2_000 + Int(filler.uniform() * 6_000) }
    let progress = ProgressBar("fill", total: steps)
    for step in 0..<steps {
      var batch = Batch()
      let time = Timestamp(microseconds: 1_700_000_000_000_000 + Int64(step) * 1_000_000)
      for index in 0..<series {
        var bits = filler.uniform().bitPattern
        if walks > 0 {
          values[index] += Int((filler.gauss() * 5).rounded())
          bits = (Double(values[index]) / 100).bitPattern
        }
        batch.samples.append(Sample(series: UInt32(index), time: time, bits: bits))
      }
      batch.endDelivery(packetID: 0)
      try filler.commit(batch)
      if step % 1_000 == 0 { progress.update(to: step) }
    }
    progress.finish()
    try filler.close()
  }
}
