import GRDB
import Telemetry

/// How devices get into SQLite.
///
/// A device is written as it stands now, not as each item of the journal said: a replay into a database
/// that replaces a damaged one begins with old names, which other devices may have by now.
extension Store {
  /// The devices among the rows that wait.
  func writeDevices(_ db: Database) throws {
    var changed = Set<UInt32>()
    for row in pending.items {
      if case .device(let device) = row.item { changed.insert(device.index) }
    }
    let devices = changed.sorted().compactMap { index in
      Int(index) < catalog.devices.count ? catalog.devices[Int(index)] : nil
    }
    try write(devices, db)
  }

  /// Names are unique: those that change are given up before the first new one is taken.
  func write(_ devices: [DeviceDefinition], _ db: Database) throws {
    let find = try db.cachedStatement(sql: "SELECT name FROM device WHERE id = ?")
    let giveUp = try db.cachedStatement(sql: "UPDATE device SET name = ? WHERE id = ?")
    let follow = try db.cachedStatement(sql: "UPDATE quarantine SET device = ? WHERE device = ?")
    var renamed: [(old: String, new: String)] = []
    for device in devices {
      let id = Int64(device.index)
      guard let old = try String.fetchOne(find, arguments: [id]), old != device.id else { continue }
      // No id holds a control character.
      try giveUp.execute(arguments: ["\u{1}\(id)", id])
      if device.was.contains(old) { renamed.append((old, device.id)) }
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
    // What is held of a device is found under the name it has.
    for (old, new) in renamed { try follow.execute(arguments: [new, old]) }
  }
}
