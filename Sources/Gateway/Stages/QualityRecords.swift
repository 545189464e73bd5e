import Operations
import Telemetry

/// What charts and lots led to, as rows: events of the log, and which charts are out of control now.
enum QualityRecords {
  static let kind = "out_of_control"

  /// - Returns: the event that rules about this one characteristic wait for; `nil`: the recorded one says it all.
  static func add(
    _ notice: QualityStage.Notice, at moment: RecordMoment, to output: inout StageOutput
  ) -> Event? {
    switch notice {
    case .outOfControl(let finding, let place):
      let facts = JSONValue.object(
        [("device", .optional(place.device.nonEmpty))] + (finding.json.members ?? []))
      let event = add(
        "OutOfControl", place, finding.time, facts, at: moment, to: &output,
        ruleName: QualityConfiguration.outOfControlEvent(place.characteristic))
      output.standings.append(
        Standing(kind: kind, key: key(place), time: finding.time, body: facts.encoded))
      return event
    case .inControl(let place, let time):
      let facts = JSONValue.object([
        ("device", .optional(place.device.nonEmpty)),
        ("characteristic", .string(place.characteristic)),
      ])
      output.standings.append(Standing(kind: kind, key: key(place), time: time, body: ""))
      return add(
        "InControl", place, time, facts, at: moment, to: &output,
        ruleName: QualityConfiguration.inControlEvent(place.characteristic))
    case .lot(let decision, let place):
      output.add(
        "LotDecided", at: moment, time: decision.time, device: place.device.nonEmpty,
        properties: json(decision, place))
      return nil
    case .refused(let refusal, let event):
      output.add(
        "InspectionRefused", at: moment, time: event.time, device: event.device,
        properties: .object([
          ("event_id", .string(event.id)), ("field", .string(refusal.field)),
          ("reason", .string(refusal.reason)),
        ]))
      return nil
    }
  }

  /// Somebody resumed acceptance after the process was mended.
  static func addResumed(
    _ place: QualityStage.Place, by command: OperatorCommand, at moment: RecordMoment,
    to output: inout StageOutput
  ) {
    output.add(
      "AcceptanceResumed", at: moment, device: place.device.nonEmpty, user: command.principal,
      properties: .object([
        ("characteristic", .string(place.characteristic)),
        ("next_severity", .string(InspectionSeverity.tightened.name)),
        ("remark", .optional(command.remark.nonEmpty)),
      ]))
  }

  private static func key(_ place: QualityStage.Place) -> String {
    place.device.isEmpty ? place.characteristic : "\(place.characteristic)@\(place.device)"
  }

  private static func add(
    _ name: String, _ place: QualityStage.Place, _ time: Timestamp, _ facts: JSONValue,
    at moment: RecordMoment, to output: inout StageOutput, ruleName: String
  ) -> Event? {
    output.add(name, at: moment, time: time, device: place.device.nonEmpty, properties: facts)
    guard var event = output.events.last?.event else { return nil }
    event.name = ruleName
    return event
  }

  private static func json(
    _ decision: QualityStage.LotDecision, _ place: QualityStage.Place
  ) -> JSONValue {
    .object([
      ("characteristic", .string(place.characteristic)), ("lot", .string(decision.lot)),
      ("lot_size", .integer(decision.lotSize)), ("sample_size", .integer(decision.plan.sampleSize)),
      ("acceptance_number", .integer(decision.plan.acceptance)),
      ("nonconforming", .integer(decision.nonconforming)),
      ("accepted", .bool(decision.isAccepted)),
      ("next_severity", .string(decision.severity.name)),
      ("discontinued", .bool(decision.isDiscontinued)),
      ("change", .optional(decision.change.nonEmpty)),
    ])
  }
}
