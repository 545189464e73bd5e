import Telemetry

/// Something about a part that is inspected: a measured quantity, or whether and how it is defective.
public struct Characteristic: Sendable, Hashable {
  /// Where its values come from.
  public enum Source: Sendable, Hashable {
    /// Every sample of a metric is a measurement.
    case metric(String)
    /// Events called `InspectionResult` that name it.
    case events
  }

  public static let standardPriority = "medium"
  public static let priorities = ["critical", "high", "medium", "low", "journal"]

  public var id: String
  public var description: String
  /// The device that makes or measures it; `nil` where a profile is named.
  public var device: String?
  /// All devices of this profile, each with a chart of its own.
  public var profile: String?
  public var source: Source
  /// Unit of values and limits; `nil` for attributes and pure numbers.
  public var unit: Unit?
  public var limits: SpecificationLimits
  public var chart: ChartSettings
  public var subgrouping: Subgrouping
  public var sampling: SamplingSettings?
  /// Ways in which one unit can be defective; for DPMO.
  public var opportunitiesPerUnit: Int
  /// Priority of the alarm while its chart is out of control: `critical`, `high`, `medium`, `low` or `journal`;
  /// `nil`: none.
  public var alarmPriority: String?

  public init(
    id: String, description: String = "", device: String? = nil, profile: String? = nil,
    source: Source = .events, unit: Unit? = nil,
    limits: SpecificationLimits = SpecificationLimits.none, chart: ChartSettings,
    subgrouping: Subgrouping, sampling: SamplingSettings? = nil, opportunitiesPerUnit: Int = 1,
    alarmPriority: String? = Characteristic.standardPriority
  ) {
    self.id = id
    self.description = description
    self.device = device
    self.profile = profile
    self.source = source
    self.unit = unit
    self.limits = limits
    self.chart = chart
    self.subgrouping = subgrouping
    self.sampling = sampling
    self.opportunitiesPerUnit = opportunitiesPerUnit
    self.alarmPriority = alarmPriority
  }
}

extension SpecificationLimits {
  /// Open on both sides.
  public static let none = SpecificationLimits(open: ())

  private init(open: Void) {
    lower = nil
    upper = nil
    target = nil
  }
}

/// Acceptance sampling of lots: by the table, or by plans of one's own.
public struct SamplingSettings: Sendable, Hashable {
  /// Percent nonconforming; `nil` where plans are declared.
  public var aql: Double?
  public var normal: SamplingPlan?
  public var tightened: SamplingPlan?
  public var reduced: SamplingPlan?

  public init(
    aql: Double? = nil, normal: SamplingPlan? = nil, tightened: SamplingPlan? = nil,
    reduced: SamplingPlan? = nil
  ) {
    self.aql = aql
    self.normal = normal
    self.tightened = tightened
    self.reduced = reduced
  }

  /// The plan for a lot of this size; a declared one goes before the table, and where none is declared for tightened
  /// or reduced inspection the one of normal inspection stays.
  /// - Returns: `nil` when the table does not hold it.
  public func plan(lot: Int, severity: InspectionSeverity) -> SamplingPlan? {
    if let normal {
      switch severity {
      case .normal: return normal
      case .tightened: return tightened ?? normal
      case .reduced: return reduced ?? normal
      }
    }
    if severity == .reduced, let reduced { return reduced }
    guard let aql, let letter = SamplingTable.codeLetter(lot: lot) else { return nil }
    return SamplingTable.plan(letter: letter, aql: aql, severity: severity)
  }

  /// The acceptance number with the AQL one step tighter, for the switching score.
  public func tighterAcceptance(lot: Int) -> Int? {
    guard let aql, let letter = SamplingTable.codeLetter(lot: lot),
      let index = SamplingTable.acceptableQualityLevels.firstIndex(of: aql), index > 0
    else { return nil }
    return SamplingTable.plan(
      letter: letter, aql: SamplingTable.acceptableQualityLevels[index - 1])?.acceptance
  }
}
