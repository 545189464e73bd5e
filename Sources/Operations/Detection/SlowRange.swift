import Telemetry

/// How far the level of a series is beyond everything it was until a day ago.
///
/// `NoveltyDetector` measures each value against all values before it: a drift in small steps is known as soon as it
/// happens. Here the level, an EWMA with weight 1/12, is measured against levels that are at least a day old, as a
/// share of their range. Edges that are not reached any more creep inwards by 1 % a day.
struct SlowRange: Sendable, Equatable {
  private static let day: Int64 = 86_400_000_000
  private static let weight = 1.0 / 12
  private static let creep = 0.01
  /// A second report within a day wants half as much again.
  private static let worse = 1.5

  /// Least and largest level of a time; `low` above `high`: none.
  private struct Edges: Sendable, Equatable {
    var low = Double.infinity
    var high = -Double.infinity

    var isEmpty: Bool { low > high }

    mutating func include(_ other: Edges) {
      low = min(low, other.low)
      high = max(high, other.high)
    }
  }

  private var level = Double.nan
  /// A day old and older, the day before, today.
  private var known = Edges()
  private var before = Edges()
  private var today = Edges()
  private var turned: Int64 = .min
  /// The largest excess that was reported today.
  private var told = 0.0

  init() {}

  /// Takes a finite value.
  /// - Returns: the excess over the known range; 0 within it and while there is none.
  mutating func observe(_ value: Double, at elapsed: Int64) -> Double {
    if turned == .min { turned = elapsed }
    while elapsed - turned >= Self.day { turn(elapsed) }
    level = level.isNaN ? value : level + Self.weight * (value - level)
    today.include(Edges(low: level, high: level))
    let range = known.high - known.low
    guard !known.isEmpty, range > 0 else { return 0 }
    return max(level - known.high, known.low - level, 0) / range
  }

  /// Whether an excess is worth a report of its own; if so it is noted.
  mutating func passes(_ excess: Double) -> Bool {
    guard excess >= told * Self.worse else { return false }
    told = excess
    return true
  }

  /// The known level nearest to the present one.
  var expected: Double { min(max(level, known.low), known.high) }

  private mutating func turn(_ elapsed: Int64) {
    // After long silence one turn does the work of all.
    turned = elapsed - turned >= 3 * Self.day ? elapsed : turned + Self.day
    told = 0
    if !known.isEmpty, !before.isEmpty {
      if before.high < known.high { known.high -= Self.creep * (known.high - before.high) }
      if before.low > known.low { known.low += Self.creep * (before.low - known.low) }
    }
    known.include(before)
    before = today
    today = Edges()
  }

  func encode(into writer: inout ByteWriter) {
    writer.double(level)
    for edges in [known, before, today] {
      writer.double(edges.low)
      writer.double(edges.high)
    }
    writer.fixed(turned)
    writer.double(told)
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    level = try reader.double()
    known = Edges(low: try reader.double(), high: try reader.double())
    before = Edges(low: try reader.double(), high: try reader.double())
    today = Edges(low: try reader.double(), high: try reader.double())
    turned = try reader.fixed(Int64.self)
    told = try reader.double()
  }
}
