import Telemetry

/// What an operator changes of a known device; `nil` stays as it is.
public struct DeviceChange: Hashable, Sendable {
  /// The new id. The old one joins `was`: messages under it stay the device's own.
  public var id: String?
  /// ISA-95 path that no route changes any more; empty: where its route says.
  public var asset: String?
  /// Empty: none.
  public var profile: String?
  /// Former ids that it keeps; a device that uses another one is a new device from then on.
  public var was: [String]?

  public init(
    id: String? = nil, asset: String? = nil, profile: String? = nil, was: [String]? = nil
  ) {
    self.id = id
    self.asset = asset
    self.profile = profile
    self.was = was
  }
}

/// What a route said of the place of a device.
struct ToldPlace: Hashable, Sendable {
  var device: UInt32
  var asset: String
}

/// Who a device is and where it stands. Its number never changes, and series, samples and chunks know the
/// number alone: so history follows a device through every new id and place.
extension Resolver {
  private static let toldPlacesMax = 100_000

  /// Makes a device known by an operator's word, or gives a known one another profile.
  ///
  /// A former id means the device that had it; it then keeps its profile where none is given.
  /// - Returns: the items for the journal, already applied; empty when nothing changes.
  /// - Throws: `Refused` when the id or profile cannot be, the registry is full, or the device is
  ///   declared in devices/*.yaml with another profile.
  public mutating func adopt(device id: String, profile: String = "") throws(Refused) -> [Item] {
    if registry.presentDeviceIndex(id) == nil, let index = registry.formerDeviceIndex(id) {
      guard !profile.isEmpty else { return [] }
      return try adopt(device: registry.devices[Int(index)].id, profile: profile)
    }
    try check(id: id)
    try check(profile: profile)
    if let declared = declaredIndexes[id], configuration.devices[declared].profile != profile {
      throw Refused(
        code: "declared_device",
        detail: "device `\(id)` is declared in devices/*.yaml: change its profile there")
    }
    var definition: DeviceDefinition
    if let known = registry.presentDeviceIndex(id) {
      definition = registry.devices[Int(known)]
      definition.profile = profile
    } else {
      if let refusal = registry.refusalOfDevice(id) { throw refusal }
      definition = DeviceDefinition(
        index: UInt32(registry.devices.count), id: id, profile: profile,
        asset: declaredIndexes[id].map { configuration.devices[$0].asset } ?? "",
        isAdopted: declaredIndexes[id] == nil)
    }
    var items: [Item] = []
    update(definition, &items)
    if !items.isEmpty { emptyCaches() }
    return items
  }

  /// Renames a device, moves it or gives it another profile.
  ///
  /// - Parameter seen: the device as the operator saw it; `nil`: however it stands.
  /// - Returns: the items for the journal, already applied; empty when nothing changes.
  /// - Throws: `Refused` with the code `unknown_device`, `device_changed` (it is no longer as seen),
  ///   `declared_device`, `device_exists`, `bad_device_id`, `bad_asset`, `unknown_profile` or
  ///   `unknown_former_id`.
  public mutating func change(
    device id: String, _ change: DeviceChange, seen: DeviceDefinition? = nil
  ) throws(Refused) -> [Item] {
    guard let index = registry.presentDeviceIndex(id) else {
      throw Refused(code: "unknown_device", detail: "there is no device `\(id)`")
    }
    let before = registry.devices[Int(index)]
    if let seen, seen != before {
      throw Refused(
        code: "device_changed", detail: "device `\(id)` was changed meanwhile; look at it again")
    }
    guard declaredIndexes[id] == nil else {
      throw Refused(
        code: "declared_device",
        detail: "device `\(id)` is declared: change it in devices/*.yaml"
          + (change.id == nil ? "" : "; a new id there with `was: [\(id)]` keeps its history"))
    }
    var definition = before
    try forget(except: change.was, &definition)
    try rename(&definition, to: change.id)
    try place(&definition, at: change.asset)
    if let profile = change.profile {
      try check(profile: profile)
      definition.profile = profile
    }
    var items: [Item] = []
    update(definition, &items)
    if !items.isEmpty {
      emptyCaches()
      located.removeAll()
    }
    return items
  }

  /// A device that neither its declaration nor an operator placed stands where its route says.
  ///
  /// Asked once for each topic. A place that was told before under the same configuration is not told
  /// again: a device whose topics say different places must not move to and fro with its messages.
  mutating func locate(_ index: UInt32, by asset: String, _ batch: inout Batch) {
    guard !asset.isEmpty else { return }
    if located.count > Resolver.toldPlacesMax { located.removeAll() }
    guard located.insert(ToldPlace(device: index, asset: asset)).inserted else { return }
    var definition = registry.devices[Int(index)]
    let isDeclared =
      declaredIndexes[definition.id].map { !configuration.devices[$0].asset.isEmpty } ?? false
    guard !definition.isPlaced, !isDeclared, definition.asset != asset, AssetPath(asset) != nil
    else { return }
    definition.asset = asset
    define(.device(definition), in: &batch)
  }

