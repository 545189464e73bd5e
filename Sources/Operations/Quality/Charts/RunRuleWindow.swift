import Telemetry

/// The last points of a chart and the rules that watch them; bounded, O(points of the longest rule) a point.
struct RunRuleWindow: Sendable, Hashable {
  struct Point: Sendable, Hashable {
    /// Counted from 0 since the chart began.
    var index: Int
    var time: Timestamp
    /// As it is drawn.
    var value: Double
    /// From the centre line, in σ of this point.
    var distance: Double
  }

  /// Oldest first, at most fifteen.
  private(set) var points: [Point] = []

  init() { points.reserveCapacity(RunRule.spanMax + 1) }

  mutating func observe(_ point: Point) {
    points.append(point)
    if points.count > RunRule.spanMax { points.removeFirst() }
  }

  mutating func removeAll() { points.removeAll(keepingCapacity: true) }

  /// Whether the newest point completes the pattern of `rule`, and on which side.
  func side(of rule: RunRule) -> RunSide? {
    switch rule {
    case .nelson1, .westernElectric1: return beyond(3, needed: 1, span: 1)
    case .nelson2: return beyond(0, needed: 9, span: 9)
    case .nelson3: return trend(6)
    case .nelson4: return alternating(14) ? .both : nil
    case .nelson5, .westernElectric2: return beyond(2, needed: 2, span: 3)
    case .nelson6, .westernElectric3: return beyond(1, needed: 4, span: 5)
    case .nelson7:
      guard let last = last(15) else { return nil }
      return last.allSatisfy { $0.distance.magnitude < 1 } ? .both : nil
    case .nelson8:
      guard let last = last(8), last.allSatisfy({ $0.distance.magnitude > 1 }) else { return nil }
      let upper = last.count { $0.distance > 0 }
      return upper > 0 && upper < 8 ? .both : nil
    case .westernElectric4: return beyond(0, needed: 8, span: 8)
    }
  }

  /// The points that make the pattern, for a signal just raised.
  func evidence(of rule: RunRule, _ side: RunSide) -> [Point] {
    let window = points.suffix(rule.span)
    let edge: Double
    switch rule {
    case .nelson5, .westernElectric2: edge = 2
    case .nelson6, .westernElectric3: edge = 1
    default: return Array(window)
    }
    return window.filter { (side == .upper ? $0.distance : -$0.distance) > edge }
  }

  private func last(_ count: Int) -> ArraySlice<Point>? {
    points.count >= count ? points.suffix(count) : nil
  }

  private func beyond(_ edge: Double, needed: Int, span: Int) -> RunSide? {
    guard let newest = points.last, newest.distance.magnitude > edge else { return nil }
    let sign: Double = newest.distance > 0 ? 1 : -1
    var found = 0
    for point in points.suffix(span) where sign * point.distance > edge { found += 1 }
    return found >= needed ? (sign > 0 ? .upper : .lower) : nil
  }

  /// Judged in σ from the centre line, so that a change of the sample size alone makes no trend.
  private func trend(_ count: Int) -> RunSide? {
    guard let last = last(count) else { return nil }
    let pairs = zip(last, last.dropFirst())
    if pairs.allSatisfy({ $0.distance < $1.distance }) { return .upper }
    return pairs.allSatisfy { $0.distance > $1.distance } ? .lower : nil
  }

  private func alternating(_ count: Int) -> Bool {
    guard let last = last(count) else { return false }
    var rising: Bool?
    for (a, b) in zip(last, last.dropFirst()) {
      guard a.distance != b.distance, rising != (a.distance < b.distance) else { return false }
      rising = a.distance < b.distance
    }
    return true
  }

  func encode(into writer: inout ByteWriter) {
    writer.varint(UInt64(points.count))
    for point in points {
      writer.varint(UInt64(point.index))
      writer.zigzag(point.time.microseconds)
      writer.double(point.value)
      writer.double(point.distance)
    }
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    self.init()
    let count = try reader.varint()
    guard count <= UInt64(RunRule.spanMax) else { throw ByteReader.Truncated() }
    for _ in 0..<count {
      let index = Int(truncatingIfNeeded: try reader.varint())
      let time = Timestamp(microseconds: try reader.zigzag())
      let value = try reader.double()
      points.append(
        Point(index: index, time: time, value: value, distance: try reader.double()))
    }
  }
}
