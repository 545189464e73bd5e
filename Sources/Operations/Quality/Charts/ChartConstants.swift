import Statistics

#if canImport(Glibc)
  import Glibc
#endif

/// Factors of control charts for subgroups of n values from a normal distribution.
///
/// d2 and d3 are the mean and the standard deviation of the range in σ, by numerical integration of its
/// distribution (the table printed in ASTM E2587 and Montgomery, appendix VI, has the same digits). c4 is the
/// mean of the sample standard deviation, √(2/(n−1))·Γ(n/2)/Γ((n−1)/2). The rest follows from these:
/// n 5 → A2 0.577, D3 0, D4 2.114, A3 1.427, B3 0, B4 2.089, E2 1.290, c4 0.9400.
public struct ChartConstants: Sendable, Hashable {
  /// Subgroup sizes the table has.
  public static let sizes = 2...25

  public let size: Int
  public let d2: Double
  public let d3: Double
  public let c4: Double

  /// - Returns: `nil` for sizes outside 2…25.
  public init?(size: Int) {
    guard Self.sizes.contains(size) else { return nil }
    self.size = size
    (d2, d3) = Self.rangeMoments[size - 2]
    c4 = Self.c4(size)
  }

  /// X̄ limits from R̄: x̿ ± A2·R̄.
  public var a2: Double { 3 / (d2 * Double(size).squareRoot()) }
  /// X̄ limits from s̄: x̿ ± A3·s̄.
  public var a3: Double { 3 / (c4 * Double(size).squareRoot()) }
  /// Lower limit of s: B3·s̄.
  public var b3: Double { max(0, 1 - 3 * deviationShare) }
  /// Upper limit of s: B4·s̄.
  public var b4: Double { 1 + 3 * deviationShare }
  /// Lower limit of R: D3·R̄.
  public var lowerRange: Double { max(0, 1 - 3 * d3 / d2) }
  /// Upper limit of R: D4·R̄.
  public var upperRange: Double { 1 + 3 * d3 / d2 }
  /// Limits of individuals from the mean moving range of n: x̄ ± E2·MR̄.
  public var e2: Double { 3 / d2 }

  private var deviationShare: Double { (1 - c4 * c4).squareRoot() / c4 }

  /// For any n ≥ 2.
  static func c4(_ size: Int) -> Double {
    let n = Double(size)
    return (2 / (n - 1)).squareRoot() * exp(Gamma.logarithm(n / 2) - Gamma.logarithm((n - 1) / 2))
  }

  private static let rangeMoments: [(Double, Double)] = [
    (1.128379, 0.852502), (1.692569, 0.888368), (2.058751, 0.879808), (2.325929, 0.864082),
    (2.534413, 0.848040), (2.704357, 0.833205), (2.847201, 0.819831), (2.970026, 0.807834),
    (3.077505, 0.797051), (3.172873, 0.787315), (3.258455, 0.778478), (3.335980, 0.770416),
    (3.406763, 0.763023), (3.471827, 0.756211), (3.531983, 0.749908), (3.587884, 0.744052),
    (3.640064, 0.738591), (3.688963, 0.733481), (3.734950, 0.728686), (3.778336, 0.724173),
    (3.819385, 0.719915), (3.858323, 0.715887), (3.895348, 0.712068), (3.930629, 0.708441),
  ]
}
