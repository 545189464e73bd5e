import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// How often an entity shows itself: decayed counts at several half-lives and the time between events.
///
/// The same for a device that reports and for a person who uses it: silence of the one is absence of
/// the other. O(1) an event.
public struct ActivityState: Sendable, Equatable {
  /// Half-lives of the counts, in seconds: an hour, a day, a week, thirty days.
  public static let halfLives: [Double] = [3_600, 86_400, 604_800, 2_592_000]
  private static let formatVersion: UInt8 = 1

  /// Counts as they stood at `last`.
  private var counts = SIMD4<Double>(repeating: 0)
  public private(set) var first: Timestamp?
  public private(set) var last: Timestamp?
  public private(set) var total = 0
  /// Fading mean and variance of ln(seconds between events), weight 0.05 for the newest.
  private var logGapMean = 0.0
  private var logGapVariance = 0.0
  private var gaps = 0

  public init() {}

  /// Takes in an event. One that is older than the last counts, and leaves the gaps alone.
  public mutating func observe(at time: Timestamp) {
    total += 1
    guard let last else {
      (first, self.last) = (time, time)
      counts = SIMD4(repeating: 1)
      return
    }
    let seconds = Double(time.microseconds(since: last)) / 1e6
    guard seconds >= 0 else {
      counts += Self.decay(-seconds)
      return
    }
    counts = counts * Self.decay(seconds) + SIMD4(repeating: 1)
    self.last = time
    observeGap(log(max(seconds, 1e-3)))
  }

  private mutating func observeGap(_ value: Double) {
    gaps += 1
    // The plain mean at first, until the fading one has seen enough.
    let weight = max(0.05, 1 / Double(gaps))
    let delta = value - logGapMean
    logGapMean += weight * delta
    logGapVariance = (1 - weight) * (logGapVariance + weight * delta * delta)
  }

  private static func decay(_ seconds: Double) -> SIMD4<Double> {
    var factors = SIMD4<Double>()
    for index in 0..<4 { factors[index] = exp2(-seconds / halfLives[index]) }
    return factors
  }

  /// Decayed counts at `now`, one per half-life; a steady rate r settles at r·halfLife/ln 2.
  public func counts(at now: Timestamp) -> [Double] {
    let seconds = max(0, last.map { Double(now.microseconds(since: $0)) / 1e6 } ?? 0)
    let decayed = counts * Self.decay(seconds)
    return (0..<4).map { decayed[$0] }
  }

  /// Seconds since the last event; `nil` before the first.
  public func silence(at now: Timestamp) -> Double? {
    last.map { max(0, Double(now.microseconds(since: $0)) / 1e6) }
  }

  /// Standard deviations by which ln(silence) exceeds the entity's own usual gap; `nil` below five
  /// gaps. Above 3 the entity is later than it hardly ever was.
  public func overdue(at now: Timestamp) -> Double? {
    guard gaps >= 5, let silence = silence(at: now) else { return nil }
    // A machine's gaps hardly vary; a tenth keeps jitter from looking like absence.
    return (log(max(silence, 1e-3)) - logGapMean) / max(logGapVariance.squareRoot(), 0.1)
  }

  public static let features =
    ["hour", "day", "week", "30 days"].map { Feature("activity \($0)") } + [
      Feature("silence", unit: "s"), Feature("overdue"),
    ]

  /// In the order of `features`; NaN where too little was seen.
  public func values(at now: Timestamp) -> [Double] {
    counts(at: now) + [silence(at: now) ?? .nan, overdue(at: now) ?? .nan]
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    for index in 0..<4 { writer.double(counts[index]) }
    writer.zigzag(first?.microseconds ?? .min)
    writer.zigzag(last?.microseconds ?? .min)
    writer.varint(UInt64(total))
    writer.double(logGapMean)
    writer.double(logGapVariance)
    writer.varint(UInt64(gaps))
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    for index in 0..<4 { counts[index] = try reader.double() }
    let (first, last) = (try reader.zigzag(), try reader.zigzag())
    self.first = first == .min ? nil : Timestamp(microseconds: first)
    self.last = last == .min ? nil : Timestamp(microseconds: last)
    total = try reader.count()
    logGapMean = try reader.double()
    logGapVariance = try reader.double()
    gaps = try reader.count()
  }
}
