import Gateway
import HTTPTypes
import Rules
import Storage
import Telemetry

extension RouteTable {
  /// Alarms as they stand, what operators do with them, and how well they serve.
  var alarmRoutes: [Route] {
    [
      Route(
        .get, "/api/v1/alarms", scope: .read, parameters: ["state", "priority", "device", "asset"],
        handler: listAlarms),
      Route(.get, "/api/v1/alarms/statistics", scope: .read, handler: readAlarmStatistics),
      Route(
        .get, "/api/v1/alarms/journal", scope: .read,
        parameters: ["device", "from", "to"] + Paging.parameters, handler: readAlarmJournal),
    ]
      + [
        ("acknowledge", "acknowledge"), ("reset", "reset"), ("shelve", "shelve"),
        ("unshelve", "unshelve"), ("suppress", "suppress"), ("unsuppress", "unsuppress"),
        ("out-of-service", "out_of_service"), ("return-to-service", "return_to_service"),
      ].map { path, verb in
        Route(.post, "/api/v1/alarms/{id}/\(path)", scope: .write, body: .json, isRepeatable: true)
        {
          try await commandAlarm($0, verb: verb)
        }
      }
  }

  /// Every alarm that is not normal; states and texts of the moment, from the event log's own database.
  @Sendable private func listAlarms(_ call: Call) async throws -> Reply {
    await gateway.flush()
    let language = Language(accepting: call.headers[.acceptLanguage])
    let items = try await gateway.queries.fetchStandings(kind: "alarm").compactMap { standing in
      // Written by the stages: always JSON.
      try? JSONReader.read(Array(standing.body.utf8))
    }.filter { alarm in
      func fits(_ name: String) -> Bool {
        call.query[name].map { alarm[name]?.text == $0 } ?? true
      }
      let asset = alarm["asset"]?.text ?? ""
      let isThere = call.query["asset"].map { asset == $0 || asset.hasPrefix($0 + "/") } ?? true
      return fits("state") && fits("priority") && fits("device") && isThere
    }.map(language.alarm)
    return Paging.list(items.sorted { Self.rank($0) < Self.rank($1) }, next: nil)
  }

  /// The most urgent first, of equals the newest.
  private static func rank(_ alarm: JSONValue) -> (Int, String, String) {
    let priority = alarm["priority"]?.text.flatMap(AlarmPriority.init(rawValue:)) ?? .journal
    // Later times first: RFC 3339 in UTC sorts by time, so its complement does the other way round.
    let since = String(
      (alarm["since"]?.text ?? "").unicodeScalars.map { scalar in
        Character(Unicode.Scalar(UInt8(255 - min(scalar.value, 255))))
      })
    return (Int(priority.rank), since, alarm["alarm"]?.text ?? "")
  }

  @Sendable private func commandAlarm(_ call: Call, verb: String) async throws -> Reply {
    let body = try call.json()
    let remark = body["remark"]?.text ?? ""
    var further: [(String, JSONValue)] = []
    if verb == "shelve" {
      further = [("seconds", .double(try Self.seconds(body["for"])))]
    }
    let command = OperatorCommand(
      name: "alarm.\(verb)", target: call.part("id"), principal: call.caller.name, remark: remark,
      body: JSONValue.object(further).encoded)
    try await carryOut(command, key: call.key)
    await gateway.flush()
    let standing = try await gateway.queries.fetchStandings(kind: "alarm", key: call.part("id"))
    guard let body = standing.first?.body, let alarm = try? JSONReader.read(Array(body.utf8)) else {
      // Gone with the command.
      return Reply(
        json: .object([("alarm", .string(call.part("id"))), ("state", .string("normal"))]))
    }
    return Reply(json: Language(accepting: call.headers[.acceptLanguage]).alarm(alarm))
  }

  /// `"30 min"` or a number of seconds.
  private static func seconds(_ value: JSONValue?) throws(Problem) -> Double {
    switch value {
    case .number(let digits):
      if let number = Double(digits), number > 0, number < 1e9 { return number }
    case .string(let text):
      let compact = text.filter { $0 != " " }.replacing("min", with: "m")
      if let span = TimeArgument.spanMicroseconds(compact[...]), span > 0 {
        return Double(span) / 1e6
      }
    default: break
    }
    throw .invalid("/for", "bad_duration", "say for how long, such as \"30 min\" or 1800 (seconds)")
  }

