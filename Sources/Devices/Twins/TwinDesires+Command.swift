import Telemetry

extension TwinDesires {
  /// The one command: what a person desires of a device.
  public static let commandName = "twin.desire"

  /// Carries out `twin.desire` about the device `target`, whole or not at all; its body is a `DesirePatch`.
  ///
  /// A patch that changes something gives the device a new version and sends one command for each property that
  /// is set, in this record. A refusal is an event as well.
  /// - Returns: the version of what is desired now, or why nothing was done: `unknown_command`, `no_principal`,
  ///   `bad_body`, `expired`, `unknown_device`, `version_conflict`, `unknown_property`, `read_only`,
  ///   `wrong_type`, `wrong_unit`, `out_of_range`, `stale_input`, `not_permitted`, `rate_limited`.
  @discardableResult
  public mutating func command(
    _ command: OperatorCommand, at moment: RecordMoment, into output: inout TwinOutput
  ) -> Result<UInt64, CommandRefusal> {
    do throws(CommandRefusal) {
      return .success(try carryOut(command, at: moment, into: &output))
    } catch {
      var event = TwinEvent(.refused, device: command.target, at: moment.wall)
      event.principal = command.principal
      event.remark = command.remark
      event.version = version(ofDevice: command.target)
      event.refusal = error
      event.asked = String(command.body.prefix(1_000))
      output.events.append(event)
      return .failure(error)
    }
  }

  /// A property that is to be set, or to `nil` taken back; checked.
  private struct Wish {
    var name: String
    var property: DesiredProperty?
    var value: Value?
  }

  private mutating func carryOut(
    _ command: OperatorCommand, at moment: RecordMoment, into output: inout TwinOutput
  ) throws(CommandRefusal) -> UInt64 {
    guard command.name == Self.commandName else {
      throw CommandRefusal(
        code: "unknown_command", detail: "there is no command '\(command.name)' for twins")
    }
    guard command.principal.contains(where: { !$0.isWhitespace }) else {
      throw CommandRefusal(
        code: "no_principal", detail: "a desired state is set by somebody with a name")
    }
    let patch = try DesirePatch(command.body)
    if let limit = patch.notAfter, moment.wall > limit {
      throw CommandRefusal(
        code: "expired", detail: "the command was to be carried out until \(limit.rfc3339)")
    }
    let device = try device(command.target)
    let present = version(ofDevice: device.id)
    if let seen = patch.version, seen != present {
      throw CommandRefusal(
        code: "version_conflict",
        detail: "the desired state of `\(device.id)` is at version \(present), not \(seen): "
          + "read it again before you change it")
    }
    var wishes: [Wish] = []
    for (name, value) in patch.members {
      if let wish = try wish(name, value, of: device, at: moment) { wishes.append(wish) }
    }
    guard !wishes.isEmpty else { return present }
    let state = openState(ofDevice: device.index)
    states[state].version += 1
    for wish in wishes {
      fulfil(
        wish, of: state, device, command, notAfter: patch.notAfter, at: moment, into: &output)
    }
    publish(state, at: moment, into: &output)
    setDeadline()
    return states[state].version
  }

  private func device(_ id: String) throws(CommandRefusal) -> DeviceDefinition {
    if let device = catalog.devices.last(where: { $0.id == id }) { return device }
    if let now = catalog.presentID(ofFormer: id) {
      throw CommandRefusal(
        code: "unknown_device", detail: "the device `\(id)` is called `\(now)` now")
    }
    let hint = nearestName(to: id, among: catalog.devices.map(\.id))
    throw CommandRefusal(
      code: "unknown_device",
      detail: "there is no device `\(id)`" + (hint.map { ", did you mean `\($0)`?" } ?? ""))
  }

  /// - Returns: `nil` when there is nothing to do: what is to be taken back is not desired.
  private func wish(
    _ name: String, _ value: JSONValue, of device: DeviceDefinition, at moment: RecordMoment
  ) throws(CommandRefusal) -> Wish? {
    let state = stateIndex(ofDevice: device.index).map { states[$0] }
    let present = state?.index(of: name).flatMap { state?.entries[$0] }
    if value.isNull, present != nil { return Wish(name: name, property: nil, value: nil) }
    guard let property = plan(ofDevice: device.index)?.desired.first(where: { $0.name == name })
    else { throw readOnly(name, of: device) }
    guard !value.isNull else { return nil }
    let wanted = try property.value(of: value, present: present?.value)
    for permission in property.permittedWhen {
      try check(permission, for: property, of: device, at: moment)
    }
    if let last = state?.lastWrite(of: name) {
      let wait = last + property.rateLimit.microseconds - moment.elapsedMicroseconds
      guard wait <= 0 else {
        throw CommandRefusal(
          code: "rate_limited",
          detail: "`\(name)` of `\(device.id)` was set less than "
            + "\(shortest(Double(property.rateLimit.microseconds) / 1e6)) s ago: "
            + "retry after \((wait + 999_999) / 1_000_000) s")
      }
    }
    return Wish(name: name, property: property, value: wanted)
  }

