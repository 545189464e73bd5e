import Telemetry

/// A field of a request that cannot be, in a sentence: what a 422 answers with.
public struct FieldRefusal: Error, Hashable, Sendable {
  /// The members of the request that it is about.
  public var fields: [String]
  public var message: String

  public init(fields: [String], message: String) {
    self.fields = fields
    self.message = message
  }

  public var json: JSONValue {
    .object([
      ("fields", .array(fields.map(JSONValue.string))), ("message", .string(message)),
    ])
  }
}

/// An OEE from numbers somebody has, computed by the same code as that of a machine.
///
/// ```json
/// {"planned_production_time": "420 min", "downtime": "47 min", "ideal_cycle_time": "1.0 s",
///  "total_count": 19271, "good_count": 18848}
/// ```
/// | member | meaning |
/// |---|---|
/// | `planned_production_time` | required; without breaks and planned stops |
/// | `downtime` or `run_time` | one of them; stops of the machine, or the time it ran |
/// | `setup_time` | of the downtime: setup; default 0 |
/// | `small_stop_time` | of the run time: small stops; default 0 |
/// | `calendar_time` | all time, for TEEP; default the planned time |
/// | `ideal_cycle_time` | required; a time per part, or a rate as text: `3000 parts/h` |
/// | `total_count` | required |
/// | `good_count` or `reject_count` | one of them |
/// | `start_up_reject_count`, `rework_count` | optional |
/// | `unit` | of durations given as numbers: `ms`, `s` (default), `min`, `h` |
public enum GivenNumbers {
  /// Members that are read; anything else draws a warning.
  public static let members = [
    "planned_production_time", "downtime", "run_time", "setup_time", "small_stop_time",
    "calendar_time", "ideal_cycle_time", "total_count", "good_count", "reject_count",
    "start_up_reject_count", "rework_count", "unit",
  ]

  /// - Returns: the result, or every reason why the numbers cannot be.
  public static func result(of request: JSONValue) -> Result<OEEResult, FieldRefusals> {
    var reading = Reading(request)
    let figures = reading.figures()
    guard let figures, reading.refusals.isEmpty else {
      return .failure(FieldRefusals(list: reading.refusals))
    }
    return .success(OEEResult(figures, factors: StateFactors()))
  }
}

/// All that is wrong with a request.
public struct FieldRefusals: Error, Hashable, Sendable {
  public var list: [FieldRefusal]

  public init(list: [FieldRefusal]) { self.list = list }

  public var json: JSONValue { .array(list.map(\.json)) }
}

private struct Reading {
  let request: JSONValue
  var scale = 1_000_000
  var unit = "s"
  var refusals: [FieldRefusal] = []

