import Telemetry

/// Remembers where values have been, on 128 cells, and says how far a new one is from all of them.
///
/// The grid spans the range seen so far with a quarter of it to spare on either side, and is drawn anew when
/// a value leaves it. Memory has two generations: `turn()` makes the present one the old one and forgets the
/// one before, so a value is known for one to two generations after it was last seen.
///
/// ```
///        low                                                high
///         |-- slack --|■■■·■■········■■■■■■|-- slack --|
///                     least             most          a new value at · is new by the distance
///                                                     to the nearest ■, over most - least
/// ```
struct NoveltyGrid: Sendable {
  static let cells = 128
  static let slack: Float = 0.25

  private var recent: UInt128 = 0
  private var older: UInt128 = 0
  /// Edges of the grid; equal until two different values were seen.
  private var low: Float = 0
  private var high: Float = 0
  /// The range seen; `least` above `most`: nothing was.
  private var least: Float = .infinity
  private var most: Float = -.infinity

  /// Largest less smallest value seen; 0 when there were not two.
  var range: Float { max(most - least, 0) }

  /// Notes a value.
  /// - Returns: the distance to the nearest value seen so far, as a share of the range with the new value
  ///   in it: 0 for a known place, at most 1.
  mutating func observe(_ value: Float) -> Float {
    guard least < most else { return observeEarly(value) }
    if value < least || value > most { return extend(to: value) }
    let cell = self.cell(of: value)
    let known = recent | older
    let bit: UInt128 = 1 &<< UInt128(cell)
    recent |= bit
    guard known & bit == 0 else { return 0 }
    let above = (known &>> UInt128(cell)).trailingZeroBitCount
    let below = (known &<< UInt128(Self.cells - 1 - cell)).leadingZeroBitCount
    let steps = min(above, below)
    // The ends of the range always lie in known cells; right after a turn they may not.
    guard steps < Self.cells else { return 0 }
    return Float(steps) * (high - low) / Float(Self.cells) / (most - least)
  }

  private mutating func observeEarly(_ value: Float) -> Float {
    if least > most {
      (least, most) = (value, value)
      return 0
    }
    guard value != least else { return 0 }
    (least, most) = (min(least, value), max(most, value))
    let room = Self.slack * (most - least)
    (low, high) = (least - room, most + room)
    (recent, older) = (0, 0)
    recent |= bit(of: least) | bit(of: most)
    return 1
  }

  private mutating func extend(to value: Float) -> Float {
    let distance = value < least ? least - value : value - most
    (least, most) = (min(least, value), max(most, value))
    let room = Self.slack * (most - least)
    if value < low {
      redraw(low: value - room, high: high)
    } else if value > high {
      redraw(low: low, high: value + room)
    }
    recent |= bit(of: value)
    return distance / (most - least)
  }

  /// Lets values fade that were not seen since the turn before.
  mutating func turn() {
    older = recent
    recent = 0
    guard least < most else { return }
    guard older != 0 else {
      self = NoveltyGrid()
      return
    }
    let width = (high - low) / Float(Self.cells)
    least = max(least, low + Float(older.trailingZeroBitCount) * width)
    most = min(most, low + Float(Self.cells - older.leadingZeroBitCount) * width)
    guard least < most else {
      self = NoveltyGrid()
      return
    }
    if most - least < (high - low) / 4 {
      let room = Self.slack * (most - least)
      redraw(low: least - room, high: most + room)
    }
  }

  private func cell(of value: Float) -> Int {
    let place = (value - low) / (high - low) * Float(Self.cells)
    return Int(min(max(place, 0), Float(Self.cells - 1)))
  }

  private func bit(of value: Float) -> UInt128 { 1 &<< UInt128(cell(of: value)) }

  private mutating func redraw(low newLow: Float, high newHigh: Float) {
    let (oldLow, width) = (low, (high - low) / Float(Self.cells))
    let (oldRecent, oldOlder) = (recent, older)
    (low, high, recent, older) = (newLow, newHigh, 0, 0)
    recent = moved(oldRecent, from: oldLow, width: width)
    older = moved(oldOlder, from: oldLow, width: width)
  }

  /// The cells of the grid as it is now that lie under the marked ones of the grid as it was.
  private func moved(_ marks: UInt128, from start: Float, width: Float) -> UInt128 {
    var (rest, result): (UInt128, UInt128) = (marks, 0)
    while rest != 0 {
      let index = Float(rest.trailingZeroBitCount)
      rest &= rest - 1
      let first = cell(of: start + width * (index + 0.001))
      let last = cell(of: start + width * (index + 0.999))
      for cell in first...max(first, last) { result |= 1 &<< UInt128(cell) }
    }
    return result
  }

  func encode(into writer: inout ByteWriter) {
    for marks in [recent, older] {
      writer.fixed(UInt64(truncatingIfNeeded: marks))
      writer.fixed(UInt64(truncatingIfNeeded: marks >> 64))
    }
    for edge in [low, high, least, most] { writer.float(edge) }
  }

  init() {}

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    recent = UInt128(try reader.fixed(UInt64.self))
    recent |= UInt128(try reader.fixed(UInt64.self)) << 64
    older = UInt128(try reader.fixed(UInt64.self))
    older |= UInt128(try reader.fixed(UInt64.self)) << 64
    low = try reader.float()
    high = try reader.float()
    least = try reader.float()
    most = try reader.float()
    // What is damaged is forgotten: a number that is not one must not become a cell.
    guard least < most else {
      if least != most || !least.isFinite { self = NoveltyGrid() }
      return
    }
    guard low <= least, most <= high, (high - low).isFinite else {
      self = NoveltyGrid()
      return
    }
  }
}