  /// Hands a command to the stages; a refusal becomes the answer.
  func carryOut(_ command: OperatorCommand, key: Submission.Key? = nil) async throws {
    do throws(SubmissionError) {
      let result = try await gateway.submit(Submission(.command(.stage(command)), key: key))
      // A refusal that was answered before, under the same key.
      if let refusal = result.rejected.first {
        throw SubmissionError.refused(code: refusal.code, detail: refusal.detail)
      }
    } catch {
      guard case .refused(let code, let detail) = error else { throw Problem.from(error) }
      switch code {
      case _ where code.hasPrefix("unknown_"): throw Problem.notFound(detail)
      case "bad_body": throw Problem.invalid("", code, detail)
      default: throw Problem.conflict(detail)
      }
    }
  }

  @Sendable private func readAlarmJournal(_ call: Call) async throws -> Reply {
    try await eventList(
      call,
      names: [
        "AlarmRaised", "AlarmAcknowledged", "AlarmReturned", "AlarmLatched", "AlarmCleared",
        "AlarmShelved", "AlarmSuppressed", "AlarmOutOfService", "AlarmUpdated", "AlarmFloodBegan",
        "AlarmFloodEnded",
      ], isDerivedOnly: true)
  }

  // MARK: - Figures

  @Sendable private func readAlarmStatistics(_ call: Call) async throws -> Reply {
    let figures = await gateway.fetchAlarmFigures()
    return Reply(
      json: .object([
        ("consoles", .array(figures.consoles.map(Self.json))),
        ("standing", .array(figures.standing.map(Self.json))),
        ("bad_actors", .array(figures.badActors.map(Self.json))),
      ]))
  }

  /// The figures of ISA-18.2 for one operator console, with the values it recommends.
  private static func json(_ console: ConsoleReport) -> JSONValue {
    var members: [(String, JSONValue)] = [
      ("console", .string(console.console)), ("announced", .integer(console.announcements)),
      ("hours", .double(console.hours)), ("per_hour", .double(console.perHour)),
      ("per_hour_recommended", .number("6")), ("per_10_min", .double(console.perTenMinutes)),
      ("per_10_min_max", .integer(console.tenMinutesMax)), ("floods", .integer(console.floods)),
      ("flood_share", .double(console.floodShare)), ("is_flooded", .bool(console.isFlooded)),
    ]
    if let shares = console.priorityShares {
      members.append(
        (
          "priority_shares",
          .object([
            ("high", .double(shares.high)), ("medium", .double(shares.medium)),
            ("low", .double(shares.low)),
          ])
        ))
      members.append(
        (
          "priority_shares_recommended",
          .object([("high", .number("0.05")), ("medium", .number("0.15")), ("low", .number("0.8"))])
        ))
    }
    return .object(members)
  }

  private static func json(_ alarm: AlarmView) -> JSONValue {
    .object([
      ("alarm", .string(alarm.key.description)), ("state", .string(alarm.state.name)),
      ("priority", .string(alarm.priority.rawValue)), ("device", .string(alarm.device)),
      ("asset", .string(alarm.asset)), ("activations", .integer(alarm.statistics.activations)),
      ("chatterings", .integer(alarm.statistics.chatters)),
      ("active_seconds", .double(Double(alarm.statistics.activeMicroseconds) / 1e6)),
      ("longest_seconds", .double(Double(alarm.statistics.longestMicroseconds) / 1e6)),
    ])
  }
}

/// The language people read: English, or Brazilian Portuguese where it is asked for first.
enum Language: Sendable {
  case english
  case portuguese

  /// - Parameter header: `Accept-Language`; of its languages the heaviest that we have.
  init(accepting header: String?) {
    var best = (weight: 0.0, language: Language.english)
    for part in (header ?? "").split(separator: ",") {
      let pieces = part.split(separator: ";").map { $0.filter { $0 != " " } }
      guard let tag = pieces.first?.lowercased() else { continue }
      let weight = pieces.dropFirst().first.flatMap { Double($0.dropFirst(2)) } ?? 1
      let known: Language? =
        tag.hasPrefix("pt") ? .portuguese : tag.hasPrefix("en") || tag == "*" ? .english : nil
      if let known, weight > best.weight { best = (weight, known) }
    }
    self = best.language
  }

  /// An alarm with its text in this language, when the rule has one.
  func alarm(_ alarm: JSONValue) -> JSONValue {
    guard let members = alarm.members else { return alarm }
    let portuguese = alarm["text_pt"]?.text ?? ""
    return .object(
      members.compactMap { name, value in
        switch name {
        case "text_pt": nil
        case "text" where self == .portuguese && !portuguese.isEmpty: (name, .string(portuguese))
        default: (name, value)
        }
      })
  }
}
