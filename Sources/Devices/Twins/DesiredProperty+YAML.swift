import Telemetry

/// ```yaml
/// profiles:
///   - id: conveyor
///     metrics: {speed: {unit: m/s}, state: {values: [running, idle, fault]}}
///     desired:                            # left out: nothing of the device can be set
///       speed:
///         description: Belt speed
///         metric: speed                   # whose reported value is to get there; default: the name
///         unit: m/s                       # default: the metric's
///         range: [0.2, 2]                 # default: the metric's; numbers need a range or values
///         values: [0.5, 1, 1.5]           # allowed values; default for text: the metric's words
///         tolerance: 0.02                 # in unit; default: the metric's deadband, or 0
///         permitted_when: {state: [running, idle]}   # required; `always` where no state forbids it
///         topic: command/{device}/{property}         # under our root; with a leading `/` as it stands
///         payload: {value: "{value}", unit: "{unit}", id: "{id}", expires: "{expires}"}
///         expires: 30 s                   # the command is not sent later
///         timeout: 2 min                  # to get there
///         rate_limit: 5 s                 # least time between two commands
/// ```
extension DesiredProperty {
  /// - Returns: `nil` after reporting when what it converges with cannot be told.
  init?(name: String, reading map: YAMLMap, metrics: [MetricProfile]) {
    let metricName = map.optional("metric", .name(bytesMax: 256)) ?? name
    let metric = metrics.first { $0.name == metricName }
    self.init(
      name: name, metric: metricName, type: metric?.type ?? .number, unit: metric?.unit,
      range: metric?.range, tolerance: metric?.deadband ?? 0)
    words = metric?.values
    description = map.optional("description", .string) ?? ""
    readValues(map, metric: metric)
    readPermission(map, metrics: metrics)
    topic = map.optional("topic", .commandTopic) ?? topic
    payload = map.optional("payload", .commandPayload) ?? payload
    expires = map.optional("expires", .duration) ?? expires
    timeout = map.optional("timeout", .duration) ?? timeout
    rateLimit = map.optional("rate_limit", .duration) ?? rateLimit
    map.refuseUnknownKeys()
    if expires == .zero { map.value("expires")?.report("`expires` must be above 0") }
    if timeout < expires {
      (map.value("timeout") ?? map.value("expires"))?.report(
        "`timeout` must not be shorter than `expires`: the command could still be on its way")
    }
    guard let metric else {
      let hint = nearestName(to: metricName, among: metrics.map(\.name))
        .map { ", did you mean `\($0)`?" }
      let message = "the profile has no metric `\(metricName)`" + (hint ?? "")
      if let value = map.value("metric") { value.report(message) } else { map.report(message) }
      return nil
    }
    if metric.kind == .counter || metric.kind == .event {
      map.report("`\(metricName)` is of kind \(metric.kind.name) and cannot be set")
    }
  }

  private mutating func readValues(_ map: YAMLMap, metric: MetricProfile?) {
    if type != .number {
      for key in ["unit", "range", "tolerance"] where map.value(key)?.isNull == false {
        map.value(key)?.report("`\(key)` is for numbers, but `\(self.metric)` is \(type.name)")
      }
    }
    switch type {
    case .number: readNumbers(map, metric: metric)
    case .boolean: allowed = (map.optional("values", .list(of: .bool)) ?? []).map(Value.boolean)
    case .text:
      let known = metric?.values?.words.map(\.word) ?? []
      let listed = map.optional("values", .list(of: .word(of: known))) ?? known
      allowed = unique(listed).map(Value.text)
      if allowed.isEmpty, metric != nil {
        map.report("`values` is missing in `\(map.path)`: say which words may be set")
      }
    }
  }

  private mutating func readNumbers(_ map: YAMLMap, metric: MetricProfile?) {
    if let stated = map.optional("unit", .unit) {
      let conversion = unit.flatMap { Telemetry.Unit.conversion(from: $0, to: stated) }
      if let metric, conversion == nil {
        map.value("unit")?.report(
          "`\(stated.symbol)` does not measure what `\(metric.name)` in "
            + "`\(metric.unit?.symbol ?? "no unit")` does")
      }
      if let conversion {
        range = range.map { conversion.apply($0.lowerBound)...conversion.apply($0.upperBound) }
        tolerance *= conversion.scale.magnitude
      }
      unit = stated
    }
    range = map.optional("range", .range) ?? range
    allowed = (map.optional("values", .list(of: .double)) ?? []).map(Value.number)
    tolerance = map.optional("tolerance", .double) ?? tolerance
    if tolerance < 0 { map.value("tolerance")?.report("`tolerance` must not be negative") }
    if let range, !range.lowerBound.isFinite || !range.upperBound.isFinite {
      let message = "the range of a property that can be set has two ends"
      if let value = map.value("range") { value.report(message) } else { map.report(message) }
    }
    if range == nil, allowed.isEmpty, metric != nil {
      map.report("`range` is missing in `\(map.path)`: say between which values it may be set")
    }
  }

