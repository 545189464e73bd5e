import Telemetry

extension TwinDocument {
  /// What was desired of a device at an earlier time, worked out from its events until then: the body that the
  /// standing of kind `desired` had.
  ///
  /// - Parameters:
  ///   - events: those of the one device, in their order, from its first desire on; others are passed over.
  ///   - time: the earlier time; later events are passed over.
  /// - Returns: `nil` when nothing had ever been desired.
  public static func desired(from events: [Event], at time: Timestamp) -> JSONValue? {
    var version: JSONValue?
    var entries: [(name: String, members: [(String, JSONValue)])] = []
    for event in events where event.time <= time {
      guard let kind = TwinEvent.Kind(rawValue: event.name), kind != .refused,
        // Written by ourselves; one that is damaged says nothing.
        let facts = try? JSONReader.read(Array(event.properties.utf8)),
        let name = facts["property"]?.text
      else { continue }
      version = facts["version"] ?? version
      let place = entries.firstIndex { $0.name == name }
      switch kind {
      case .withdrawn:
        if let place { entries.remove(at: place) }
      case .changed:
        if let place { entries.remove(at: place) }
        guard let new = facts["new"], !new.isNull else { continue }
        let index = entries.firstIndex { $0.name > name } ?? entries.count
        entries.insert((name, members(of: new, facts, since: event.time)), at: index)
      case .converged, .timedOut, .diverged:
        guard let place else { continue }
        settle(&entries[place].members, kind, at: event.time)
      case .refused: continue
      }
    }
    guard let version else { return nil }
    let properties = entries.map { entry in
      var members = entry.members
      // Nobody wrote down that a command expired; the clock tells.
      if JSONValue.object(members)["status"]?.text == DesiredEntry.Status.pending.name {
        settle(&members, nil, at: time)
      }
      return (entry.name, JSONValue.object(members))
    }
    return .object([("version", version), ("properties", .object(properties))])
  }

  private static func members(
    of new: JSONValue, _ facts: JSONValue, since: Timestamp
  ) -> [(String, JSONValue)] {
    [
      ("value", new), ("unit", facts["unit"] ?? .null), ("since", .string(since.rfc3339)),
      ("status", .string(DesiredEntry.Status.pending.name)), ("by", facts["by"] ?? .null),
      ("remark", facts["remark"] ?? .null), ("expires", facts["expires"] ?? .null),
      ("expired", .bool(false)), ("command", facts["command"] ?? .null),
    ]
  }

  /// Puts in the status after an event, and whether the command's time was over then.
  private static func settle(
    _ members: inout [(String, JSONValue)], _ kind: TwinEvent.Kind?, at time: Timestamp
  ) {
    let all = JSONValue.object(members)
    let isFirst = all["status"]?.text == DesiredEntry.Status.pending.name
    let isOver = all["expires"]?.text.flatMap { Timestamp(rfc3339: $0) }.map { time >= $0 } ?? false
    let status: DesiredEntry.Status? =
      switch kind {
      case .converged: .converged
      case .timedOut: .timedOut
      case .diverged: .diverged
      default: nil
      }
    for index in members.indices {
      if members[index].0 == "status", let status { members[index].1 = .string(status.name) }
      if members[index].0 == "expired", isFirst, isOver { members[index].1 = .bool(true) }
    }
  }
}
