import Scoring
import Statistics
import Telemetry

/// Models of lives by age, and by age with features: Weibull and discrete-time hazard.
public enum LifetimeTraining {
  /// Fits a Weibull to lives, censored ones included; basis `model`.
  /// - Throws: `TrainingError` below five failures: a declared prior or zones serve there.
  public static func weibull(
    _ lives: [Life], unit: String, reference: ModelReference
  ) throws(TrainingError) -> ScoringModel {
    let failures = lives.count { $0.isFailure }
    guard failures >= FailureForecast.failuresMin else {
      throw .rows(
        "\(failures) labelled failures; a Weibull is fitted from \(FailureForecast.failuresMin) on")
    }
    do {
      return ScoringModel(
        reference: reference, features: [Feature("age", unit: unit)],
        kind: .weibull(try Weibull.fit(lives)),
        output: .probability(horizon: nil, calibration: .identity))
    } catch { throw .rows(error.description) }
  }

  /// Fits a discrete-time hazard to person-period rows.
  /// - Parameters:
  ///   - period: length of a period in the usage unit.
  ///   - ageFeature: which feature is the age, if one is.
  ///   - penalty: ridge penalty on the standardised weights, above 0.
  public static func hazard(
    _ periods: PersonPeriods, features: [Feature], period: Double, ageFeature: Int?,
    penalty: Double = 1, reference: ModelReference
  ) throws(TrainingError) -> ScoringModel {
    let failures = periods.labels.count { $0 }
    guard failures >= FailureForecast.failuresMin else {
      throw .rows(
        "\(failures) labelled failures; a hazard is fitted from \(FailureForecast.failuresMin) on")
    }
    do {
      let logit = try LogisticRegression.fit(
        rows: periods.rows, labels: periods.labels, penalty: penalty)
      return ScoringModel(
        reference: reference, features: features,
        kind: .hazard(HazardModel(logit: logit, period: period, ageFeature: ageFeature)),
        output: .probability(horizon: nil, calibration: .identity))
    } catch { throw .rows(error.description) }
  }
}
