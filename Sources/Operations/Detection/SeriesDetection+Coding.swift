import Telemetry

extension SeriesDetection {
  public static let version: UInt8 = 2

  /// The whole state; restored, it goes on bit for bit as if it had never stopped. Settings are not part of it.
  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.version)
    writer.varint(numbered)
    writer.fixed(soonest)
    writer.varint(UInt64(watches.count))
    for slot in watches.indices {
      watches[slot].encode(into: &writer)
      writer.fixed(deadlines[slot])
    }
    writer.varint(UInt64(charts.count))
    for chart in charts { chart.encode(into: &writer) }
    writer.varint(UInt64(machines.count))
    for machine in machines { machine.encode(into: &writer) }
  }

  /// - Throws: `Truncated` for bytes that are too short, of another version, or that name what is not there.
  public init(
    settings: DetectionSettings, from reader: inout ByteReader
  ) throws(ByteReader.Truncated) {
    self.init(settings: settings)
    guard try reader.byte() == Self.version else { throw ByteReader.Truncated() }
    numbered = try reader.varint()
    soonest = try reader.fixed(Int64.self)
    for slot in 0..<(try reader.length()) {
      let watch = try SeriesWatch(from: &reader)
      // Indexes are dense: one this high is damage, not a series.
      guard watch.series < 100_000_000 else { throw ByteReader.Truncated() }
      watches.append(watch)
      deadlines.append(try reader.fixed(Int64.self))
      while slots.count <= Int(watch.series) { slots.append(-1) }
      slots[Int(watch.series)] = Int32(slot)
    }
    for _ in 0..<(try reader.length()) { charts.append(try ChartDetector(from: &reader)) }
    for _ in 0..<(try reader.length()) { machines.append(try MachineWatch(from: &reader)) }
    for watch in watches {
      guard watch.chart < charts.count, watch.machine < machines.count else {
        throw ByteReader.Truncated()
      }
      guard watch.machine < 0 || watch.channel < machines[Int(watch.machine)].series.count else {
        throw ByteReader.Truncated()
      }
    }
  }
}
