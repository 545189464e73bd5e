import GRDB
import Telemetry

extension Catalog {
  static func load(_ db: Database) throws -> Catalog {
    var catalog = Catalog()
    let devices = try Row.fetchCursor(
      db,
      sql: "SELECT id, name, profile, asset, adopted, placed, was FROM device ORDER BY id")
    while let row = try devices.next() {
      catalog.apply(
        .device(
          DeviceDefinition(
            index: UInt32(truncatingIfNeeded: row[0] as Int64), id: row[1], profile: row[2],
            asset: row[3], isAdopted: row[4], isPlaced: row[5],
            was: (row[6] as String).split(separator: "\n").map(String.init))))
    }
    let series = try Row.fetchCursor(
      db,
      sql: "SELECT id, device, metric, type, kind, unit, description FROM series ORDER BY id")
    while let row = try series.next() {
      catalog.apply(
        .series(
          SeriesDefinition(
            index: UInt32(truncatingIfNeeded: row[0] as Int64),
            device: UInt32(truncatingIfNeeded: row[1] as Int64), metric: row[2],
            type: ValueType(rawValue: UInt8(truncatingIfNeeded: row[3] as Int64)) ?? .number,
            kind: MetricKind(rawValue: UInt8(truncatingIfNeeded: row[4] as Int64)) ?? .gauge,
            unit: row[5], description: row[6])))
    }
    let words = try Row.fetchCursor(db, sql: "SELECT id, text FROM word ORDER BY id")
    while let row = try words.next() {
      catalog.apply(.word(id: UInt32(truncatingIfNeeded: row[0] as Int64), text: row[1]))
    }
    return catalog
  }
}
