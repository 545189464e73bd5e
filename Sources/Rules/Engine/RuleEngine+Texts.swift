import Telemetry

/// Values and texts for transitions and effects: made only when one of them happens.
extension RuleEngine {
  struct Facts {
    var rule: Rule
    var key: AlarmKey
    var device: String
    var asset: String
    var value: Value?
    var unit: String
    var state: String
    var time: Timestamp
    var leftOut: UInt32 = 0
    /// Properties of the event that the rule last waited for, as JSON; empty: none.
    var event = ""

    /// A template filled in; without one, a plain sentence.
    func text(_ template: Template?) -> String {
      guard let template else { return plainText }
      return template.filled({ $0 == .text ? plainText : filling($0) }, property: property)
    }

    /// A property of the event as text; `?` when it has none of that name.
    func property(_ name: String) -> String {
      // Written by whoever sent the event: what is no JSON has no properties.
      guard let value = (try? JSONReader.read(Array(event.utf8)))?[name] else { return "?" }
      return value.text ?? value.encoded
    }

    private var plainText: String {
      let what = rule.description.isEmpty ? rule.id : rule.description
      let place = key.source.isEmpty ? "" : " (\(key.source))"
      guard let value else { return what + place }
      return "\(what)\(place): \(Self.shown(value))\(unit.isEmpty ? "" : " " + unit)"
    }

    /// What `{text}` in a topic or subject stands for: the rule's own text.
    func filling(_ place: Template.Place) -> String {
      switch place {
      case .value: value.map(Self.shown) ?? "?"
      case .unit: unit
      case .device: device
      case .asset: asset
      case .rule: rule.id
      case .source: key.source
      case .description: rule.description
      case .priority: rule.priority.rawValue
      case .state: state
      case .time: time.rfc3339
      case .suppressed: String(leftOut)
      case .text: text(rule.text)
      }
    }

    func level(_ name: String) -> String {
      String(property(name).map { "/+#".contains($0) ? "_" : $0 })
    }

    func escaped(_ name: String) -> String {
      String(JSONText.quoted(property(name)).dropFirst().dropLast())
    }

    static func shown(_ value: Value) -> String {
      switch value {
      case .number(let number): shownNumber(number)
      case .boolean(let flag): flag ? "true" : "false"
      case .text(let word): word
      }
    }

    func json(isRaised: Bool) -> String {
      JSONText.object([
        ("rule", JSONText.quoted(rule.id)), ("source", JSONText.quoted(key.source)),
        ("device", JSONText.quoted(device)), ("asset", JSONText.quoted(asset)),
        ("priority", JSONText.quoted(rule.priority.rawValue)),
        ("raised", isRaised ? "true" : "false"), ("state", JSONText.quoted(state)),
        ("value", JSONText.value(value)), ("unit", JSONText.quoted(unit)),
        ("text", JSONText.quoted(text(rule.text))), ("time", JSONText.quoted(time.rfc3339)),
        ("suppressed", String(leftOut)),
      ])
    }
  }

  func facts(_ index: Int, _ moment: RecordMoment, state: AlarmState?) -> Facts {
    let rule = rules.rules[Int(instances[index].rule)]
    let value = instances[index].value
    return Facts(
      rule: rule, key: keys[index], device: deviceID(index), asset: asset(index),
      value: value.isNaN ? nil : .number(value), unit: rule.program.valueUnit,
      state: state?.name ?? "", time: moment.wall, leftOut: instances[index].leftOut,
      event: lastEvents[index])
  }

  func deviceID(_ index: Int) -> String {
    let device = instances[index].device
    return device >= 0 ? devices[Int(device)].id : ""
  }

  func asset(_ index: Int) -> String {
    let device = instances[index].device
    if device >= 0 { return devices[Int(device)].asset }
    return compiled[Int(instances[index].rule)].isAsset ? keys[index].source : ""
  }

  /// What each signal of the rule is now.
  func signalValues(_ index: Int) -> [AlarmTransition.SignalValue] {
    let program = rules.rules[Int(instances[index].rule)].program
    var values: [AlarmTransition.SignalValue] = []
    for (offset, spec) in program.inputs.enumerated() where spec.event == nil {
      let input = pool.inputs[Int(instances[index].firstInput) + offset]
      var value: Value?
      if input.flags.contains(.hasValue), !input.flags.contains(.bad) {
        switch spec.kind ?? .number {
        case .number: value = .number(input.value)
        case .boolean: value = .boolean(input.value != 0)
        case .text:
          let word = Int(input.value)
          value = .text(word >= 0 && word < words.count ? words[word] : "")
        }
      }
      var quality = input.quality
      if input.flags.contains(.gone) { quality.insert(.stale) }
      values.append(
        AlarmTransition.SignalValue(
          name: spec.reference.description, value: value, quality: quality))
    }
    return values
  }

  /// Describes what the rule's actions are to do, unless it did so a short while ago.
  mutating func runActions(
    _ index: Int, isRaised: Bool, _ now: Int64, _ moment: RecordMoment,
    _ output: inout RuleOutput
  ) {
    let rule = rules.rules[Int(instances[index].rule)]
    let wanted = rule.actions.filter {
      $0.moment == .both || ($0.moment == .raised) == isRaised
    }
    guard !wanted.isEmpty else { return }
    if isRaised, rule.throttleMicroseconds > 0 {
      let last = instances[index].lastEffect
      if last != .min, now - last < rule.throttleMicroseconds {
        instances[index].leftOut += 1
        return
      }
      instances[index].lastEffect = now
    }
    let alarm = Int(instances[index].alarm)
    let facts = self.facts(
      index, moment, state: alarm >= 0 ? alarmRecords[alarm].machine.state : nil)
    for action in wanted {
      output.effects.append(
        RuleEffect(
          key: facts.key, kind: kind(action.kind, facts, isRaised), isRaised: isRaised,
          time: moment.wall, device: facts.device, text: facts.text(rule.text),
          facts: facts.json(isRaised: isRaised), leftOut: facts.leftOut))
    }
    if isRaised { instances[index].leftOut = 0 }
  }

  private func kind(_ kind: RuleAction.Kind, _ facts: Facts, _ isRaised: Bool) -> RuleEffect.Kind {
    let filled = { (template: Template) in
      template.filled(facts.filling, property: facts.property)
    }
    let text = facts.text(facts.rule.text)
    switch kind {
    case .event(let name): return .event(name: name)
    case .mqtt(let topic, let payload, let qos, let isRetained):
      // What others wrote is one level of a topic, and one text in JSON.
      let place = topic.filled(facts.filling, property: { facts.level($0) })
      let content = payload.map { template in
        template.isJSON
          ? template.filled(facts.filling, property: { facts.escaped($0) }) : filled(template)
      }
      return .mqtt(
        topic: place, payload: content ?? facts.json(isRaised: isRaised),
        qos: qos, isRetained: isRetained)
    case .webhook(let url, let secret, let format):
      let body =
        format == .slack
        ? JSONText.object([("text", JSONText.quoted(text))]) : facts.json(isRaised: isRaised)
      return .webhook(url: url, secret: secret, format: format, body: body)
    case .email(let to, let subject):
      return .email(to: to, subject: filled(subject), body: text)
    case .log(let level): return .log(level, text: text)
    }
  }
}
