import Telemetry

/// A characteristic as results come: subgroups are put together, charted and watched.
///
/// One value costs O(1) but for the last of a subgroup; memory is bounded (see `ChartState`, `SubgroupBuilder`).
/// A characteristic of a profile needs one of these for each device.
public struct CharacteristicStream: Sendable, Equatable {
  public static let formatVersion: UInt8 = 1

  public private(set) var chart: ChartState
  private var builder: SubgroupBuilder

  /// - Parameter id: default: that of the characteristic; `id@device` by custom for those of a profile.
  public init(_ characteristic: Characteristic, id: String? = nil) {
    let settings = characteristic.chart
    chart = ChartState(id: id ?? characteristic.id, settings: settings)
    builder = SubgroupBuilder(
      characteristic.subgrouping, sizeMax: settings.type.subgroupSizes.upperBound)
  }

  /// Takes a sample of a metric, in the unit of the characteristic.
  /// - Throws: `ChartRefusal` when a complete subgroup cannot be charted; it is then lost, all else goes on.
  public mutating func observe(
    _ value: Double, at time: Timestamp, order: String = ""
  ) throws(ChartRefusal) -> [OutOfControl] {
    guard value.isFinite else { throw .notFinite }
    return try chart(builder.observe(value, at: time, order: order))
  }

  /// Takes an inspection result of this characteristic.
  public mutating func observe(_ result: InspectionResult) throws(ChartRefusal) -> [OutOfControl] {
    let order = result.order ?? ""
    if case .measured(let values) = result.finding {
      return try chart(builder.observe(values, at: result.time, order: order))
    }
    guard let (count, inspected) = result.count(chart.settings.type) else { return [] }
    return try chart(
      builder.observe(count: count, inspected: inspected, at: result.time, order: order))
  }

  /// Closes a subgroup by time that is over though nothing came since.
  public mutating func tick(_ now: Timestamp) throws(ChartRefusal) -> [OutOfControl] {
    try chart(builder.tick(now))
  }

  private mutating func chart(_ groups: [Subgroup]) throws(ChartRefusal) -> [OutOfControl] {
    var findings: [OutOfControl] = []
    for group in groups { findings += try chart.observe(group) }
    return findings
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    chart.encode(into: &writer)
    builder.encode(into: &writer)
  }

  /// Goes on where `encode` stopped.
  /// - Returns: `nil` when the characteristic is charted differently now: begin anew.
  public init?(
    _ characteristic: Characteristic, id: String? = nil, from reader: inout ByteReader
  ) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    let chart = try ChartState(from: &reader)
    let builder = try SubgroupBuilder(
      characteristic.subgrouping, sizeMax: characteristic.chart.type.subgroupSizes.upperBound,
      from: &reader)
    guard chart.settings == characteristic.chart, chart.id == id ?? characteristic.id else {
      return nil
    }
    self.chart = chart
    self.builder = builder
  }
}
