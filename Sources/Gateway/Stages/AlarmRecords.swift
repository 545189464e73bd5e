import Rules
import Telemetry

/// What rules and alarms did, as rows: events of the log, states that hold, effects that leave.
enum AlarmRecords {
  static let kind = "alarm"

  static func add(_ rules: RuleOutput, at moment: RecordMoment, to output: inout StageOutput) {
    for transition in rules.transitions { add(transition, at: moment, to: &output) }
    addEffects(rules.effects, at: moment, to: &output)
    for flood in rules.floods {
      output.add(
        flood.isBeginning ? "AlarmFloodBegan" : "AlarmFloodEnded", at: moment, time: flood.time,
        properties: .object([
          ("console", .string(flood.console)), ("announced_in_10_min", .integer(flood.count)),
        ]))
    }
  }

  // MARK: - Transitions

  private static func add(
    _ transition: AlarmTransition, at moment: RecordMoment, to output: inout StageOutput
  ) {
    let key = transition.key.description
    let facts = facts(of: transition)
    let isOver = transition.to == .normal
    let state = JSONValue.object(
      [("state", .string(transition.to.name)), ("since", .string(transition.time.rfc3339))] + facts)
    // Whoever subscribes to the topic sees the alarms that are up, and nothing else.
    let place = AssetTopic.place(asset: transition.asset, device: transition.device)
    let topic = "alarm/\(place.isEmpty ? "gateway" : place)/\(transition.key.rule)"
    let shown: JSONValue = .object([
      ("kind", .string("mqtt")), ("topic", .string(topic)),
      ("payload", .string(isOver ? "" : state.encoded)), ("qos", .number("1")),
      ("retain", .bool(true)), ("state", .bool(true)),
    ])
    output.add(
      name(of: transition), at: moment, time: transition.time,
      device: transition.device.isEmpty ? nil : transition.device,
      user: transition.principal.isEmpty ? nil : transition.principal,
      properties: .object(
        [
          ("from", .string(transition.from.name)), ("to", .string(transition.to.name)),
          ("cause", .string(transition.cause.name)),
        ] + facts + [
          ("remark", .string(transition.remark)), ("effects", .array([shown])),
        ]),
      hasEffects: true)
    output.standings.append(
      Standing(
        kind: kind, key: key, time: transition.time, body: isOver ? "" : state.encoded))
  }

  /// The names of the alarm journal: what an operator would say happened.
  private static func name(of transition: AlarmTransition) -> String {
    guard transition.from != transition.to else { return "AlarmUpdated" }
    switch transition.to {
    case .normal: return "AlarmCleared"
    case .unacknowledged: return "AlarmRaised"
    case .acknowledged:
      return transition.cause == .acknowledged ? "AlarmAcknowledged" : "AlarmRaised"
    case .returnedUnacknowledged: return "AlarmReturned"
    case .latchedUnacknowledged, .latchedAcknowledged: return "AlarmLatched"
    case .shelved: return "AlarmShelved"
    case .suppressed: return "AlarmSuppressed"
    case .outOfService: return "AlarmOutOfService"
    }
  }

  private static func facts(of transition: AlarmTransition) -> [(String, JSONValue)] {
    [
      ("alarm", .string(transition.key.description)), ("rule", .string(transition.key.rule)),
      ("device", .string(transition.device)), ("asset", .string(transition.asset)),
      ("priority", .string(transition.priority.rawValue)),
      ("console", .string(transition.console)), ("text", .string(transition.text)),
      ("text_pt", .string(transition.textPT)), ("value", json(transition.value)),
      ("unit", .string(transition.unit)),
      (
        "values",
        .array(
          transition.values.map { signal in
            .object([
              ("signal", .string(signal.name)), ("value", json(signal.value)),
              ("quality", .string(signal.quality.text)),
            ])
          })
      ), ("stale_input", .bool(transition.isInputStale)),
      ("uncertain", .bool(transition.isUncertain)),
      ("chattering", .bool(transition.isChattering)),
    ]
  }

  static func json(_ value: Value?) -> JSONValue {
    switch value {
    case .number(let number): .double(number)
    case .boolean(let flag): .bool(flag)
    case .text(let text): .string(text)
    case nil: .null
    }
  }

  // MARK: - Effects

