import Devices
import Telemetry

/// The state of reading rules/*.yaml.
///
/// ```yaml
/// schedules:
///   - id: day_shift
///     days: [mon, tue, wed, thu, fri]   # left out: all
///     from: 06:00                       # wall clock of the plant
///     to: 14:00                         # not after `from`: over midnight
/// communication: {priority: high, on_delay: 10 s}     # the built-in alarm; `enabled: false` turns
/// it off
/// rules:
///   - id: press_hot                     # required
///     description: Oil of a press too hot
///     scope: {profile: press}           # device, profile, asset: globs, all must fit
///     when: temperature > 75 °C         # required
///     for: 30 s                         # or on_delay, the same
///     off_delay: 10 s
///     deadband: 3 K                     # or clear: temperature < 70 °C
///     schedule: day_shift               # or a list of them
///     suppress_when: state == "setup"
///     suppressed_by: [cooling_lost]
///     priority: high                    # critical | high | medium (default) | low | journal
///     latched: false
///     shelve_max: 8 h
///     min_coverage: 80 %
///     console: main
///     at_most_once_per: 10 min          # for all actions but the alarm
///     text: {en: "{device} is at {value} {unit}", pt-BR: "{device} está a {value} {unit}"}
///     actions: [alarm, {event: {name: PressHot}}]     # default: [alarm]
///     enabled: true
/// ```
struct RuleReading {
  var set = RuleSet()
  let log: DiagnosticLog
  let configuration: DeviceConfiguration
  private var schedules: [String: RuleSchedule] = [:]
  private var places: [String: String] = [:]
  private var causes: [(value: YAMLValue, rule: String)] = []
  private var communication = RuleReading.builtIn
  private var hasCommunication = true

  static let communicationID = "device_offline"

  private static var builtIn: Rule {
    var rule = Rule(id: communicationID, description: "A device does not answer any more")
    rule.isCommunication = true
    return rule
  }

  init(log: DiagnosticLog, configuration: DeviceConfiguration) {
    self.log = log
    self.configuration = configuration
  }

  mutating func read(_ files: [ConfigurationFile]) {
    // Rules may name schedules of any file.
    var roots: [(map: YAMLMap, file: ConfigurationFile)] = []
    for file in files {
      guard let root = YAMLReader(log: log).map(in: file) else { continue }
      for map in root.optional("schedules", .list(of: .map)) ?? [] { readSchedule(map) }
      roots.append((root, file))
    }
    for (root, file) in roots {
      if let map = root.optional("communication", .map) { readCommunication(map, file) }
      for map in root.optional("rules", .list(of: .map)) ?? [] { readRule(map, file) }
      root.refuseUnknownKeys()
    }
    if hasCommunication { set.rules.append(communication) }
    checkCauses()
    for profile in configuration.profiles {
      set.profiles.insert(profile.id)
      for metric in profile.metrics {
        set.metrics[RuleSet.MetricKey(profile: profile.id, metric: metric.name)] =
          RuleSet.MetricFact(
            intervalMicroseconds: metric.interval?.microseconds ?? 0,
            unit: metric.unit?.code ?? "")
      }
    }
  }

  // MARK: - Schedules

  private mutating func readSchedule(_ map: YAMLMap) {
    guard let id = map.required("id", .name()), var schedule = schedule(map) else { return }
    claim("schedule", id, map)
    schedule.id = id
    schedules[id] = schedule
  }

  private func schedule(_ map: YAMLMap) -> RuleSchedule? {
    _ = map.value("id")
    let day = YAMLType<Int>.choice(of: RuleSchedule.dayNames) {
      RuleSchedule.dayNames.firstIndex(of: $0)
    }
    let days = map.optional("days", .list(of: day)) ?? Array(0..<7)
    let from = map.required("from", .timeOfDay)
    let to = map.required("to", .timeOfDay)
    map.refuseUnknownKeys()
    guard let from, let to else { return nil }
    return RuleSchedule(
      days: days.reduce(0) { $0 | 1 << UInt8($1) }, fromMinute: from == 1_440 ? 0 : from,
      toMinute: to)
  }

