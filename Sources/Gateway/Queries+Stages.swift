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

extension Gateway {
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
