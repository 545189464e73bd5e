import GRDB
import Telemetry

/// How devices get into SQLite.
///
/// A device is written as it stands now, not as each item of the journal said: a replay into a database
/// that replaces a damaged one begins with old names, which other devices may have by now.
extension Store {
  /// Writes the devices among the rows that wait.
  /// - Returns: those devices.
  func writeDevices(_ db: Database) throws -> [DeviceDefinition] {
    var changed = Set<UInt32>()
    for row in pending.items {
      if case .device(let device) = row.item { changed.insert(device.index) }
    }
    let devices = changed.sorted().compactMap { index in
      Int(index) < catalog.devices.count ? catalog.devices[Int(index)] : nil
    }
    try write(devices, db)
    return devices
  }

  /// What was refused of a device under a former name is found under the one it has. What is held because
  /// that name was unknown keeps it: an adoption asks for it.
  func followNames(of devices: [DeviceDefinition], _ db: Database) throws {
    let renamed = devices.filter { !$0.was.isEmpty }
    guard !renamed.isEmpty else { return }
    let present = Set(catalog.devices.map(\.id))
    let follow = try db.cachedStatement(
      sql: "UPDATE quarantine SET device = ? WHERE device = ? AND cause <> ?")
    let unknown = Int64(Quarantined.Cause.unknownDevice.rawValue)
    for device in renamed {
      for old in device.was where !present.contains(old) {
        try follow.execute(arguments: [device.id, old, unknown])
      }
    }
  }

  /// Names are unique: those that change are given up before the first new one is taken.
  func write(_ devices: [DeviceDefinition], _ db: Database) throws {
    let find = try db.cachedStatement(sql: "SELECT name FROM device WHERE id = ?")
    let giveUp = try db.cachedStatement(sql: "UPDATE device SET name = ? WHERE id = ?")
    for device in devices {
      let id = Int64(device.index)
      guard let old = try String.fetchOne(find, arguments: [id]), old != device.id else { continue }
      // No id holds a control character.
      try giveUp.execute(arguments: ["\u{1}\(id)", id])
    }
    let put = try db.cachedStatement(
      sql: """
        INSERT INTO device (id, name, profile, asset, adopted, placed, was)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
        name = excluded.name, profile = excluded.profile, asset = excluded.asset,
        adopted = excluded.adopted, placed = excluded.placed, was = excluded.was
        """)
    for device in devices {
      try put.execute(arguments: [
        Int64(device.index), device.id, device.profile, device.asset, device.isAdopted,
        device.isPlaced, device.was.joined(separator: "\n"),
      ])
    }
  }
}