  private func readSchedules(_ map: YAMLMap) -> [RuleSchedule] {
    guard let value = map.value("schedule"), !value.isNull else { return [] }
    let known = schedules.keys.sorted()
    let named = YAMLType<RuleSchedule>.choice(of: known) { schedules[$0] }
    if let list = map.read("schedule", asListOf: named) { return list }
    return value.read(named).map { [$0] } ?? []
  }

  private mutating func claim(_ noun: String, _ id: String, _ map: YAMLMap) {
    guard let value = map.value("id") else { return }
    let key = "\(noun) \(id)"
    if let first = places[key] {
      value.report("duplicate \(noun) id `\(id)`, first at \(first)")
    } else {
      places[key] = "\(value.file):\(value.position.line):\(value.position.column)"
    }
  }

  // MARK: - Rules

  private mutating func readCommunication(_ map: YAMLMap, _ file: ConfigurationFile) {
    if let first = places["communication"] {
      map.report("`communication` appears twice, first at \(first)")
    }
    places["communication"] = "\(map.file):\(map.position.line):\(map.position.column)"
    hasCommunication = map.optional("enabled", .bool) ?? true
    var rule = Self.builtIn
    readCommon(map, into: &rule)
    communication = rule
    map.refuseUnknownKeys()
  }

  private mutating func readRule(_ map: YAMLMap, _ file: ConfigurationFile) {
    let id = map.required("id", .name())
    if let id {
      claim("rule", id, map)
      if id == Self.communicationID {
        map.value("id")?.report(
          "`\(id)` is the id of the built-in rule; set it up under `communication`")
      }
    }
    var rule = Rule(id: id ?? "")
    rule.description = map.optional("description", .string) ?? ""
    let isEnabled = map.optional("enabled", .bool) ?? true
    if let scope = map.optional("scope", .map) {
      rule.scope = RuleScope(
        device: scope.optional("device", .name(bytesMax: 256)),
        profile: scope.optional("profile", .name(bytesMax: 256)),
        asset: scope.optional("asset", .name(bytesMax: 512)))
      scope.refuseUnknownKeys()
    }
    readCommon(map, into: &rule)
    rule.schedules = readSchedules(map)
    if let share = map.optional("min_coverage", .string) {
      rule.minimumCoverage = coverage(share, map) ?? rule.minimumCoverage
    }
    if let list = map.value("suppressed_by"), !list.isNull {
      rule.suppressedBy = map.optional("suppressed_by", .list(of: .name())) ?? []
      for cause in rule.suppressedBy where cause == id {
        list.report("a rule cannot suppress itself (`\(cause)`)")
      }
      causes.append((list, rule.id))
    }
    compile(&rule, map, file)
    checkEvents(rule, map)
    map.refuseUnknownKeys()
    if id != nil, isEnabled { set.rules.append(rule) }
  }

  private func checkEvents(_ rule: Rule, _ map: YAMLMap) {
    guard rule.templates.contains(where: \.showsEvent),
      !rule.program.inputs.contains(where: { $0.event != nil }), !log.hasErrors
    else { return }
    (map.value("text") ?? map.value("actions"))?.report(
      "`{event.…}` shows what an event says, but `when` waits for none; write `event(\"Name\")` there"
    )
  }

  /// What the built-in rule shares with all others.
  private mutating func readCommon(_ map: YAMLMap, into rule: inout Rule) {
    let held = map.optional("for", .duration)
    let delay = map.optional("on_delay", .duration)
    if held != nil, delay != nil {
      map.value("on_delay")?.report(
        "`for` and `on_delay` both say how long the condition must hold; keep one")
    }
    rule.onDelayMicroseconds = (held ?? delay)?.microseconds ?? 0
    rule.offDelayMicroseconds = map.optional("off_delay", .duration)?.microseconds ?? 0
    rule.throttleMicroseconds = map.optional("at_most_once_per", .duration)?.microseconds ?? 0
    rule.priority = map.optional("priority", .choice) ?? rule.priority
    rule.isLatched = map.optional("latched", .bool) ?? false
    rule.console = map.optional("console", .name()) ?? rule.console
    if let longest = map.optional("shelve_max", .duration) {
      rule.shelveMaxMicroseconds = longest.microseconds
    }
    readText(map, into: &rule)
    RuleActionReading.read(map, into: &rule)
  }