  /// The actions of a rule at one moment are one event, so that they leave together or not at all.
  private static func addEffects(
    _ effects: [RuleEffect], at moment: RecordMoment, to output: inout StageOutput
  ) {
    var start = 0
    while start < effects.count {
      let first = effects[start]
      var end = start
      while end < effects.count, effects[end].key == first.key,
        effects[end].isRaised == first.isRaised, effects[end].time == first.time
      {
        end += 1
      }
      let group = effects[start..<end]
      for case .event(let name) in group.map(\.kind) {
        output.add(
          name, at: moment, time: first.time, device: first.device.isEmpty ? nil : first.device,
          properties: facts(of: first))
      }
      let leaving = group.compactMap { Self.leaving($0.kind) }
      if !leaving.isEmpty {
        output.add(
          first.isRaised ? "RuleActive" : "RuleInactive", at: moment, time: first.time,
          device: first.device.isEmpty ? nil : first.device,
          properties: .object(
            (facts(of: first).members ?? []) + [
              ("left_out", .integer(first.leftOut)), ("effects", .array(leaving)),
            ]),
          hasEffects: true)
      }
      start = end
    }
  }

  private static func facts(of effect: RuleEffect) -> JSONValue {
    // The engine wrote it: anything else is a mistake of ours, told by an empty object.
    (try? JSONReader.read(Array(effect.facts.utf8))) ?? .object([])
  }

  private static func leaving(_ kind: RuleEffect.Kind) -> JSONValue? {
    switch kind {
    case .event: return nil
    case .mqtt(let topic, let payload, let qos, let isRetained):
      return .object([
        // An integrator writes the whole topic; without the slash it would be taken as below our root.
        ("kind", .string("mqtt")), ("topic", .string("/" + topic)), ("payload", .string(payload)),
        ("qos", .integer(qos)), ("retain", .bool(isRetained)),
      ])
    case .webhook(let url, let secret, let format, let body):
      var members: [(String, JSONValue)] = [
        ("kind", .string("webhook")), ("url", .string(url)), ("format", .string(format.rawValue)),
      ]
      if !secret.isEmpty { members.append(("credential", .string(secret))) }
      let content = (try? JSONReader.read(Array(body.utf8))) ?? .string(body)  // A text is sent as one.
      return .object(members + [("body", content)])
    case .email(let to, let subject, let body):
      return .object([
        ("kind", .string("email")), ("to", .array(to.map(JSONValue.string))),
        ("subject", .string(subject)), ("body", .string(body)),
      ])
    case .log(let level, let text):
      return .object([
        ("kind", .string("log")), ("level", .string(logLevel(level))), ("text", .string(text)),
      ])
    }
  }
}

extension AlarmRecords {
  /// As effects know them.
  private static func logLevel(_ level: LogLevel) -> String {
    switch level {
    case .debug, .info, .notice: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }
}

// MARK: - Commands

extension AlarmCommand {
  /// `alarm.acknowledge` and its like, about `rule@source`.
  /// - Throws: when the name or the body says nothing we know.
  init(_ command: OperatorCommand) throws(CommandRefusal) {
    let parts = command.target.split(separator: "@", maxSplits: 1).map(String.init)
    let key = AlarmKey(rule: parts.first ?? "", source: parts.count > 1 ? parts[1] : "")
    switch command.name {
    case "alarm.acknowledge": self.init(.acknowledge, alarm: key)
    case "alarm.reset": self.init(.reset, alarm: key)
    case "alarm.shelve": self.init(.shelve(try Self.span(of: command)), alarm: key)
    case "alarm.unshelve": self.init(.unshelve, alarm: key)
    case "alarm.suppress": self.init(.suppress, alarm: key)
    case "alarm.unsuppress": self.init(.unsuppress, alarm: key)
    case "alarm.out_of_service": self.init(.takeOutOfService, alarm: key)
    case "alarm.return_to_service": self.init(.returnToService, alarm: key)
    default:
      throw CommandRefusal(
        code: "unknown_command", detail: "there is no command '\(command.name)' for alarms")
    }
  }

  private static func span(of command: OperatorCommand) throws(CommandRefusal) -> Duration {
    guard let body = try? JSONReader.read(Array(command.body.utf8)),  // Refused below.
      case .number(let digits)? = body["seconds"], let seconds = Double(digits), seconds > 0,
      seconds < 1e9
    else {
      throw CommandRefusal(
        code: "bad_body", detail: "`seconds` says for how long the alarm is shelved")
    }
    return .microseconds(Int64(seconds * 1e6))
  }
}
