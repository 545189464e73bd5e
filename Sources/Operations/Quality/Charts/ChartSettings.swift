import Telemetry

/// How one characteristic is charted.
public struct ChartSettings: Sendable, Hashable {
  public enum Baseline: Sendable, Hashable {
    /// Centre and σ are known beforehand.
    case declared(ChartParameters)
    /// Estimated from the first subgroups; see `ChartBaseline`.
    case first(Int)
  }

  public static let baselineSizes = 2...500

  public var type: ChartType
  public var rules: RunRules
  public var baseline: Baseline
  /// Aim of ewma and cusum charts; `nil`: the centre of the baseline.
  public var target: Double?
  /// λ of an ewma chart: 0 < λ ≤ 1.
  public var lambda = 0.3
  /// Limits of an ewma chart in σ of the average.
  public var width = 3.0
  /// k of a cusum chart in σ of a subgroup mean: half of the shift to be noticed.
  public var allowance = 0.5
  /// h of a cusum chart in σ of a subgroup mean.
  public var decision = 5.0

  public init(_ type: ChartType, rules: RunRules = .nelson, baseline: Baseline = .first(25)) {
    self.type = type
    self.rules = rules
    self.baseline = baseline
  }

  func encode(into writer: inout ByteWriter) {
    writer.text(type.rawValue)
    writer.fixed(rules.rawValue)
    switch baseline {
    case .declared(let parameters):
      writer.byte(0)
      writer.double(parameters.center)
      writer.double(parameters.sigma)
    case .first(let count):
      writer.byte(1)
      writer.varint(UInt64(count))
    }
    writer.byte(target == nil ? 0 : 1)
    for number in [target ?? 0, lambda, width, allowance, decision] { writer.double(number) }
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard let type = ChartType(rawValue: try reader.text()) else { throw ByteReader.Truncated() }
    self.type = type
    rules = RunRules(rawValue: try reader.fixed(UInt16.self))
    if try reader.byte() == 0 {
      let center = try reader.double()
      baseline = .declared(ChartParameters(center: center, sigma: try reader.double()))
    } else {
      let count = Int(truncatingIfNeeded: try reader.varint())
      guard Self.baselineSizes.contains(count) else { throw ByteReader.Truncated() }
      baseline = .first(count)
    }
    let hasTarget = try reader.byte() != 0
    let aim = try reader.double()
    target = hasTarget ? aim : nil
    lambda = try reader.double()
    width = try reader.double()
    allowance = try reader.double()
    decision = try reader.double()
    guard lambda > 0, lambda <= 1 else { throw ByteReader.Truncated() }
  }
}