  private func readText(_ map: YAMLMap, into rule: inout Rule) {
    guard let value = map.value("text"), !value.isNull else { return }
    if let texts = map.readMap("text") {
      rule.text = texts.required("en", .template)
      rule.textPT = texts.optional("pt-BR", .template)
      texts.refuseUnknownKeys()
    } else {
      rule.text = value.read(.template)
    }
  }

  private func coverage(_ text: String, _ map: YAMLMap) -> Double? {
    let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
    let number = Double(digits.filter { $0 != " " })
    let share = text.hasSuffix("%") ? number.map { $0 / 100 } : number
    guard let share, (0...1).contains(share) else {
      map.value("min_coverage")?.report("`min_coverage` is a share such as `80 %`")
      return nil
    }
    return share
  }

  // MARK: - Expressions

  private func compile(_ rule: inout Rule, _ map: YAMLMap, _ file: ConfigurationFile) {
    guard let when = map.required("when", .string) else { return }
    rule.when = when
    let facts = ScopeFacts(scope: rule.scope, configuration: configuration)
    var builder = ProgramBuilder(facts: facts)
    let errors = log.diagnostics.count
    let condition = expression("when", map, file, &builder) {
      (builder, syntax) throws(ExpressionError) in
      builder.program.when = try builder.condition(syntax).register
    }
    rule.clear = map.optional("clear", .string) ?? ""
    if !rule.clear.isEmpty {
      _ = expression("clear", map, file, &builder) { (builder, syntax) throws(ExpressionError) in
        builder.program.clear = try builder.condition(syntax).register
      }
    }
    rule.deadband = map.optional("deadband", .string) ?? ""
    if !rule.deadband.isEmpty, let condition { relax(condition, rule, map, file, &builder) }
    rule.suppressWhen = map.optional("suppress_when", .string) ?? ""
    if !rule.suppressWhen.isEmpty {
      _ = expression("suppress_when", map, file, &builder) {
        (builder, syntax) throws(ExpressionError) in
        builder.program.suppress = try builder.condition(syntax).register
      }
    }
    rule.program = builder.program
    if log.diagnostics.count == errors { checkScope(rule, map) }
  }

  private func expression(
    _ key: String, _ map: YAMLMap, _ file: ConfigurationFile, _ builder: inout ProgramBuilder,
    _ build: (inout ProgramBuilder, Syntax) throws(ExpressionError) -> Void
  ) -> Syntax? {
    guard let value = map.value(key), let text = value.read(.string) else { return nil }
    let place = ExpressionPlace(text: text, at: value.position, in: file)
    builder.warnings.removeAll()
    var result: Syntax?
    do throws(ExpressionError) {
      let syntax = try ExpressionParser.parse(text)
      try build(&builder, syntax)
      result = syntax
    } catch {
      log.report(place.diagnostic(at: error.offset, error.message))
    }
    for warning in builder.warnings {
      log.report(place.diagnostic(at: warning.offset, warning.message, severity: .warning))
    }
    return result
  }

