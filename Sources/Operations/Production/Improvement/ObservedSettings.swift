import Telemetry

/// How a stretch of production went under one value of a set-point: an order, an hour.
public struct SettingObservation: Hashable, Sendable {
  public var product: String
  public var setting: String
  public var value: Double
  /// What is to be large: good parts per hour, OEE, first-pass yield.
  public var outcome: Double

  public init(product: String, setting: String, value: Double, outcome: Double) {
    self.product = product
    self.setting = setting
    self.value = value
    self.outcome = outcome
  }
}

/// A set-point that may be suggested for: its declared range and how far values differ before they count as two.
public struct SettingDefinition: Hashable, Sendable {
  public var name: String
  /// Declared engineering range: nothing outside is ever suggested.
  public var range: ClosedRange<Double>
  /// Values nearer than this are one setting; above zero.
  public var step: Double
  /// What is set now.
  public var current: Double?

  public init(name: String, range: ClosedRange<Double>, step: Double, current: Double? = nil) {
    precondition(step > 0, "the step of a setting must be above zero")
    self.name = name
    self.range = range
    self.step = step
    self.current = current
  }
}

/// A mean with its 95 % interval (Student's t).
public struct ObservedMean: Hashable, Sendable {
  public var n: Int
  public var mean: Double
  /// Sample standard deviation; 0 for one observation.
  public var deviation: Double
  /// `nil` below two observations.
  public var interval: ClosedRange<Double>?

  /// Sums in the order given.
  public init(_ values: [Double]) {
    n = values.count
    let mean = values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    self.mean = mean
    guard values.count > 1 else {
      deviation = 0
      return
    }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    deviation = (squares / Double(n - 1)).squareRoot()
    let half =
      StudentQuantile.twoSided95(degrees: Double(n - 1)) * deviation / Double(n).squareRoot()
    interval = (mean - half)...(mean + half)
  }
}

/// The settings that went best so far, per product, with what speaks for them.
///
/// Values are grouped to multiples of the step. A suggestion is made only when a setting inside the declared range has
/// at least five observations, and the 95 % interval (Welch) of its advantage over what is set now lies above zero. It
/// is what was observed, not what was tried: whoever ran those orders may have differed in more than the setting.
public struct ObservedSettings: Hashable, Sendable {
  public static let observationsMin = 5

  public struct Group: Hashable, Sendable {
    public var value: Double
    public var outcome: ObservedMean
  }

  public struct Suggestion: Hashable, Sendable {
    public var value: Double
    /// Expected gain in the outcome over the current setting, with its 95 % interval.
    public var gain: Double
    public var gainInterval: ClosedRange<Double>
  }

  public var product: String
  public var setting: String
  public var range: ClosedRange<Double>
  /// Ascending by value; those inside the declared range.
  public var groups: [Group]
  /// The group with the highest mean among those with enough observations.
  public var best: Group?
  public var suggestion: Suggestion?
  /// Why nothing is suggested.
  public var noSuggestion: String?

  public init(_ observations: [SettingObservation], product: String, of setting: SettingDefinition)
  {
    self.product = product
    self.setting = setting.name
    range = setting.range
    var values: [(key: Double, outcomes: [Double])] = []
    for observation in observations
    where observation.product == product && observation.setting == setting.name
      && observation.outcome.isFinite && setting.range.contains(observation.value)
    {
      let key = (observation.value / setting.step).rounded()
      if let index = values.firstIndex(where: { $0.key == key }) {
        values[index].outcomes.append(observation.outcome)
      } else {
        values.append((key, [observation.outcome]))
      }
    }
    groups = values.sorted { $0.key < $1.key }.map {
      // The middle of a group may round to just outside the range.
      let value = $0.key * setting.step
      return Group(
        value: min(max(value, setting.range.lowerBound), setting.range.upperBound),
        outcome: ObservedMean($0.outcomes))
    }
    let proven = groups.filter { $0.outcome.n >= Self.observationsMin }
    best = proven.stablySorted { -$0.outcome.mean }.first
    suggest(setting)
  }

  private mutating func suggest(_ setting: SettingDefinition) {
    guard let best else {
      noSuggestion = "no setting was observed \(Self.observationsMin) times"
      return
    }
    let currentKey = setting.current.map { ($0 / setting.step).rounded() }
    guard let currentKey,
      let current = groups.first(where: { ($0.value / setting.step).rounded() == currentKey }),
      current.outcome.n >= Self.observationsMin
    else {
      noSuggestion = "what is set now was not observed \(Self.observationsMin) times"
      return
    }
    guard best.value != current.value else {
      noSuggestion = "what is set now is the best that was observed"
      return
    }
    let interval = Self.welch(best.outcome, current.outcome)
    guard interval.lowerBound > 0 else {
      noSuggestion = "the advantage over what is set now may be chance"
      return
    }
    suggestion = Suggestion(
      value: best.value, gain: best.outcome.mean - current.outcome.mean, gainInterval: interval)
  }

  /// 95 % interval of the difference of two means with unequal variances.
  static func welch(_ a: ObservedMean, _ b: ObservedMean) -> ClosedRange<Double> {
    let (va, vb) = (
      a.deviation * a.deviation / Double(a.n), b.deviation * b.deviation / Double(b.n)
    )
    let difference = a.mean - b.mean
    guard va + vb > 0 else { return difference...difference }
    let degrees = (va + vb) * (va + vb) / (va * va / Double(a.n - 1) + vb * vb / Double(b.n - 1))
    let half = StudentQuantile.twoSided95(degrees: degrees) * (va + vb).squareRoot()
    return (difference - half)...(difference + half)
  }

  public var json: JSONValue {
    func interval(_ range: ClosedRange<Double>?) -> JSONValue {
      range.map { .array([.double($0.lowerBound), .double($0.upperBound)]) } ?? .null
    }
    func group(_ group: Group) -> JSONValue {
      .object([
        ("value", .double(group.value)), ("n", .integer(group.outcome.n)),
        ("mean", .double(group.outcome.mean)), ("interval_95", interval(group.outcome.interval)),
      ])
    }
    return .object([
      ("product", .string(product)), ("setting", .string(setting)), ("range", interval(range)),
      ("observed", .array(groups.map(group))), ("best", best.map(group) ?? .null),
      (
        "suggestion",
        suggestion.map {
          .object([
            ("value", .double($0.value)), ("gain", .double($0.gain)),
            ("gain_interval_95", interval($0.gainInterval)),
          ])
        } ?? .null
      ), ("reason", .optional(noSuggestion)), ("basis", .string("observed_not_tried")),
    ])
  }
}

/// The 97.5 % quantile of Student's t.
enum StudentQuantile {
  /// Exact values to three digits for 1 to 30 degrees of freedom (any table of Student's t); above, the expansion of
  /// Cornish and Fisher, good to .001 there. Degrees between two whole numbers are rounded down: a wider interval.
  static func twoSided95(degrees: Double) -> Double {
    guard degrees >= 1 else { return table[0] }
    if degrees < 31 { return table[Int(degrees) - 1] }
    let z = 1.959963984540054
    let z3 = z * z * z
    return z + (z3 + z) / (4 * degrees) + (5 * z3 * z * z + 16 * z3 + 3 * z)
      / (96 * degrees * degrees)
  }

  private static let table = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
  ]
}