  private mutating func readPermission(_ map: YAMLMap, metrics: [MetricProfile]) {
    guard let value = map.value("permitted_when"), !value.isNull else {
      map.report(
        "`permitted_when` is missing in `\(map.path)`: name the states in which it may be set, "
          + "or write `always`")
      return
    }
    if value.scalarText == "always" { return }
    guard let states = value.isMap ? value.read(.map) : nil else {
      value.refuse(expected: "`always` or a map such as {state: [running, idle]}")
      return
    }
    if states.entries.isEmpty { value.report("`permitted_when` must not be empty") }
    for entry in states.entries {
      guard let metric = metrics.first(where: { $0.name == entry.key }) else {
        let hint = nearestName(to: entry.key, among: metrics.map(\.name))
        entry.name.report(
          "the profile has no metric `\(entry.key)`"
            + (hint.map { ", did you mean `\($0)`?" } ?? ""))
        continue
      }
      guard metric.type != .number else {
        entry.name.report("a permitting state is text or boolean, but `\(entry.key)` is a number")
        continue
      }
      let known =
        metric.type == .boolean ? ["true", "false"] : metric.values?.words.map(\.word) ?? []
      guard let words = entry.value.read(.list(of: .word(of: known))) else { continue }
      if case .sequence(let nodes) = entry.value.node, nodes.isEmpty {
        entry.value.report("`\(entry.value.path)` must not be empty")
      }
      permittedWhen.append(PermittingState(metric: entry.key, words: unique(words)))
    }
  }

  private func unique(_ words: [String]) -> [String] {
    var result: [String] = []
    for word in words where !result.contains(word) { result.append(word) }
    return result
  }
}

extension YAMLType where Value == String {
  /// One of the words of a metric; where none are declared, any.
  fileprivate static func word(of known: [String]) -> YAMLType {
    var names: [String] = []
    for word in known where !names.contains(word) { names.append(word) }
    return names.isEmpty ? .name(bytesMax: 256) : choice(of: names) { $0 }
  }
}

extension YAMLType where Value == CommandTemplate {
  fileprivate static var commandTopic: YAMLType {
    YAMLType<String>.name(bytesMax: 1_024).map { text, value in
      guard !text.contains(where: { "+#".contains($0) }), text != "/" else {
        value.report("`\(text)` is no topic to publish on: wildcards are for subscribers")
        return nil
      }
      return template(text, places: [.device, .property], at: value)
    }
  }

  fileprivate static func template(
    _ text: String, places: [CommandTemplate.Place], at value: YAMLValue
  ) -> CommandTemplate? {
    do throws(CommandTemplate.SyntaxError) {
      return try CommandTemplate(text, places: places)
    } catch {
      value.report(error.message)
      return nil
    }
  }
}

extension YAMLType where Value == CommandPayload {
  /// A text, or a map that is sent as JSON; in it only what is not quoted is a number or a boolean.
  fileprivate static var commandPayload: YAMLType { YAMLType { payload($0) } }

  private static func payload(_ value: YAMLValue) -> CommandPayload? {
    if value.isNull { return .null }
    if value.isMap {
      return value.read(.map).map { map in
        .object(
          map.entries.compactMap { entry in
            payload(entry.value).map { CommandPayload.Member(name: entry.key, value: $0) }
          })
      }
    }
    if value.isList { return value.read(.list(of: YAMLType { payload($0) })).map { .array($0) } }
    if let plain = value.plainText {
      if plain == "true" || plain == "false" { return .boolean(plain == "true") }
      // What JSON does not read as a number is a text.
      if case .number(let digits)? = try? JSONReader.read(Array(plain.utf8)) {
        return .number(digits)
      }
    }
    return value.read(.string).flatMap {
      YAMLType<CommandTemplate>.template($0, places: CommandTemplate.Place.allCases, at: value)
    }.map { .text($0) }
  }
}