  /// Puts a declaration in force; the known device of a former id becomes the declared one.
  mutating func declare(
    _ device: DeclaredDevice, _ items: inout [Item], _ warnings: inout [String]
  ) {
    var known = registry.presentDeviceIndex(device.id)
    var was: [String] = []
    for id in device.was {
      if let other = registry.presentDeviceIndex(id) {
        if known == nil {
          known = other
        } else {
          warnings.append(
            "device `\(device.id)` was `\(id)` by its declaration, but both exist with a history of "
              + "their own: nothing was merged, and messages of `\(id)` stay with `\(id)`")
          continue
        }
      } else if let other = registry.formerDeviceIndex(id), other != known {
        warnings.append(
          "device `\(device.id)` was `\(id)` by its declaration, but so was "
            + "`\(registry.devices[Int(other)].id)`, which keeps the messages of `\(id)`")
        continue
      }
      was.append(id)
    }
    takeBack(device.id, for: known, &items, &warnings)
    if known == nil, let refusal = registry.refusalOfDevice(device.id) {
      return warnings.append(refusal.detail)
    }
    var definition =
      known.map { registry.devices[Int($0)] }
      ?? DeviceDefinition(index: UInt32(registry.devices.count), id: device.id)
    definition.id = device.id
    for id in definition.was where !device.was.contains(id) && declaredIndexes[id] == nil {
      warnings.append(
        "device `\(device.id)` no longer gets messages of `\(id)`, its former id: its declaration does "
          + "not say `was: [\(id)]`")
    }
    definition.was = was
    definition.profile = device.profile
    // A route may have placed a device whose declaration does not.
    if !device.asset.isEmpty {
      definition.asset = device.asset
      definition.isPlaced = false
    }
    definition.isAdopted = false
    update(definition, &items)
  }

  /// Applies a definition and notes it for the journal, unless it is known as it is.
  mutating func update(_ definition: DeviceDefinition, _ items: inout [Item]) {
    let index = Int(definition.index)
    guard index >= registry.devices.count || registry.devices[index] != definition else { return }
    registry.apply(.device(definition))
    items.append(.device(definition))
  }
}

extension Resolver {
  /// The device that was called `id` before no longer hears to it: a declared one is.
  private mutating func takeBack(
    _ id: String, for known: UInt32?, _ items: inout [Item], _ warnings: inout [String]
  ) {
    guard let other = registry.formerDeviceIndex(id), other != known else { return }
    var definition = registry.devices[Int(other)]
    definition.was.removeAll { $0 == id }
    update(definition, &items)
    warnings.append(
      "device `\(id)` is declared; `\(definition.id)`, which was called so, no longer gets its messages"
    )
  }

  private func forget(
    except kept: [String]?, _ definition: inout DeviceDefinition
  ) throws(Refused) {
    guard let kept else { return }
    for id in kept where !definition.was.contains(id) {
      throw Refused(
        code: "unknown_former_id",
        detail: "device `\(definition.id)` was never `\(id)`; a new `id` keeps the old one here")
    }
    definition.was.removeAll { !kept.contains($0) }
  }

  private func rename(_ definition: inout DeviceDefinition, to id: String?) throws(Refused) {
    guard let id, id != definition.id else { return }
    try check(id: id)
    if let other = registry.deviceIndex(id), other != definition.index {
      let present = registry.devices[Int(other)].id
      throw Refused(
        code: "device_exists",
        detail: present == id
          ? "there is a device `\(id)` already; two devices are never merged"
          : "`\(id)` is a former id of device `\(present)`, which still gets its messages")
    }
    definition.was.removeAll { $0 == id }
    definition.was.append(definition.id)
    definition.id = id
  }

  private func place(_ definition: inout DeviceDefinition, at asset: String?) throws(Refused) {
    guard let asset else { return }
    guard asset.isEmpty || AssetPath(asset) != nil else {
      throw Refused(
        code: "bad_asset",
        detail: "`\(asset)` is not an asset path such as `enterprise/site/area/line/unit`")
    }
    definition.asset = asset
    definition.isPlaced = !asset.isEmpty
  }

  private func check(id: String) throws(Refused) {
    if let refusal = Resolver.refusalOfID(id) { throw refusal }
    guard !id.contains("/") else {
      throw Refused(code: "bad_device_id", detail: "a device id must not hold a slash: `\(id)`")
    }
  }

  private func check(profile: String) throws(Refused) {
    guard !profile.isEmpty, profileIndexes[profile] == nil else { return }
    let suggestion = nearestName(to: profile, among: configuration.profiles.map(\.id))
    throw Refused(
      code: "unknown_profile",
      detail: "unknown profile `\(profile)`"
        + (suggestion.map { ", did you mean `\($0)`?" } ?? ""))
  }
}
