import ArgumentParser
import Foundation
import Operations
import Simulator
import Statistics
import Telemetry

/// Time a value and bytes a series of the detectors, and how often they are wrong on a plant without faults.
struct DetectBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract:
      "Nanoseconds of CPU a value, bytes a series and false alarms of the anomaly detectors.")

  @Option(help: "Values that each detector takes.")
  var values = 1_000_000

  @Option(help: "Weeks of a plant without faults; 0 leaves it out.")
  var weeks = 6

  @Option(help: "Machines of that plant, of ten signals each.")
  var machines = 8

  @Option(help: "Seconds between the samples of that plant.")
  var interval = 60

  @Option(help: "Seed of the values.")
  var seed: UInt64 = 1

  func validate() throws {
    guard values > 0, weeks >= 0, machines > 0, interval > 0 else {
      throw ValidationError(
        "--values, --machines and --interval are above 0, --weeks is 0 or more.")
    }
  }

  func run() throws {
    var table = Table(
      ["detector", "ns/value", "bytes in memory", "bytes saved"], rightAligned: [1, 2, 3])
    table.rows = [novelty(), charts(), multichannel(), whole()]
    print(table.text)
    guard weeks > 0 else { return }
    var plant = FaultFreePlant(machines: machines, interval: interval, seed: seed)
    print("\n" + plant.report(weeks: weeks))
  }

  /// A bell curve around a daily wave, one value a second.
  private func signal(_ random: inout RandomSource) -> [Double] {
    (0..<values).map { 60 + 5 * sin(Double($0) / 13_750) + random.noise() }
  }

  private func novelty() -> [String] {
    var random = RandomSource(seed: seed)
    let signal = signal(&random)
    var detector = NoveltyDetector()
    let spent = CPUTime.spent {
      for (index, value) in signal.enumerated() {
        _ = detector.observe(value, at: Self.moment(index).wall)
      }
    }
    var writer = ByteWriter()
    detector.encode(into: &writer)
    return row("novelty", spent, MemoryLayout<NoveltyDetector>.stride, writer.count)
  }

  private func charts() -> [String] {
    var random = RandomSource(seed: seed)
    let signal = signal(&random)
    var detector = ChartDetector(baseline: .learned(points: 500))
    var sum = 0.0
    let spent = CPUTime.spent {
      for value in signal { sum += detector.observe(value).ewma }
    }
    var writer = ByteWriter()
    detector.encode(into: &writer)
    precondition(sum.isFinite, "scores are numbers")
    return row("ewma and cusum", spent, MemoryLayout<ChartDetector>.stride, writer.count)
  }

  /// Rows of eight channels.
  private func multichannel() -> [String] {
    var random = RandomSource(seed: seed)
    let rows = (0..<1_000).map { _ in (0..<8).map { _ in random.noise() } }
    var detector = MultichannelDetector(channels: 8)
    for row in rows { _ = detector.observe(row) }
    var sum = 0.0
    let spent = CPUTime.spent {
      for index in 0..<values { sum += detector.observe(rows[index % rows.count]) }
    }
    var writer = ByteWriter()
    detector.encode(into: &writer)
    precondition(sum.isFinite, "scores are numbers")
    return row("multichannel, row of 8", spent, 0, writer.count)
  }

  /// All detectors of a gateway over 10,000 series.
  private func whole() -> [String] {
    var random = RandomSource(seed: seed)
    var detection = SeriesDetection()
    let series = 10_000
    for index in 0..<series {
      detection.define(
        SeriesDefinition(
          index: UInt32(index), device: UInt32(index / 10), metric: "m\(index % 10)", type: .number,
          kind: .gauge))
    }
    let signal = (0..<values).map { _ in random.noise() }
    var anomalies: [Anomaly] = []
    let spent = CPUTime.spent {
      for (index, value) in signal.enumerated() {
        let moment = Self.moment(index / series)
        detection.observe(
          Sample(series: UInt32(index % series), time: moment.wall, bits: value.bitPattern),
          at: moment, into: &anomalies)
      }
    }
    var writer = ByteWriter()
    detection.encode(into: &writer)
    return row(
      "all, of 10,000 series", spent, SeriesDetection.bytesPerSeries, writer.count / series)
  }

  private static func moment(_ second: Int) -> RecordMoment {
    let elapsed = Int64(second) * 1_000_000
    return RecordMoment(
      sequence: UInt64(second), wall: Timestamp(microseconds: 1_760_000_000_000_000 + elapsed),
      elapsedMicroseconds: elapsed)
  }

  private func row(_ name: String, _ spent: Double, _ memory: Int, _ saved: Int) -> [String] {
    let nanoseconds = spent * 1e9 / Double(values)
    return [name, Number.text(nanoseconds, decimals: 0), memory > 0 ? "\(memory)" : "", "\(saved)"]
  }
}
