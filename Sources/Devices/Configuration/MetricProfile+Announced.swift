import Payloads
import Telemetry

extension MetricProfile {
  /// What an announcement says of a metric; `nil` when it leaves the type open.
  init?(_ announced: AnnouncedMetric) {
    guard let type = announced.type else { return nil }
    let words = announced.words.map { StateValues.Word(raw: $0.raw, word: $0.word) }
    self.init(
      name: announced.name, type: type,
      kind: announced.kind ?? guessedKind(announced.name, type),
      unit: type == .number ? Telemetry.Unit(announced.unit) : nil,
      range: type == .number ? announced.range : nil,
      values: type == .text && !words.isEmpty ? StateValues(words) : nil)
  }

  /// With unit, range and words of an announcement where this one has none.
  func completed(by announced: MetricProfile?) -> MetricProfile {
    guard let announced, announced.type == type else { return self }
    var metric = self
    metric.unit = unit ?? announced.unit
    metric.values = values ?? announced.values
    if range == nil, let said = announced.range {
      guard let source = announced.unit, let own = metric.unit else {
        // Without units on both sides the numbers mean the same only where neither has one.
        metric.range = announced.unit == metric.unit ? said : nil
        return metric
      }
      metric.range = Telemetry.Unit.conversion(from: source, to: own).map {
        $0.apply(said.lowerBound)...$0.apply(said.upperBound)
      }
    }
    return metric
  }
}
