import Telemetry

/// ```yaml
/// temperature:
///   description: Oil temperature in the tank
///   unit: °C              # UCUM code or alias; numbers only
///   kind: gauge           # gauge | counter | state | event; default: gauge, or state for text and booleans
///   type: number          # number | boolean | text; default: number, or text where `values` are given or kind is state
///   range: [0, 120]       # engineering range in `unit`; ~ leaves a side open
///   deadband: 0.5         # in `unit`
///   interval: 10 s        # how often a sample is expected
///   values: {0: idle, 1: running}   # or [idle, running]; text only
///   rollover: 65536       # counters only: the value after which it starts again at 0, plus 1
///   labels: {side: left}
/// ```
extension MetricProfile {
  init(name: String, reading map: YAMLMap) {
    self.init(name: name)
    description = map.optional("description", .string) ?? ""
    unit = map.optional("unit", .unit)
    values = map.optional("values", .stateValues)
    let statedKind = map.optional("kind", .metricKind)
    let statedType = map.optional("type", .valueType)
    type = statedType ?? (values != nil || statedKind == .state ? .text : .number)
    kind = statedKind ?? (type == .number ? .gauge : .state)
    range = map.optional("range", .range)
    deadband = map.optional("deadband", .double)
    interval = map.optional("interval", .duration)
    rollover = map.optional("rollover", .double)
    labels = map.optional("labels", .labels) ?? []
    map.refuseUnknownKeys()
    check(map)
  }

  /// Keys that contradict each other.
  private func check(_ map: YAMLMap) {
    if type != .number {
      for key in ["unit", "range", "deadband"] where map.value(key)?.isNull == false {
        map.value(key)?.report("`\(key)` is for numbers, but `\(map.path)` is \(type.name)")
      }
    }
    if type != .text, values != nil {
      map.value("values")?.report("`values` is for text, but `\(map.path)` is \(type.name)")
    }
    if kind == .counter, type != .number {
      map.value("kind")?.report("a counter must have type number")
    }
    if rollover != nil, kind != .counter {
      map.value("rollover")?.report(
        "`rollover` is for counters, but `\(map.path)` is a \(kind.name)")
    }
    if let rollover, rollover <= 0 { map.value("rollover")?.report("`rollover` must be above 0") }
    if let deadband, deadband < 0 {
      map.value("deadband")?.report("`deadband` must not be negative")
    }
  }
}

extension YAMLType where Value == MetricKind {
  static var metricKind: YAMLType {
    choice(of: MetricKind.allCases.map(\.name)) { MetricKind(name: $0) }
  }
}

extension YAMLType where Value == ValueType {
  static var valueType: YAMLType {
    choice(of: ValueType.allCases.map(\.name)) { ValueType(name: $0) }
  }
}

extension YAMLType where Value == ClosedRange<Double> {
  /// `[low, high]`; `~` leaves a side open.
  static var range: YAMLType {
    YAMLType { value in
      let bound = YAMLType<Double?> { $0.isNull ? .some(nil) : $0.read(.double).map { .some($0) } }
      guard let bounds = value.read(.list(of: bound)) else { return nil }
      guard case .sequence(let nodes) = value.node, nodes.count == 2 else {
        value.report("`\(value.path)` must be two numbers: [low, high]")
        return nil
      }
      guard bounds.count == 2 else { return nil }
      let low = bounds[0] ?? -.infinity
      let high = bounds[1] ?? .infinity
      guard low < high else {
        value.report("`\(value.path)` has its low end \(low) not below its high end \(high)")
        return nil
      }
      return low...high
    }
  }
}

extension YAMLType where Value == StateValues {
  /// `[idle, running]`, or what the source sends for each word: `{0: idle, 1: running}`.
  static var stateValues: YAMLType {
    YAMLType { value in
      if case .sequence = value.node {
        guard let words = value.read(.list(of: .name(bytesMax: 256))) else { return nil }
        return checked(words.map { StateValues.Word(raw: $0, word: $0) }, at: value)
      }
      guard case .mapping = value.node, let map = value.read(.map) else {
        value.refuse(expected: "a list of words or a map from raw values to words")
        return nil
      }
      let words = map.entries.compactMap { entry in
        entry.value.read(.name(bytesMax: 256)).map { StateValues.Word(raw: entry.key, word: $0) }
      }
      return checked(words, at: value)
    }
  }

  private static func checked(_ words: [StateValues.Word], at value: YAMLValue) -> StateValues? {
    guard !words.isEmpty else {
      value.report("`\(value.path)` must not be empty")
      return nil
    }
    return StateValues(words)
  }
}

extension YAMLType where Value == [Label] {
  static var labels: YAMLType {
    YAMLType<[(key: String, value: String)]>.texts.map { texts, _ in
      texts.map { Label(name: $0.key, value: $0.value) }
    }
  }
}
