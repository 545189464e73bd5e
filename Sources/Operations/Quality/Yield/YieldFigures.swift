#if canImport(Glibc)
  import Glibc
#endif

/// What one step of a process made right the first time.
public struct ProcessStep: Sendable, Hashable {
  public var name: String
  /// Units that entered.
  public var units: Int
  /// Units that left without scrap or rework.
  public var firstPass: Int

  /// - Returns: `nil` for negative numbers and for more good units than entered.
  public init?(name: String, units: Int, firstPass: Int) {
    guard units >= 0, firstPass >= 0, firstPass <= units else { return nil }
    self.name = name
    self.units = units
    self.firstPass = firstPass
  }

  /// First-pass yield; `nil` when nothing entered.
  public var yield: Double? { units > 0 ? Double(firstPass) / Double(units) : nil }
}

/// Yield of steps in a row, and defects per million opportunities.
public enum YieldFigures {
  /// Rolled throughput yield: the product of the steps' yields, the chance to pass all without rework.
  ///
  /// 0.95 · 0.9 · 0.98 = 0.8379. `nil` when there is no step, or one that nothing entered.
  public static func rolledThroughput(_ steps: [ProcessStep]) -> Double? {
    guard !steps.isEmpty else { return nil }
    var product = 1.0
    for step in steps {
      guard let yield = step.yield else { return nil }
      product *= yield
    }
    return product
  }

  /// Defects per million opportunities: 150 defects in 1,000 units with 5 chances each are 30,000.
  ///
  /// - Returns: `nil` without units or opportunities, and for negative numbers.
  public static func dpmo(defects: Int, units: Int, opportunitiesPerUnit: Int) -> Double? {
    guard defects >= 0, units > 0, opportunitiesPerUnit > 0 else { return nil }
    return Double(defects) * 1e6 / (Double(units) * Double(opportunitiesPerUnit))
  }

  /// Share of units without a defect that defects per unit lead to when defects fall at random: e^−DPU.
  public static func throughputYield(defectsPerUnit: Double) -> Double { exp(-defectsPerUnit) }
}
