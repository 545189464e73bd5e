import Telemetry

/// What the sensors of a wearing machine say about its life so far: the features of remaining life.
///
/// Per sensor: mean of the last 5, 10 and 30 cycles; slope (per cycle) and standard deviation over
/// 30; change of the last five against the first 20; mean since the start. Then the cycle count.
/// A cycle is whatever unit of usage the readings come in: a flight, an operating hour, a press
/// stroke. O(1) to observe, about 300 bytes a sensor, whatever the age.
public struct LifeFeatures: Sendable, Equatable {
  static let firstCount = 20
  private static let formatVersion: UInt8 = 1

  private struct Sensor: Sendable, Equatable {
    var recent = RecentWindow()
    var count = 0
    var mean = 0.0
    var firstMean = 0.0

    mutating func observe(_ value: Double) {
      recent.append(value)
      count += 1
      mean += (value - mean) / Double(count)
      if count <= LifeFeatures.firstCount { firstMean += (value - firstMean) / Double(count) }
    }
  }

  private var sensors: [Sensor]
  /// Cycles since the beginning of this life.
  public private(set) var cycles = 0

  public init(sensorCount: Int) {
    sensors = [Sensor](repeating: Sensor(), count: sensorCount)
  }

  /// Takes in one cycle. A value that is not finite is a sensor that said nothing in this cycle.
  public mutating func observe(_ values: some Collection<Double>) {
    precondition(values.count == sensors.count, "a cycle has a value for every sensor")
    cycles += 1
    for (index, value) in values.enumerated() where value.isFinite {
      sensors[index].observe(value)
    }
  }

  /// Begins a new life: after a replacement that resets life.
  public mutating func reset() { self = LifeFeatures(sensorCount: sensors.count) }

  public static let perSensor = 7

  /// The names and units of `values`, for sensors of these names and units.
  public static func features(of sensors: [Feature], cycleUnit: String = "cycle") -> [Feature] {
    sensors.flatMap { sensor in
      [
        Feature("\(sensor.name) mean 5", unit: sensor.unit),
        Feature("\(sensor.name) mean 10", unit: sensor.unit),
        Feature("\(sensor.name) mean 30", unit: sensor.unit),
        Feature("\(sensor.name) slope 30", unit: "\(sensor.unit)/\(cycleUnit)"),
        Feature("\(sensor.name) deviation 30", unit: sensor.unit),
        Feature("\(sensor.name) change since first 20", unit: sensor.unit),
        Feature("\(sensor.name) mean since start", unit: sensor.unit),
      ]
    } + [Feature("age", unit: cycleUnit)]
  }

  /// The features as they stand, in the order of `features(of:)`; NaN where a sensor never spoke.
  public var values: [Double] {
    var row: [Double] = []
    row.reserveCapacity(sensors.count * Self.perSensor + 1)
    for sensor in sensors {
      let last = sensor.recent.mean(last: 5)
      let trend = sensor.recent.trend()
      let known = sensor.count > 0
      row.append(last)
      row.append(sensor.recent.mean(last: 10))
      row.append(sensor.recent.mean(last: 30))
      row.append(known ? trend.slope : .nan)
      row.append(known ? trend.deviation : .nan)
      row.append(known ? last - sensor.firstMean : .nan)
      row.append(known ? sensor.mean : .nan)
    }
    row.append(Double(cycles))
    return row
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.varint(UInt64(cycles))
    writer.varint(UInt64(sensors.count))
    for sensor in sensors {
      sensor.recent.encode(into: &writer)
      writer.varint(UInt64(sensor.count))
      writer.double(sensor.mean)
      writer.double(sensor.firstMean)
    }
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    cycles = try reader.count()
    sensors = []
    for _ in 0..<(try reader.length()) {
      var sensor = Sensor()
      sensor.recent = try RecentWindow(from: &reader)
      sensor.count = try reader.count()
      sensor.mean = try reader.double()
      sensor.firstMean = try reader.double()
      sensors.append(sensor)
    }
  }
}

extension ByteReader {
  /// A number of things that fits an Int.
  mutating func count() throws(Truncated) -> Int {
    guard let value = Int(exactly: try varint()) else { throw Truncated() }
    return value
  }
}