  /// The condition that holds an active rule: the same with thresholds that give way.
  private func relax(
    _ condition: Syntax, _ rule: Rule, _ map: YAMLMap, _ file: ConfigurationFile,
    _ builder: inout ProgramBuilder
  ) {
    guard let value = map.value("deadband") else { return }
    guard rule.clear.isEmpty else {
      return value.report("`deadband` and `clear` both say when the rule is cleared; keep one")
    }
    let place = ExpressionPlace(text: rule.deadband, at: value.position, in: file)
    do throws(ExpressionError) {
      let amount = try builder.build(try ExpressionParser.parse(rule.deadband))
      guard let size = amount.constant, size > 0 else {
        return value.report("`deadband` is a number above 0, such as `2 K`")
      }
      builder.deadband = amount
      let held = try builder.condition(condition)
      builder.deadband = nil
      guard builder.relaxed > 0 else {
        return value.report("no comparison in `when` has the unit of this deadband")
      }
      builder.program.clear = try builder.emit(
        Instruction(operation: .not, a: held.register), held)
    } catch {
      log.report(place.diagnostic(at: error.offset, error.message))
    }
  }

  private func checkScope(_ rule: Rule, _ map: YAMLMap) {
    switch rule.watch {
    case .devices where rule.scope == RuleScope():
      map.report(
        "`scope` is missing in `\(map.path)`: say which devices the rule is for, or name signals as device/metric"
      )
    case .assets where rule.scope.asset == nil:
      map.report("a rule with ./… signals needs `scope: {asset: …}`: the assets it is for")
    case .assets
    where rule.program.inputs.contains { $0.reference.place == .own && $0.event == nil }:
      map.report(
        "a rule with ./… signals watches assets: write every signal as ./path/metric or device/metric"
      )
    default: break
    }
    guard !configuration.devices.isEmpty, rule.watch == .devices, let device = rule.scope.device,
      !device.contains(where: { "*?".contains($0) }), configuration.device(device) == nil
    else { return }
    let hint =
      nearestName(to: device, among: configuration.devices.map(\.id))
      .map { ", did you mean `\($0)`?" } ?? ""
    map.report("device `\(device)` is not declared\(hint)", severity: .warning)
  }

  private func checkCauses() {
    let ids = set.rules.map(\.id)
    for (value, _) in causes {
      for cause in value.read(.list(of: .name())) ?? [] where !ids.contains(cause) {
        let hint = nearestName(to: cause, among: ids).map { ", did you mean `\($0)`?" } ?? ""
        value.report("unknown rule `\(cause)`\(hint)")
      }
    }
  }
}

extension RuleSet {
  /// Reads all files together; schedules and causes may lie in another file than the rule.
  ///
  /// - Returns: every problem in order of file, line and column, and the rules unless one of them
  ///   is an error.
  public static func read(
    _ files: [ConfigurationFile], configuration: DeviceConfiguration
  ) -> (rules: RuleSet?, diagnostics: [Diagnostic]) {
    let log = DiagnosticLog()
    var reading = RuleReading(log: log, configuration: configuration)
    reading.read(files)
    return (log.hasErrors ? nil : reading.set, log.sorted)
  }
}

extension YAMLMap {
  /// The value as a map, without a word when it is something else.
  func readMap(_ key: String) -> YAMLMap? {
    guard let value = value(key), value.isMap else { return nil }
    return value.read(.map)
  }

  /// The value as a list, without a word when it is something else.
  func read<Member>(_ key: String, asListOf type: YAMLType<Member>) -> [Member]? {
    guard let value = value(key), value.isList else { return nil }
    return value.read(.list(of: type))
  }
}

extension YAMLType where Value == Int {
  /// Minutes since midnight of `06:00`; `24:00` is 1,440.
  static var timeOfDay: YAMLType {
    YAMLType { value in
      guard let text = value.read(.string) else { return nil }
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[1].count == 2, let hour = Int(parts[0]),
        let minute = Int(parts[1]),
        (0...24).contains(hour), (0..<60).contains(minute), hour * 60 + minute <= 1_440
      else {
        value.report("`\(text)` is no time of day such as `06:00`")
        return nil
      }
      return hour * 60 + minute
    }
  }
}

extension YAMLType where Value == Template {
  static var template: YAMLType {
    YAMLType { value in
      guard let text = value.read(.string) else { return nil }
      do throws(Template.UnknownPlace) {
        return try Template(text)
      } catch {
        value.report(error.description)
        return nil
      }
    }
  }
}
