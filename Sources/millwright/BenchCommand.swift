import ArgumentParser
import Foundation
import Simulator
import Storage
import Telemetry

/// `millwright bench`: measurements that can be repeated.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure parts of the gateway on this machine.",
    discussion: """
      EXAMPLES
        millwright bench codec
        millwright bench codec --samples 16384 --rounds 50
        millwright bench sparkplug
        millwright bench detect
        millwright bench rules
        millwright bench faults
        millwright bench rul
      """,
    subcommands: [
      CodecBench.self, SizeBench.self, FillBench.self, SparkplugBench.self, DetectBench.self,
      RuleBench.self, FaultBenchCommand.self, RemainingLifeBench.self,
    ])
}

/// Bytes and time per sample of the chunk codec.
struct CodecBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "codec",
    abstract: "Bytes and nanoseconds a sample of the chunk codec, on random walks.")

  @Option(help: "Samples of one chunk.")
  var samples = 8_192

  @Option(help: "Chunks that are coded of each kind.")
  var rounds = 20

  @Option(help: "Seed of the walks.")
  var seed: UInt64 = 1

  func validate() throws {
    guard (1...ChunkCodec.countMax).contains(samples), rounds > 0 else {
      throw ValidationError("--samples is 1 to \(ChunkCodec.countMax), --rounds above 0.")
    }
  }

  func run() throws {
    var table = Table(
      ["walk", "bytes/sample", "encode ns", "decode ns"], rightAligned: [1, 2, 3])
    for (name, decimals) in [
      ("constant", -1), ("1 decimal", 1), ("3 decimals", 3), ("full doubles", 17),
    ] {
      table.rows.append([name] + (try measure(decimals: decimals)))
    }
    print(table.text)
  }

  private func measure(decimals: Int) throws -> [String] {
    var random = RandomSource(seed: seed)
    let encoder = ChunkEncoder()
    let decoder = ChunkDecoder()
    let clock = ContinuousClock()
    var (bytes, encoding, decoding) = (0, Duration.zero, Duration.zero)
    for _ in 0..<rounds {
      let columns = walk(decimals: decimals, &random)
      var blob: [UInt8] = []
      encoding += clock.measure { blob = encoder.encode(columns, type: .number) }
      var back = ChunkColumns()
      decoding += try clock.measure { try decoder.decode(blob, into: &back) }
      guard back.bits == columns.bits, back.times == columns.times else {
        throw Failure("the codec gave back something else for seed \(seed)")
      }
      bytes += blob.count
    }
    let count = Double(samples * rounds)
    return [
      Number.text(Double(bytes) / count, decimals: 3),
      Number.text(encoding / .nanoseconds(1) / count, decimals: 1),
      Number.text(decoding / .nanoseconds(1) / count, decimals: 1),
    ]
  }

  /// One sample a second with a little jitter; steps of a bell curve.
  private func walk(decimals: Int, _ random: inout RandomSource) -> ChunkColumns {
    var columns = ChunkColumns()
    var value = 60.0
    var time: Int64 = 1_795_248_000_000_000
    let scale = [1: 10.0, 3: 1_000.0][decimals]
    for _ in 0..<samples {
      time += 1_000_000 + Int64(random.share() * 2_000)
      if decimals >= 0 { value += 0.2 * random.noise() }
      let shown = scale.map { (value * $0).rounded() / $0 } ?? value
      columns.append(time: time, bits: shown.bitPattern, quality: 0)
    }
    return columns
  }
}
