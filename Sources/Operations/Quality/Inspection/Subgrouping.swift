import Telemetry

/// Which results belong into one subgroup.
public enum Subgrouping: Sendable, Hashable {
  /// Each result is one: a sample taken and counted by the inspector.
  case each
  /// So many values or inspected units in a row.
  case size(Int)
  /// Values of one order, at most so many of them.
  case order(max: Int)
  /// Values of one stretch of so many microseconds, counted from 1970 (UTC).
  case time(microseconds: Int64)

  /// Values kept for one subgroup at most.
  static let valuesMax = 1_000
}

/// Puts results together to subgroups as they come; bounded by 1,000 values.
public struct SubgroupBuilder: Sendable, Hashable {
  public static let formatVersion: UInt8 = 1

  public let subgrouping: Subgrouping
  private let sizeMax: Int
  private var values: [Double] = []
  private var count = 0
  private var inspected = 0
  private var time = Timestamp.distantPast
  /// Of the subgroup being gathered.
  private var order = ""
  private var stretch: Int64 = 0

  /// - Parameter sizeMax: the largest subgroup the chart takes; a subgroup that reaches it is closed.
  public init(_ subgrouping: Subgrouping, sizeMax: Int) {
    self.subgrouping = subgrouping
    self.sizeMax = min(sizeMax, Subgrouping.valuesMax)
  }

  /// Takes measured values of one result.
  public mutating func observe(
    _ measured: [Double], at time: Timestamp, order: String = ""
  ) -> [Subgroup] {
    var closed = closeIfOver(time, order)
    for value in measured {
      values.append(value)
      self.time = time
      if values.count >= fullSize { closed.append(contentsOf: close()) }
    }
    if case .each = subgrouping { closed.append(contentsOf: close()) }
    return closed
  }

  /// Takes one measured value: nothing is allocated unless a subgroup is complete.
  public mutating func observe(
    _ value: Double, at time: Timestamp, order: String = ""
  ) -> [Subgroup] {
    var closed = closeIfOver(time, order)
    values.append(value)
    self.time = time
    if values.count >= fullSize { closed.append(contentsOf: close()) }
    return closed
  }

  /// Takes a count of defectives or defects among inspected units.
  public mutating func observe(
    count: Int, inspected: Int, at time: Timestamp, order: String = ""
  ) -> [Subgroup] {
    var closed = closeIfOver(time, order)
    let (sum, isTooMany) = self.count.addingReportingOverflow(count)
    let (units, isTooLarge) = self.inspected.addingReportingOverflow(inspected)
    if isTooMany || isTooLarge {
      closed.append(contentsOf: close())
      (self.count, self.inspected) = (count, inspected)
    } else {
      (self.count, self.inspected) = (sum, units)
    }
    self.time = time
    var isFull = false
    switch subgrouping {
    case .each: isFull = true
    case .size(let size): isFull = self.inspected >= size
    case .order(let largest): isFull = self.inspected >= largest
    case .time: break
    }
    if isFull { closed.append(contentsOf: close()) }
    return closed
  }

  /// Ends a stretch of time that is over at `now` though nothing came since.
  public mutating func tick(_ now: Timestamp) -> [Subgroup] {
    guard case .time = subgrouping else { return [] }
    return closeIfOver(now, order)
  }

  private var fullSize: Int {
    switch subgrouping {
    case .each: 1_000_000
    case .size(let size): min(size, sizeMax)
    case .order(let largest): min(largest, sizeMax)
    case .time: sizeMax
    }
  }

  private mutating func closeIfOver(_ time: Timestamp, _ order: String) -> [Subgroup] {
    switch subgrouping {
    case .each, .size: return []
    case .order:
      let closed = order == self.order ? [] : close()
      self.order = order
      return closed
    case .time(let width):
      let next = time.microseconds.flooredQuotient(max(1, width))
      let closed = next > stretch ? close() : []
      stretch = max(next, stretch)
      return closed
    }
  }

  private mutating func close() -> [Subgroup] {
    defer {
      values.removeAll(keepingCapacity: true)
      count = 0
      inspected = 0
    }
    if !values.isEmpty { return [Subgroup(time: time, values: values)] }
    return inspected > 0 ? [Subgroup(time: time, count: count, inspected: inspected)] : []
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.varint(UInt64(values.count))
    for value in values { writer.double(value) }
    writer.varint(UInt64(count))
    writer.varint(UInt64(inspected))
    writer.zigzag(time.microseconds)
    writer.text(order)
    writer.zigzag(stretch)
  }

  /// Goes on where `encode` stopped, under the same settings.
  public init(
    _ subgrouping: Subgrouping, sizeMax: Int, from reader: inout ByteReader
  ) throws(ByteReader.Truncated) {
    self.init(subgrouping, sizeMax: sizeMax)
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    let length = try reader.varint()
    guard length <= UInt64(Subgrouping.valuesMax) else { throw ByteReader.Truncated() }
    for _ in 0..<length { values.append(try reader.double()) }
    count = Int(truncatingIfNeeded: try reader.varint())
    inspected = Int(truncatingIfNeeded: try reader.varint())
    time = Timestamp(microseconds: try reader.zigzag())
    order = try reader.text()
    stretch = try reader.zigzag()
  }
}
