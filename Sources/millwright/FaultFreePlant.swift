import Foundation
import Operations
import Simulator
import Telemetry

/// Machines whose signals are noisy, change with products, shifts, weekends and the weather, and never fail:
/// every anomaly on them is a false alarm.
struct FaultFreePlant {
  private let machines: Int
  private let interval: Int
  private var random: RandomSource
  private var signals: [FaultFreeSignal] = []
  private var detection = SeriesDetection()

  init(machines: Int, interval: Int, seed: UInt64) {
    self.machines = machines
    self.interval = interval
    random = RandomSource(seed: seed)
    for machine in 0..<machines {
      for kind in FaultFreeSignal.Kind.allCases {
        let index = UInt32(signals.count)
        signals.append(FaultFreeSignal(kind: kind, random: &random))
        detection.define(
          SeriesDefinition(
            index: index, device: UInt32(machine), metric: "\(kind)", type: .number, kind: .gauge))
      }
      let first = UInt32(machine * FaultFreeSignal.Kind.allCases.count)
      detection.group(device: UInt32(machine), series: Array(first..<UInt32(signals.count)))
    }
  }

  /// Runs the weeks and counts what starts in each, by kind.
  mutating func report(weeks: Int) -> String {
    let progress = ProgressBar("plant", total: weeks * 7)
    var counts = [[Int]](
      repeating: [Int](repeating: 0, count: Anomaly.Kind.allCases.count), count: weeks)
    for day in 0..<weeks * 7 {
      for anomaly in run(day: day) where anomaly.phase == .started {
        counts[day / 7][Int(anomaly.kind.rawValue)] += 1
      }
      progress.update(to: day + 1)
    }
    progress.finish()
    var table = Table(
      ["week"] + Anomaly.Kind.allCases.map(\.name) + ["a machine-week"],
      rightAligned: Set(0...Anomaly.Kind.allCases.count + 1))
    for (week, row) in counts.enumerated() {
      let sum = Double(row.reduce(0, +)) / Double(machines)
      table.rows.append(
        ["\(week + 1)"] + row.map(String.init) + [Number.text(sum, decimals: 2)])
    }
    return "false alarms, \(machines) machines of \(FaultFreeSignal.Kind.allCases.count) signals, "
      + "a sample each \(interval) s\n\(table.text)"
  }

  private mutating func run(day: Int) -> [Anomaly] {
    var anomalies: [Anomaly] = []
    for second in stride(from: day * 86_400, to: (day + 1) * 86_400, by: interval) {
      // 2026-01-05 was a Monday.
      let wall = Timestamp(microseconds: (1_767_571_200 + Int64(second)) * 1_000_000)
      let moment = RecordMoment(
        sequence: UInt64(second), wall: wall, elapsedMicroseconds: Int64(second) * 1_000_000)
      detection.advance(to: moment, into: &anomalies)
      for index in signals.indices {
        let value = signals[index].next(second: second, interval: interval, random: &random)
        detection.observe(
          Sample(series: UInt32(index), time: wall, bits: value.bitPattern), at: moment,
          into: &anomalies)
      }
    }
    return anomalies
  }
}

/// One signal of such a plant.
struct FaultFreeSignal {
  enum Kind: CaseIterable {
    case gauss, slow, products, shifts, duty, wave, rounded, skewed, counts, ambient
  }

  private let kind: Kind
  private let base: Double
  private var level = 0.0
  private var drift = 0.0
  private var product = 0
  private var until = 0

  init(kind: Kind, random: inout RandomSource) {
    self.kind = kind
    base = 50 + 50 * random.share()
  }

  mutating func next(second: Int, interval: Int, random: inout RandomSource) -> Double {
    let hour = Double(second % 86_400) / 3_600
    let isWorking = (second / 86_400) % 7 < 5 && hour >= 6 && hour < 22
    let noise = random.noise()
    let step = Double(interval)
    switch kind {
    case .gauss: return base + noise
    case .slow:
      wander(step, over: 600, &random)
      return base + 3 * drift + 0.3 * noise
    case .products:
      if second >= until {
        product = Int(random.share() * 4)
        until = second + 7_200 + Int(random.share() * 21_600)
      }
      approach(base + 10 * Double(product), step, over: 300)
      return level + 0.5 * noise
    case .shifts:
      approach(isWorking ? base : 20, step, over: 1_800)
      return level + 0.5 * noise
    case .duty:
      if second >= until {
        product = 1 - product
        until = second + (product == 1 ? 600 : 120) + Int(random.share() * 900)
      }
      approach(isWorking && product == 1 ? base : 5, step, over: 20)
      return level + (isWorking ? 0.8 : 0.1) * noise
    case .wave:
      wander(step, over: 7_200, &random)
      return base + 5 * sin(hour * .pi / 12) + 2 * drift + 0.5 * noise
    case .rounded: return ((base + 0.3 * noise) * 10).rounded() / 10
    case .skewed: return exp(0.5 * noise) * (isWorking ? 2 : 1)
    case .counts:
      let mean: Double = isWorking ? 30 : 2
      return max(0, (mean + mean.squareRoot() * noise).rounded())
    case .ambient:
      wander(step, over: 86_400, &random)
      return 18 + 4 * sin(hour * .pi / 12) + 2.5 * drift + 0.1 * noise
    }
  }

  private mutating func wander(_ step: Double, over time: Double, _ random: inout RandomSource) {
    let kept = exp(-step / time)
    drift = kept * drift + (1 - kept * kept).squareRoot() * random.noise()
  }

  private mutating func approach(_ target: Double, _ step: Double, over time: Double) {
    level = level == 0 ? target : level + (target - level) * (1 - exp(-step / time))
  }
}
