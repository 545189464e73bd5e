import Gateway
import Telemetry

extension MetricsText {
  /// What has left the box because of derived events; a lane is `mqtt`, `email`, `log` or `webhook:<host>`.
  mutating func addEffects(_ effects: EffectFigures, now: Timestamp) {
    typealias Lane = EffectFigures.Lane
    let outcomes: [(String, KeyPath<Lane, UInt64>)] = [
      ("delivered", \.delivered), ("retried", \.retried), ("refused", \.refused),
      ("given_up", \.givenUp), ("expired", \.expired), ("superseded", \.superseded),
    ]
    counter(
      "millwright_effects", "Deliveries by lane and outcome; retried counts attempts.",
      effects.lanes.flatMap { name, lane in
        outcomes.map {
          ([("lane", name), ("outcome", $0.0)], Double(lane[keyPath: $0.1]))
        }
      })
    gauge(
      "millwright_effects_waiting", "Deliveries that are not done.",
      effects.lanes.map { ([("lane", $0.name)], Double($0.figures.waiting)) })
    gauge(
      "millwright_effects_oldest_waiting_seconds", "Age of the oldest delivery that is not done.",
      effects.lanes.map { name, lane in
        let age = lane.oldestWaiting.map { Double(now.microseconds(since: $0)) / 1e6 }
        return ([("lane", name)], max(0, age ?? 0))
      })
  }
}
