import Gateway
import HTTPTypes
import Storage
import Telemetry

extension RouteTable {
  var quarantineGroupRoutes: [Route] {
    let path = "/api/v1/quarantine/groups"
    return [
      Route(
        .get, path, scope: .read, parameters: ["cause"] + Paging.parameters, handler: listGroups),
      Route(
        .post, path + "/{id}/adopt", scope: .write, body: .json, isRepeatable: true,
        handler: adoptGroup),
      Route(.post, path + "/{id}/retry", scope: .write, isRepeatable: true) { call in
        try await retry(try await heldGroup(call), adopting: nil)
      },
      Route(.delete, path + "/{id}", scope: .write) { call in
        let group = try await heldGroup(call)
        _ = try await gateway.submit(Submission(.command(.discard(rows: group.rows))))
        await gateway.flush()
        return Reply(status: .noContent)
      },
    ]
  }

  @Sendable private func listGroups(_ call: Call) async throws -> Reply {
    let cause = try QuarantineForm.cause(call.query)
    let limit = try Paging.limit(call.query)
    let cursor = call.query["cursor"]
    let groups = try await heldGroups().filter { cause == nil || $0.cause == cause }
    // Groups are few and computed each time, so a cursor is just the last one told.
    let rest = groups.drop { cursor != nil && $0.id != cursor }
    guard cursor == nil || !rest.isEmpty else {
      throw Problem.badParameter("cursor", "its group is no longer there; begin anew")
    }
    let page = rest.dropFirst(cursor == nil ? 0 : 1).prefix(limit + 1)
    return Paging.list(
      page.prefix(limit).map(GroupForm.json),
      next: page.count > limit ? page.prefix(limit).last?.id : nil)
  }

  @Sendable private func adoptGroup(_ call: Call) async throws -> Reply {
    let profile = try QuarantineForm.profile(call)
    let group = try await heldGroup(call)
    guard group.cause == .unknownDevice || profile.isEmpty else {
      throw Problem.invalid(
        "/profile", "no_unknown_device",
        "a profile is given to unknown devices; those of this group are known or cannot be told: "
          + "change devices/*.yaml, reload and send `{}`")
    }
    return try await retry(group, adopting: profile)
  }

  private func retry(_ group: HeldGroup, adopting profile: String?) async throws -> Reply {
    let result = try await gateway.submit(
      Submission(.command(.retry(rows: group.rows, adopting: profile))))
    return Reply(
      json: .object([
        ("id", .string(group.id)), ("devices", GroupForm.devices(group)),
        ("device_count", .integer(group.devices.count)),
        ("ingested", .integer(result.accepted)),
        ("refused", QuarantineForm.refused(result.rejected)),
      ]))
  }

  private func heldGroups() async throws -> [HeldGroup] {
    await gateway.flush()
    return try await gateway.queries.fetch { HeldGroup.groups(of: try $0.heldPayloads()) }
  }

  private func heldGroup(_ call: Call) async throws -> HeldGroup {
    let id = call.part("id")
    guard let group = try await heldGroups().first(where: { $0.id == id }) else {
      throw Problem.notFound("the quarantine holds no group `\(id)`")
    }
    return group
  }
}

private enum GroupForm {
  static let devicesMax = 100

  static func json(_ group: HeldGroup) -> JSONValue {
    .object([
      ("id", .string(group.id)), ("cause", .string(group.cause.name)),
      ("reason", .string(group.reason)), ("topic", .optional(group.topic.nonEmpty)),
      ("shape", .string(group.shape)), ("count", .integer(group.count)),
      ("bytes", .integer(group.bytes)), ("first_received", .string(group.first.rfc3339)),
      ("last_received", .string(group.last.rfc3339)), ("devices", devices(group)),
      ("device_count", .integer(group.devices.count)), ("cut", .integer(group.cutCount)),
      ("advice", .string(group.advice)),
      ("example", QuarantineForm.json(group.example, isWhole: true)),
    ])
  }

  /// The first of them; `device_count` says how many there are.
  static func devices(_ group: HeldGroup) -> JSONValue {
    .array(group.devices.prefix(devicesMax).map(JSONValue.string))
  }
}
