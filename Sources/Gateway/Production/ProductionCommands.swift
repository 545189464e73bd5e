import Operations
import Telemetry

/// Commands about production, behind the commit: what operators say of stops, and reports of closed shifts.
///
/// They become rows of the event log and change no state here: figures are made from the store, with these rows.
enum ProductionCommands {
  static let relabel = "stop.relabel"
  static let split = "stop.split"
  static let report = "production.report"
  /// Names of the events they become.
  static let stopEdited = "StopEdited"
  static let shiftReported = "ShiftReported"

  static func knows(_ name: String) -> Bool { [relabel, split, report].contains(name) }

  /// - Returns: `nil` when it was carried out.
  static func carryOut(
    _ command: OperatorCommand, _ configuration: ProductionConfiguration, at moment: RecordMoment,
    into output: inout StageOutput
  ) -> CommandRefusal? {
    guard let body = try? JSONReader.read(Array(command.body.utf8)) else {  // Refused with a sentence.
      return CommandRefusal(code: "bad_body", detail: "the body is not JSON")
    }
    if command.name == report { return keep(body, configuration, at: moment, into: &output) }
    guard let machine = configuration.machine(command.target) else {
      return CommandRefusal(
        code: "unknown_machine", detail: "there is no machine `\(command.target)`")
    }
    let id = "\(Event.derivedIDPrefix)\(moment.sequence).\(output.events.count)"
    guard let edit = StopEdit(command, body, id: id, at: moment.wall) else {
      return CommandRefusal(
        code: "bad_body", detail: "it takes `from` and `to` of the stop, and `reason` or `at`")
    }
    if case .relabel(let reason) = edit.action, configuration.reasons[reason] == nil {
      return CommandRefusal(
        code: "unknown_reason", detail: configuration.reasons.refusal(of: reason))
    }
    output.add(
      stopEdited, at: moment, device: machine.device, user: command.principal,
      properties: edit.json)
    return nil
  }

  /// At the end of its shift, so that reports are found by the time they are about.
  private static func keep(
    _ body: JSONValue, _ configuration: ProductionConfiguration, at moment: RecordMoment,
    into output: inout StageOutput
  ) -> CommandRefusal? {
    guard let report = ProductionReport(json: body),
      let end = body["content"]?["shift"]?["to"]?.text.flatMap(Timestamp.init(rfc3339:))
    else { return CommandRefusal(code: "bad_body", detail: "it is no report of a shift") }
    let effects = PublishedKPIs.effects(of: report, configuration, at: moment.wall)
    output.add(
      shiftReported, at: moment, time: end,
      device: configuration.machine(report.subject)?.device,
      properties: .object(
        (report.json.members ?? []) + (effects.isEmpty ? [] : [("effects", .array(effects))])),
      hasEffects: !effects.isEmpty)
    return nil
  }
}

extension StopEdit {
  /// - Returns: `nil` when the body lacks what the verb needs.
  init?(_ command: OperatorCommand, _ body: JSONValue, id: String, at time: Timestamp) {
    guard let from = body["from"]?.text.flatMap(Timestamp.init(rfc3339:)),
      let to = body["to"]?.text.flatMap(Timestamp.init(rfc3339:)), from < to
    else { return nil }
    let action: Action
    switch command.name {
    case ProductionCommands.relabel:
      guard let reason = body["reason"]?.text else { return nil }
      action = .relabel(reason: reason)
    case ProductionCommands.split:
      guard let at = body["at"]?.text.flatMap(Timestamp.init(rfc3339:)) else { return nil }
      action = .split(at: at)
    default: return nil
    }
    self.init(
      id: id, machine: command.target, stop: Span(from..<to), action: action,
      author: command.principal, time: time, remark: command.remark)
  }

  /// As it stands in the event log.
  var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("edit", .string(id)), ("machine", .string(machine)),
      ("from", .string(stop.from.rfc3339)), ("to", .string(stop.to.rfc3339)),
    ]
    switch action {
    case .relabel(let reason):
      members += [("action", .string("relabel")), ("reason", .string(reason))]
    case .split(let moment):
      members += [("action", .string("split")), ("at", .string(moment.rfc3339))]
    }
    return .object(
      members + [
        ("author", .string(author)), ("time", .string(time.rfc3339)), ("remark", .string(remark)),
      ])
  }

  /// Reads what `json` wrote; `nil` for anything else.
  init?(json: JSONValue) {
    let moment = { (name: String) in json[name]?.text.flatMap(Timestamp.init(rfc3339:)) }
    guard let id = json["edit"]?.text, let machine = json["machine"]?.text,
      let from = moment("from"), let to = moment("to"), from < to, let time = moment("time")
    else { return nil }
    let action: Action
    if let reason = json["reason"]?.text {
      action = .relabel(reason: reason)
    } else if let at = moment("at") {
      action = .split(at: at)
    } else {
      return nil
    }
    self.init(
      id: id, machine: machine, stop: Span(from..<to), action: action,
      author: json["author"]?.text ?? "", time: time, remark: json["remark"]?.text ?? "")
  }
}
