import Foundation
import Scoring
import Telemetry

/// What should be done to machines, as rows: an event for each change, and what is recommended now.
enum MaintenanceRecords {
  static let kind = "maintenance"
  static let eventName = "MaintenanceRecommended"
  /// Commands of this name put models in force.
  static let modelCommand = "maintenance.model"

  static func add(
    _ advice: MaintenanceStage.Advice, at moment: RecordMoment, to output: inout StageOutput
  ) {
    let outlook = advice.outlook
    var facts = facts(of: outlook)
    if let service = advice.service {
      let every = service.service.every
      facts += [
        ("code", .string("service_due")),
        ("sentence", .string("\(service.service.text.english): due every \(every)")),
        ("sentence_pt", .string("\(service.service.text.portuguese): a cada \(every)")),
        ("severity", .string(Recommendation.Urgency.due.name)),
        ("service", .string(service.service.id)),
        ("due_before", .optional(service.due?.rfc3339)),
      ]
    } else {
      facts += saying(outlook.recommendation)
    }
    output.add(
      eventName, at: moment, device: outlook.device, properties: .object(facts))
    guard advice.service == nil else { return }
    let isOver = outlook.recommendation.urgency == .none
    output.standings.append(
      Standing(
        kind: kind, key: outlook.device, time: moment.wall,
        body: isOver ? "" : JSONValue.object(facts).encoded))
  }

  private static func saying(_ recommendation: Recommendation) -> [(String, JSONValue)] {
    [
      ("code", .string(recommendation.code)), ("sentence", .string(recommendation.text.english)),
      ("sentence_pt", .string(recommendation.text.portuguese)),
      ("severity", .string(recommendation.urgency.name)),
      ("service", .optional(recommendation.service)),
      ("due_before", .optional(recommendation.dueBefore?.rfc3339)),
    ]
  }

  /// What it was computed from.
  private static func facts(of outlook: MaintenanceOutlook) -> [(String, JSONValue)] {
    [
      ("device", .string(outlook.device)), ("asset", .string(outlook.asset)),
      ("component", .string(outlook.component)), ("zone", .optional(outlook.zone?.rawValue)),
      ("zone_since", .optional(outlook.zoneSince?.rfc3339)),
      ("value", outlook.severity.map(JSONValue.double) ?? .null),
      ("unit", .string(outlook.severityUnit)),
      ("health", outlook.forecast.health.map(JSONValue.double) ?? .null),
      ("basis", .string(outlook.forecast.basis.rawValue)),
      ("age", outlook.age.map(JSONValue.double) ?? .null),
      ("usage_unit", .string(outlook.usageUnit)),
      (
        "model",
        outlook.model.map {
          .object([("name", .string($0.name)), ("version", .integer($0.version))])
        } ?? .null
      ),
    ]
  }
}

// MARK: - Commands

extension MaintenanceModelSet {
  /// `maintenance.model` with the set in base64 as `model`.
  /// - Throws: when the body holds none.
  init(_ command: OperatorCommand) throws(CommandRefusal) {
    guard let body = try? JSONReader.read(Array(command.body.utf8)),  // Refused below.
      let text = body["model"]?.text, let data = Data(base64Encoded: text)
    else {
      throw CommandRefusal(
        code: "bad_body",
        detail: "`model` is a set of models in base64, as `millwright train` makes")
    }
    do {
      try self.init(encoded: [UInt8](data))
    } catch {
      throw CommandRefusal(
        code: "bad_body", detail: "`model` is no set of models that this version can read")
    }
  }

  /// The command that puts the set in force.
  public func command(principal: String, remark: String = "") -> OperatorCommand {
    OperatorCommand(
      name: MaintenanceRecords.modelCommand, target: scope, principal: principal, remark: remark,
      body: JSONValue.object([("model", .string(Data(encoded).base64EncodedString()))]).encoded)
  }
}
