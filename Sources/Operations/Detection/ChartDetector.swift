import Statistics
import Telemetry

/// EWMA and CUSUM control charts over one series, against a baseline that is declared or learned.
///
/// EWMA: λ 0.2, limits at 3σ of the average. CUSUM: k = 0.5σ, h = 5σ, so a shift of one σ is noticed after
/// about ten values and noise alarms about every 465 (Montgomery, Statistical Quality Control, 9.1). For a
/// process that is meant to stay at its target; a signal with products, shifts or a daily wave belongs to the
/// novelty detector.
public struct ChartDetector: Sendable {
  public enum Baseline: Sendable, Equatable {
    /// Mean and standard deviation of the first so many values.
    case learned(points: Int)
    case declared(target: Double, sigma: Double)
  }

  /// Scores 0…1 with 0.5 at the limit; 0 while the baseline is learned.
  public struct Scores: Sendable, Equatable {
    public var ewma = 0.0
    public var cusum = 0.0
    public var target = 0.0
    public var sigma = 0.0
  }

  public static let version: UInt8 = 1

  private var wanted: UInt64 = 0
  private var learning = RunningMoments()
  private var charts: Charts?

  public init(baseline: Baseline) {
    switch baseline {
    case .learned(let points): wanted = UInt64(max(points, 2))
    case .declared(let target, let sigma): start(target: target, sigma: sigma)
    }
  }

  public var isLearning: Bool { charts == nil }

  /// Takes the next value; one that is not finite is ignored.
  public mutating func observe(_ value: Double) -> Scores {
    guard value.isFinite else { return Scores() }
    guard charts != nil else {
      learn(value)
      return Scores()
    }
    return charts?.observe(value) ?? Scores()
  }

  private mutating func learn(_ value: Double) {
    learning.observe(value)
    guard learning.count >= wanted else { return }
    start(target: learning.mean, sigma: learning.sampleVariance.squareRoot())
  }

  /// A series that never moved while it was learned gets a σ of a thousandth of its size.
  private mutating func start(target: Double, sigma: Double) {
    let sigma = sigma > 0 ? sigma : max(target.magnitude / 1_000, 1e-9)
    charts = Charts(
      ewma: EWMAChart(target: target, sigma: sigma, lambda: 0.2),
      cusum: CUSUMChart(target: target, allowance: 0.5 * sigma, decision: 5 * sigma))
  }

  private struct Charts: Sendable {
    var ewma: EWMAChart
    var cusum: CUSUMChart

    /// A sum that signalled starts anew: if the shift lasts it soon signals again, if not the chart is clear.
    mutating func observe(_ value: Double) -> Scores {
      ewma.observe(value)
      let isSignal = cusum.observe(value)
      let largest = max(cusum.upperSum, cusum.lowerSum)
      if isSignal { cusum.restart() }
      return Scores(
        ewma: DetectionScore.squashed((ewma.average - ewma.target).magnitude / ewma.halfWidth),
        cusum: DetectionScore.squashed(largest / cusum.decision), target: ewma.target,
        sigma: ewma.sigma)
    }
  }

  /// Learns a learned baseline again; a declared one only clears its charts.
  public mutating func reset() {
    if wanted > 0 {
      self = ChartDetector(baseline: .learned(points: Int(wanted)))
    } else if let charts {
      start(target: charts.ewma.target, sigma: charts.ewma.sigma)
    }
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.version)
    writer.varint(wanted)
    learning.encode(into: &writer)
    writer.byte(isLearning ? 0 : 1)
    charts?.ewma.encode(into: &writer)
    charts?.cusum.encode(into: &writer)
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.version else { throw ByteReader.Truncated() }
    wanted = try reader.varint()
    learning = try RunningMoments(from: &reader)
    guard try reader.byte() == 1 else { return }
    let ewma = try EWMAChart(from: &reader)
    charts = Charts(ewma: ewma, cusum: try CUSUMChart(from: &reader))
  }
}
