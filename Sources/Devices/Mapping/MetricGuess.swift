import Telemetry

/// What a metric seems to be, from its name and what was seen of it.
public struct MetricGuess: Hashable, Sendable {
  public var metric: String
  public var type: ValueType
  public var kind: MetricKind
  /// UCUM code; empty: none or not known.
  public var unit: String
  /// Why, for the comment behind the line.
  public var reason: String
  /// Somebody should look at it: name and values leave more than one reading.
  public var isGuess: Bool
  /// Without a profile the series would get the same kind and unit.
  public var isAsStored = false

  /// - Parameter unit: as the source or an announcement says it; it is believed.
  public init(
    _ metric: String, _ seen: SeriesObservation, unit said: String = "",
    kind known: MetricKind? = nil
  ) {
    self.metric = metric
    (unit, reason, isGuess) = (said, "", false)
    (type, kind) = (.text, .state)
    var reasons = [seen.summary]
    if seen.booleans == seen.count, seen.count > 0 {
      (type, kind) = (.boolean, .state)
    } else if seen.numbers == seen.count, seen.count > 0 {
      type = .number
      let (kind, reason, isSure) = MetricGuess.numericKind(metric, seen, unit: said)
      self.kind = known ?? kind
      if known == nil, !reason.isEmpty { reasons.append(reason) }
      if known == nil, !isSure { isGuess = true }
      if said.isEmpty, self.kind != .state { guessUnit(seen, &reasons) }
    } else {
      (type, kind) = (.text, .state)
      if seen.texts < seen.count {
        isGuess = true
        reasons.append("numbers and words mixed")
      }
    }
    reason = reasons.joined(separator: "; ")
  }

  private mutating func guessUnit(_ seen: SeriesObservation, _ reasons: inout [String]) {
    if let hint = UnitHints.hint(for: metric, seen), Telemetry.Unit(hint.unit) != nil {
      unit = Telemetry.Unit(hint.unit)?.code ?? hint.unit
      reasons.append(hint.reason)
      if !hint.isSure { isGuess = true }
    } else if kind == .gauge, !["count", "number", "index"].contains(metric.lowercased()) {
      isGuess = true
      reasons.append("no unit in its name")
    }
  }

  private static let counterWords: Set<String> = [
    "total", "count", "counter", "cycles", "parts", "good", "scrap", "reject", "rejects", "energy",
    "consumption", "import", "export", "pulses", "yield", "runtime", "today", "volume", "starts",
  ]
  private static let stateWords: Set<String> = [
    "state", "status", "mode", "alarm", "error", "fault", "code", "phase", "step", "program",
    "tool",
    "recipe", "relay", "switch", "contact", "door", "running",
  ]
  /// These rise for long without counting anything.
  private static let gaugeWords: Set<String> = [
    "temperature", "temp", "pressure", "humidity", "level", "battery", "voltage", "current",
    "power",
    "frequency", "speed", "flow", "position", "rssi", "load",
  ]

  /// A total never falls but to begin anew; a state takes few whole numbers.
  private static func numericKind(
    _ metric: String, _ seen: SeriesObservation, unit: String
  ) -> (kind: MetricKind, reason: String, isSure: Bool) {
    let words = Set(UnitHints.nameWords(metric))
    let neverFell = seen.falls == 0 || (seen.falls == 1 && seen.rises > 8 && seen.low <= 1)
    if !words.isDisjoint(with: counterWords), seen.low >= 0, neverFell,
      words.isDisjoint(with: ["power", "temperature"])
    {
      return (.counter, seen.rises > 0 ? "never fell" : "by its name", true)
    }
    if seen.isIntegral, !words.isDisjoint(with: stateWords), !seen.hasMoreWords {
      return (.state, "\(seen.words.count) whole numbers", seen.count >= 10)
    }
    if seen.isIntegral, neverFell, seen.rises >= 10, words.isDisjoint(with: gaugeWords),
      unit.isEmpty
    {
      return (.counter, "rose \(seen.rises) times, never fell", false)
    }
    return (.gauge, "", true)
  }
}
