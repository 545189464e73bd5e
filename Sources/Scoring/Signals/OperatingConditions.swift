import Statistics
import Telemetry

/// Takes the operating point out of sensor readings: altitude and speed of an engine, recipe of a
/// press.
///
/// Where the settings jump between few points and most sensors follow them, each reading is told in
/// standard deviations from its sensor's mean at that point. Where they do not, readings stay as they
/// are.
public struct OperatingConditions: Sendable, Equatable {
  static let conditionsMax = 32
  private static let formatVersion: UInt8 = 1

  private var centres: [[Double]] = []
  private var spans: [Double] = []
  private var means: [[Double]] = []
  private var deviations: [[Double]] = []

  /// Distinct operating points; 1 when readings stay as they are.
  public var count: Int { max(1, centres.count) }

  /// Readings stay as they are.
  public init() {}

  /// Looks for operating points.
  ///
  /// Each setting is cut where its sorted values leave a gap above 5 % of its range; a point is a
  /// combination of pieces. Points count only when they explain at least half of the variance of at
  /// least half of the sensors that vary: noise on a setting looks like points too, but no sensor
  /// follows it.
  public init(settings: Matrix, sensors: Matrix) {
    let groups = Self.groups(of: settings)
    let names = Array(Set(groups)).sorted()
    guard names.count > 1, names.count <= Self.conditionsMax else { return }
    var centres: [[Double]] = []
    var means: [[Double]] = []
    var deviations: [[Double]] = []
    var within = [Double](repeating: 0, count: sensors.columnCount)
    for name in names {
      let rows = groups.indices.filter { groups[$0] == name }
      let moments = ColumnMoments(sensors.rows(at: rows))
      centres.append(ColumnMoments(settings.rows(at: rows)).means)
      means.append(moments.means)
      deviations.append(moments.deviations)
      for sensor in within.indices {
        let deviation = moments.deviations[sensor]
        within[sensor] += deviation * deviation * Double(rows.count - 1)
      }
    }
    let total = ColumnMoments(sensors)
    let varying = within.indices.filter { total.deviations[$0] > 1e-9 * total.means[$0].magnitude }
    let following = varying.filter {
      let all = total.deviations[$0] * total.deviations[$0] * Double(sensors.rowCount - 1)
      return within[$0] < 0.5 * all
    }
    guard !varying.isEmpty, following.count * 2 >= varying.count else { return }
    spans = (0..<settings.columnCount).map { Self.range(settings.column($0)) }
    (self.centres, self.means, self.deviations) = (centres, means, deviations)
  }

  /// The number of the piece combination that each row belongs to.
  private static func groups(of settings: Matrix) -> [Int] {
    var groups = [Int](repeating: 0, count: settings.rowCount)
    for column in 0..<settings.columnCount {
      let values = settings.column(column)
      let gap = 0.05 * range(values)
      guard gap > 0 else { continue }
      let sorted = values.sorted()
      var cuts: [Double] = []
      for (a, b) in zip(sorted, sorted.dropFirst()) where b - a > gap { cuts.append((a + b) / 2) }
      // More pieces than points are allowed is no set of points at all.
      guard cuts.count < conditionsMax else { continue }
      for row in values.indices {
        let piece = cuts.firstIndex { values[row] < $0 } ?? cuts.count
        groups[row] = groups[row] * (cuts.count + 1) + piece
      }
    }
    return groups
  }

  private static func range(_ values: [Double]) -> Double {
    guard let low = values.min(), let high = values.max() else { return 0 }
    return high - low
  }

  /// The readings with the operating point taken out; a sensor that is constant there becomes 0.
  public func normalize(settings: some Collection<Double>, sensors: [Double]) -> [Double] {
    guard !centres.isEmpty else { return sensors }
    let point = nearest(Array(settings))
    return sensors.indices.map {
      let deviation = deviations[point][$0]
      return deviation > 1e-9 * means[point][$0].magnitude
        ? (sensors[$0] - means[point][$0]) / deviation : 0
    }
  }

  private func nearest(_ settings: [Double]) -> Int {
    var (best, distance) = (0, Double.infinity)
    for (index, centre) in centres.enumerated() {
      var sum = 0.0
      for column in centre.indices where spans[column] > 0 {
        let delta = (settings[column] - centre[column]) / spans[column]
        sum += delta * delta
      }
      if sum < distance { (best, distance) = (index, sum) }
    }
    return best
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.doubles(spans)
    writer.varint(UInt64(centres.count))
    for index in centres.indices {
      writer.doubles(centres[index])
      writer.doubles(means[index])
      writer.doubles(deviations[index])
    }
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    spans = try reader.doubles()
    for _ in 0..<(try reader.length()) {
      centres.append(try reader.doubles())
      means.append(try reader.doubles())
      deviations.append(try reader.doubles())
      guard centres[centres.count - 1].count == spans.count,
        means[means.count - 1].count == deviations[deviations.count - 1].count,
        means[means.count - 1].count == means[0].count
      else { throw ByteReader.Truncated() }
    }
  }
}

extension ByteWriter {
  mutating func doubles(_ list: [Double]) {
    varint(UInt64(list.count))
    for number in list { double(number) }
  }
}

extension ByteReader {
  mutating func doubles() throws(Truncated) -> [Double] {
    let count = try length()
    var list: [Double] = []
    for _ in 0..<count { list.append(try double()) }
    return list
  }
}
