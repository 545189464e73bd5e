import Telemetry

extension TwinDesires {
  /// The version of what is desired of a device, its ETag; 0: nothing ever was.
  public func version(ofDevice id: String) -> UInt64 {
    state(ofDevice: id)?.version ?? 0
  }

  private func state(ofDevice id: String) -> DesiredState? {
    guard let device = catalog.devices.last(where: { $0.id == id }) else { return nil }
    return stateIndex(ofDevice: device.index).map { states[$0] }
  }

  /// The row of kind `desired` of a device:
  /// `{"version":3,"properties":{"speed":{"value":1.2,"unit":"m/s","since":"…","by":"anna","remark":"…",
  /// "status":"pending","expires":"…","expired":false,"command":"…"}}}`.
  func standing(of state: Int, at moment: RecordMoment) -> Standing {
    let properties = states[state].entries.map { entry in
      (
        entry.property,
        JSONValue.object(
          Self.facts(of: entry) + [
            ("by", .string(entry.principal)), ("remark", .string(entry.remark)),
            ("expires", .string(entry.expires.rfc3339)), ("expired", .bool(entry.isExpired)),
            ("command", .string(entry.id)),
          ])
      )
    }
    let body = JSONValue.object([
      ("version", .integer(states[state].version)), ("properties", .object(properties)),
    ])
    return Standing(
      kind: TwinRecords.kind, key: deviceID(of: state), time: moment.wall, body: body.encoded)
  }

  /// Adds the standing, and what the broker keeps of it to the last event.
  func publish(_ state: Int, at moment: RecordMoment, into output: inout TwinOutput) {
    output.standings.append(standing(of: state, at: moment))
    guard let last = output.events.indices.last else { return }
    let entries = states[state].entries
    output.events[last].messages += [
      message("desired", entries, of: state),
      message("delta", entries.filter { $0.status != .converged }, of: state),
    ]
  }

  /// Empty, so that the broker forgets it, where there is nothing to tell. Who asked is no matter of the broker.
  private func message(_ name: String, _ entries: [DesiredEntry], of state: Int) -> TwinMessage {
    let properties = entries.map { ($0.property, JSONValue.object(Self.facts(of: $0))) }
    let body = JSONValue.object([
      ("version", .integer(states[state].version)), ("properties", .object(properties)),
    ])
    return TwinMessage(
      topic: "twin/\(topicLevel(deviceID(of: state)))/\(name)",
      payload: entries.isEmpty ? "" : body.encoded, isState: true, id: "", expires: nil)
  }

  private static func facts(of entry: DesiredEntry) -> [(String, JSONValue)] {
    [
      ("value", JSONValue(entry.value)), ("unit", .string(entry.unit)),
      ("since", .string(entry.since.rfc3339)), ("status", .string(entry.status.name)),
    ]
  }

  private func deviceID(of state: Int) -> String {
    catalog.devices[Int(states[state].device)].id
  }
}

/// A name as part of a topic to publish on: wildcards would make it invalid.
func topicLevel(_ name: String) -> String {
  String(name.map { $0 == "+" || $0 == "#" ? "_" : $0 })
}
