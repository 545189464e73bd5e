import Operations
import Rules
import Telemetry

/// How well the alarms serve those who watch them (ISA-18.2 clause 16).
public struct AlarmFigures: Sendable {
  public var consoles: [ConsoleReport] = []
  /// Active for more than a day, the longest first.
  public var standing: [AlarmView] = []
  /// Those with the most activations.
  public var badActors: [AlarmView] = []
}

/// A control chart as the stages hold it.
public struct LiveChart: Sendable {
  public var characteristic: String
  /// Empty: results named no device.
  public var device: String
  /// Subgroups since it began.
  public var points: Int
  public var isOutOfControl: Bool
  /// `nil` while the baseline is gathered.
  public var limits: ChartParameters?
  /// Of the next lot; `nil` without a sampling plan.
  public var severity: InspectionSeverity?
  /// No lot is accepted until it is resumed.
  public var isDiscontinued: Bool
}

extension Gateway {
  /// All control charts, in the order in which they came to be.
  public func fetchCharts() async -> [LiveChart] {
    await inspect(otherwise: []) { $0.quality.liveCharts }
  }

  /// Asks the stages; the figures are those of the last record.
  public func fetchAlarmFigures() async -> AlarmFigures {
    await inspect(otherwise: AlarmFigures()) { stages in
      AlarmFigures(
        consoles: stages.rules.consoleReports(at: stages.moment),
        standing: stages.rules.standingAlarms(at: stages.moment),
        badActors: stages.rules.badActors())
    }
  }

  /// Signals that rules cannot use where they apply.
  public func fetchRuleProblems() async -> [RuleProblem] {
    await inspect(otherwise: []) { $0.rules.problems }
  }
}