  private func readOnly(_ name: String, of device: DeviceDefinition) -> CommandRefusal {
    let writable = plan(ofDevice: device.index)?.desired.map(\.name) ?? []
    let declared = profiles.first { $0.id == device.profile }?.metrics.map(\.name) ?? []
    let heard = catalog.series(ofDevice: device.index).map { catalog.series[Int($0)].metric }
    if declared.contains(name) || heard.contains(name) {
      return CommandRefusal(
        code: "read_only",
        detail: "`\(name)` of `\(device.id)` is read-only: "
          + (device.profile.isEmpty
            ? "the device has no profile"
            : "the profile `\(device.profile)` has no `desired` for it"))
    }
    let hint = nearestName(to: name, among: writable + declared + heard)
    return CommandRefusal(
      code: "unknown_property",
      detail: "`\(device.id)` has no property `\(name)`"
        + (hint.map { ", did you mean `\($0)`?" } ?? ""))
  }

  private func check(
    _ permission: PermittingState, for property: DesiredProperty, of device: DeviceDefinition,
    at moment: RecordMoment
  ) throws(CommandRefusal) {
    let words = permission.words.joined(separator: ", ")
    guard let slot = watchSlot(ofDevice: device.index, metric: permission.metric),
      watches[slot].isFresh(at: moment.elapsedMicroseconds)
    else {
      throw CommandRefusal(
        code: "stale_input",
        detail: "`\(property.name)` may be set while `\(permission.metric)` is \(words), but what "
          + "it is now is not known")
    }
    let series = catalog.series[Int(watches[slot].series)]
    let now = catalog.value(watches[slot].bits, type: series.type).shown
    guard permission.words.contains(now) else {
      throw CommandRefusal(
        code: "not_permitted",
        detail: "`\(property.name)` may be set while `\(permission.metric)` is \(words); "
          + "now it is \(now)")
    }
  }

  // MARK: - Doing it

  private mutating func fulfil(
    _ wish: Wish, of state: Int, _ device: DeviceDefinition, _ command: OperatorCommand,
    notAfter: Timestamp?, at moment: RecordMoment, into output: inout TwinOutput
  ) {
    let before = states[state].index(of: wish.name)
    var event = TwinEvent(.changed, device: device.id, property: wish.name, at: moment.wall)
    event.principal = command.principal
    event.remark = command.remark
    event.version = states[state].version
    event.old = before.map { states[state].entries[$0].value }
    event.new = wish.value
    guard let property = wish.property, let value = wish.value else {
      if let before {
        event.unit = states[state].entries[before].unit
        states[state].entries.remove(at: before)
      }
      output.events.append(event)
      return
    }
    let entry = entry(
      property, value, device, state: state, command, notAfter: notAfter, at: moment)
    states[state].put(entry)
    states[state].noteWrite(of: wish.name, at: moment.elapsedMicroseconds)
    event.unit = entry.unit
    event.id = entry.id
    event.messages = [message(entry, property, to: device)]
    output.events.append(event)
    // A device that is already there may have nothing new to say.
    if entry.status == .converged {
      event.kind = .converged
      event.old = reported(entry.link)
      event.seconds = 0
      event.messages = []
      output.events.append(event)
    }
  }

  private func entry(
    _ property: DesiredProperty, _ value: Value, _ device: DeviceDefinition, state: Int,
    _ command: OperatorCommand, notAfter: Timestamp?, at moment: RecordMoment
  ) -> DesiredEntry {
    let end = moment.wall.advanced(byMicroseconds: property.expires.microseconds)
    let expires = notAfter.map { min($0, end) } ?? end
    let life = expires.microseconds(since: moment.wall)
    var entry = DesiredEntry(
      property: property.name, value: value, unit: property.unit?.code ?? "", since: moment.wall,
      principal: command.principal, remark: command.remark,
      // The sequence keeps it unique should the versions ever begin anew.
      id: "\(device.id)/\(property.name)/\(moment.sequence).\(states[state].version)",
      expires: expires, asked: moment.elapsedMicroseconds,
      expiry: moment.elapsedMicroseconds + life,
      deadline: moment.elapsedMicroseconds + property.timeout.microseconds)
    entry.link = link(of: entry, device: device.index)
    if let found = reported(entry.link), property.isReached(value, by: found) {
      entry.status = .converged
    }
    return entry
  }

  private func message(
    _ entry: DesiredEntry, _ property: DesiredProperty, to device: DeviceDefinition
  ) -> TwinMessage {
    let fill: (CommandTemplate.Place) -> JSONValue = { place in
      switch place {
      case .device: .string(device.id)
      case .property: .string(property.name)
      case .value: JSONValue(entry.value)
      case .raw: JSONValue(property.raw(entry.value))
      case .unit: entry.unit.isEmpty ? .null : .string(entry.unit)
      case .id: .string(entry.id)
      case .expires: .string(entry.expires.rfc3339)
      }
    }
    return TwinMessage(
      topic: property.topic.filled { topicLevel(fill($0).text ?? "") },
      payload: property.payload.filled(fill), isState: false, id: entry.id, expires: entry.expires)
  }
}