  init(_ request: JSONValue) {
    self.request = request
    guard request.members != nil else {
      refuse([], "the request must be an object")
      return
    }
    let scales = ["ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000]
    switch request["unit"] {
    case nil, .null: break
    case .string(let text):
      if let known = scales[text] {
        (scale, unit) = (known, text)
      } else {
        refuse(["unit"], "`unit` must be ms, s, min or h, found `\(text)`")
      }
    default: refuse(["unit"], "`unit` must be ms, s, min or h")
    }
  }

  mutating func refuse(_ fields: [String], _ message: String) {
    refusals.append(FieldRefusal(fields: fields, message: message))
  }

  mutating func figures() -> ProductionFigures? {
    let planned = duration("planned_production_time", isRequired: true)
    let down = oneOf("downtime", "run_time") { $0.duration($1, isRequired: false) }
    let setup = duration("setup_time", isRequired: false) ?? 0
    let small = duration("small_stop_time", isRequired: false) ?? 0
    let calendar = duration("calendar_time", isRequired: false)
    let cycle = idealCycle()
    let total = count("total_count", isRequired: true)
    let good = oneOf("good_count", "reject_count") { $0.count($1, isRequired: false) }
    let startUp = count("start_up_reject_count", isRequired: false) ?? .zero
    let rework = count("rework_count", isRequired: false)
    guard let planned, let down, let cycle, let total, let good else { return nil }
    let stopped = down.name == "downtime" ? down.value : planned - down.value
    if down.value > planned {
      refuse(
        [down.name, "planned_production_time"],
        "`\(down.name)` is longer than `planned_production_time`")
    }
    if good.value > total {
      refuse([good.name, "total_count"], "`\(good.name)` is above `total_count`")
    }
    let goodParts = good.name == "good_count" ? good.value : total - good.value
    if startUp > .zero, goodParts <= total, startUp > total - goodParts {
      refuse(
        ["start_up_reject_count", good.name],
        "`start_up_reject_count` is above the number of rejects")
    }
    if let rework, rework > total {
      refuse(["rework_count", "total_count"], "`rework_count` is above `total_count`")
    }
    if down.value <= planned, setup > stopped {
      refuse(["setup_time", down.name], "`setup_time` is part of the downtime, but longer than it")
    }
    if down.value <= planned, small > planned - stopped {
      refuse(
        ["small_stop_time", down.name],
        "`small_stop_time` is part of the run time, but longer than it")
    }
    if let calendar, calendar < planned {
      refuse(
        ["calendar_time", "planned_production_time"],
        "`calendar_time` is shorter than `planned_production_time`")
    }
    guard refusals.isEmpty else { return nil }
    var figures = ProductionFigures()
    let factors = StateFactors()
    figures.time.add(planned - stopped - small, in: .running, isSmallStop: false, factors)
    figures.time.add(small, in: .idle, isSmallStop: true, factors)
    figures.time.add(setup, in: .setup, isSmallStop: false, factors)
    figures.time.add(stopped - setup, in: .unplannedStop, isSmallStop: false, factors)
    figures.time.add(
      (calendar ?? planned) - planned, in: .notScheduled, isSmallStop: false, factors)
    figures.add(
      ProductFigures(
        idealCycle: cycle, total: total, good: goodParts, rework: rework, startUpRejects: startUp))
    for member in request.members ?? [] where !GivenNumbers.members.contains(member.0) {
      let nearest = nearestName(to: member.0, among: GivenNumbers.members)
      figures.warn(
        "unknown_field",
        "`\(member.0)` is not used" + (nearest.map { ", did you mean `\($0)`?" } ?? ""))
    }
    return figures
  }

  private func given(_ name: String) -> JSONValue? {
    request[name].flatMap { $0.isNull ? nil : $0 }
  }

  private mutating func oneOf<Value>(
    _ a: String, _ b: String, _ read: (inout Reading, String) -> Value?
  ) -> (name: String, value: Value)? {
    switch (given(a) != nil, given(b) != nil) {
    case (true, true):
      refuse([a, b], "`\(a)` and `\(b)` say the same: give one of them")
      return nil
    case (false, false):
      refuse([a, b], "`\(a)` or `\(b)` is missing")
      return nil
    case (let isFirst, _):
      let name = isFirst ? a : b
      return read(&self, name).map { (name, $0) }
    }
  }

  private mutating func missing(_ name: String, _ isRequired: Bool) {
    if isRequired { refuse([name], "`\(name)` is missing") }
  }

  /// In µs, rounded to the µs.
  private mutating func duration(_ name: String, isRequired: Bool) -> Int64? {
    guard let value = given(name) else {
      missing(name, isRequired)
      return nil
    }
    guard let microseconds = microseconds(value) else {
      refuse(
        [name],
        "`\(name)` must be a number of \(unit) or text with a unit such as \"420 min\", found"
          + " \(value.encoded.prefix(40))")
      return nil
    }
    guard !microseconds.isNegative else {
      refuse([name], "`\(name)` must not be negative")
      return nil
    }
    guard microseconds < Fraction(Int64(1) << 53) else {
      refuse([name], "`\(name)` is longer than 285 years")
      return nil
    }
    return microseconds.rounded
  }

  private func microseconds(_ value: JSONValue) -> Fraction? {
    switch value {
    case .number(let digits): Self.number(digits).map { $0 * Fraction(scale) }
    case .string(let text):
      DecimalText.split(text).flatMap { number, unit in
        DecimalText.microsecondScales[unit].map { number * Fraction($0) }
      }
    default: nil
    }
  }

  private mutating func idealCycle() -> IdealCycle? {
    guard let value = given("ideal_cycle_time") else {
      missing("ideal_cycle_time", true)
      return nil
    }
    let cycle: IdealCycle? =
      if let text = value.text { IdealCycle(text) } else {
        microseconds(value).flatMap { IdealCycle(microseconds: $0) }
      }
    if cycle == nil {
      refuse(
        ["ideal_cycle_time"],
        "`ideal_cycle_time` must be above zero: a number of \(unit), or text such as \"1.0 s\" or"
          + " \"3000 parts/h\", found \(value.encoded.prefix(40))")
    }
    return cycle
  }

  private mutating func count(_ name: String, isRequired: Bool) -> Parts? {
    guard let value = given(name) else {
      missing(name, isRequired)
      return nil
    }
    guard case .number(let digits) = value, let number = Double(digits), let parts = Parts(number)
    else {
      refuse([name], "`\(name)` must be a number of parts, found \(value.encoded.prefix(40))")
      return nil
    }
    guard parts >= .zero else {
      refuse([name], "`\(name)` must not be negative")
      return nil
    }
    return parts
  }

  /// Decimal digits exactly; anything longer or with an exponent to the nearest millionth.
  private static func number(_ digits: String) -> Fraction? {
    DecimalText.fraction(digits) ?? Double(digits).flatMap { Parts($0)?.fraction }
  }
}
