import Payloads
import Telemetry

extension Resolver {
  enum DeviceVerdict {
    case known(UInt32)
    /// Neither declared nor adopted, and unknown devices are held.
    case held(String)
    case refused(Refused)
  }

  /// Positions of a point for which the expected series is remembered.
  static let expectedMax = 32

  /// The device of a point: named by the payload, or by the topic.
  @inline(__always)
  mutating func device(
    of point: Point, _ pass: MessagePass, _ outcome: inout Outcome, _ batch: inout Batch
  ) -> DeviceVerdict {
    if let slice = point.device, slice.count > 0, plans[pass.plan].payloadNamesDevice {
      let name = pass.bytes(slice)
      if let index = deviceNames.value(name) { return .known(UInt32(index)) }
      let id = String(decoding: name, as: UTF8.self).replacingSlashes
      let verdict = device(id, point, pass, &outcome, &batch)
      if case .known(let index) = verdict { deviceNames.insert(name, value: Int(index)) }
      return verdict
    }
    let known =
      pass.isScalar ? plans[pass.plan].scalarDevice.index : plans[pass.plan].device.index
    if let known { return .known(known) }
    return topicDevice(point, pass, &outcome, &batch)
  }

  @inline(never)
  private mutating func topicDevice(
    _ point: Point, _ pass: MessagePass, _ outcome: inout Outcome, _ batch: inout Batch
  ) -> DeviceVerdict {
    let id = (pass.isScalar ? plans[pass.plan].scalarDevice.id : plans[pass.plan].device.id)
      .replacingSlashes
    let verdict = device(id, point, pass, &outcome, &batch)
    if case .known(let index) = verdict {
      if pass.isScalar {
        plans[pass.plan].scalarDevice.index = index
      } else {
        plans[pass.plan].device.index = index
      }
    }
    return verdict
  }

  private mutating func device(
    _ id: String, _ point: Point, _ pass: MessagePass, _ outcome: inout Outcome,
    _ batch: inout Batch
  ) -> DeviceVerdict {
    if let index = registry.deviceIndex(id) {
      locate(index, by: plans[pass.plan].asset, &batch)
      makeRoom(forDevice: index)
      return .known(index)
    }
    if let refusal = Resolver.refusalOfID(id) { return .refused(refusal) }
    let declared = declaredIndexes[id].map { configuration.devices[$0] }
    let policy =
      pass.message.unknownDevices ?? plans[pass.plan].unknownDevices
      ?? configuration.settings.unknownDevices
    if declared == nil, policy == .quarantine { return .held(id) }
    if let refusal = registry.refusalOfDevice(id) { return .refused(refusal) }
    let place = plans[pass.plan].asset
    let definition = DeviceDefinition(
      index: UInt32(registry.devices.count), id: id,
      profile: declared?.profile ?? profile(of: point, pass),
      asset: declared.flatMap { $0.asset.isEmpty ? nil : $0.asset } ?? place,
      isAdopted: declared == nil)
    define(.device(definition), in: &batch)
    if !place.isEmpty { located.insert(ToldPlace(device: definition.index, asset: place)) }
    outcome.newDevices += 1
    makeRoom(forDevice: definition.index)
    return .known(definition.index)
  }

  /// The payload's device type when a profile has that name, else the announced one, else the route's profile.
  private func profile(of point: Point, _ pass: MessagePass) -> String {
    if let slice = point.deviceType {
      let type = String(decoding: pass.bytes(slice), as: UTF8.self)
      if profileIndexes[type] != nil { return type }
    }
    let announced = plans[pass.plan].deviceType
    if !announced.isEmpty, profileIndexes[announced] != nil { return announced }
    return plans[pass.plan].profile
  }

  mutating func define(_ item: Item, in batch: inout Batch) {
    batch.items.append(item)
    registry.apply(item)
  }

  private mutating func makeRoom(forDevice index: UInt32) {
    let missing = (Int(index) + 1) * Resolver.expectedMax - expected.count
    if missing > 0 { expected.append(contentsOf: repeatElement(.max, count: missing)) }
  }

  static func refusalOfID(_ id: String) -> Refused? {
    if id.isEmpty {
      return Refused(
        code: "no_device",
        detail: "the payload names no device and the topic does not tell one; add a route with "
          + "`device:` in devices/*.yaml")
    }
    if id.utf8.count > 128 || id.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
      return Refused(
        code: "bad_device_id",
        detail: "a device id has at most 128 bytes and no control characters: "
          + "`\(String(id.prefix(40)).printable)`")
    }
    return nil
  }
}

extension String {
  /// Device ids hold no slash: it separates device and metric in `device/metric`.
  var replacingSlashes: String {
    utf8.contains(0x2F) ? String(map { $0 == "/" ? "." : $0 }) : self
  }

  /// Control characters as `\u{…}`, for messages.
  var printable: String {
    unicodeScalars.map { $0.value < 32 || $0.value == 127 ? $0.escaped(asASCII: true) : String($0) }
      .joined()
  }
}
