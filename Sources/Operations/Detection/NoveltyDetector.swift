import Statistics
import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// Tells how new a value is for its series, from five views, strictly causally and in constant memory.
///
/// Novelty of a view = distance from the new value to the nearest one seen so far, over the range seen so far
/// (`NoveltyGrid`). The views are the value, its residual to the usual value of the hour (`HourProfile`), its
/// residual to an autoregression (`AutoregressiveFilter`), the standard deviation and the mean of the last
/// values (`MovingDeviation`, an EWMA with weight 1/12). Each is discounted by 0.3·σ/√(2·ln n), a share of the
/// step by which n Gaussian values exceed their own maximum, so that noise setting its usual records stays
/// quiet. The sum s becomes the score s / (s + 0.045): 0.5, the alarm threshold, at 0.045 ranges. The constants
/// were chosen on the public Numenta benchmark (docs/models.md) and are the same for every series.
///
/// Values are seen relative to the first one, in single precision. What was not seen for 90 to 180 days is
/// new again.
public struct NoveltyDetector: Sendable {
  /// Scores from here on are anomalies.
  public static let alarmThreshold = 0.5
  public static let version: UInt8 = 1
  /// Eight hours: how long a peak hides lesser ones.
  public static let debounceMicroseconds: Int64 = 8 * 3_600_000_000

  static let limit = 0.045
  static let discount: Float = 0.3
  static let levelWeight: Float = 1.0 / 12
  /// Values over which mean and variance are taken.
  static let memory: UInt32 = 20_000
  /// Farther from the first value a value counts as this far: squares must stay finite.
  static let distanceMax = 1e17
  static let generationMicroseconds: Int64 = 90 * 86_400_000_000

  /// Values taken.
  public private(set) var count: UInt32 = 0
  /// The time of the newest value; `distantPast` before the first.
  public private(set) var latest = Timestamp.distantPast
  private var anchor = 0.0
  private var turned: Int64 = 0
  private var level: Float = 0
  private var bar = DebounceBar()
  private var deviation = MovingDeviation()
  private var filter = AutoregressiveFilter()
  private var grids = InlineArray<5, NoveltyGrid>(repeating: NoveltyGrid())
  private var moments = InlineArray<5, FadingMoments>(repeating: FadingMoments())
  private var profile = HourProfile()

  public init() {}

  /// Why a detector starts anew.
  public enum ResetReason: UInt8, Sendable {
    case recipeChange = 0
    case maintenance = 1
    case requested = 2
  }

  /// Takes the next value.
  ///
  /// - Parameters:
  ///   - value: not finite: ignored.
  ///   - time: not after the newest value's: ignored.
  ///   - debounce: how long a peak counts, in µs.
  public mutating func observe(
    _ value: Double, at time: Timestamp, debounce: Int64 = NoveltyDetector.debounceMicroseconds
  ) -> DetectionScore {
    guard value.isFinite, time > latest else { return .quiet(value) }
    if count == 0 {
      anchor = value
      turned = time.microseconds
    }
    latest = time
    count = count == .max ? count : count + 1
    while time.microseconds - turned > Self.generationMicroseconds { turn(at: time) }
    var views = InlineArray<5, Float>(repeating: 0)
    let distance = max(min(value - anchor, Self.distanceMax), -Self.distanceMax)
    let expectation = look(Float(distance), HourProfile.Slot(time), &views)
    return score(views, expectation, at: time, debounce: debounce)
  }

  /// Forgets what was usual, the last peak and the last time: the next value is the first one.
  public mutating func reset(_ reason: ResetReason) { self = NoveltyDetector() }

  private mutating func turn(at time: Timestamp) {
    // After a year of silence two turns are enough.
    turned = max(
      turned + Self.generationMicroseconds, time.microseconds - 2 * Self.generationMicroseconds)
    for index in 0..<5 { grids[index].turn() }
  }

  private struct Expectation {
    var mean: Float
    var variance: Float
  }

  /// Fills in the novelty of each view.
  private mutating func look(
    _ value: Float, _ slot: HourProfile.Slot, _ views: inout InlineArray<5, Float>
  ) -> Expectation {
    let weight = FadingMoments.weight(count: count, memory: Self.memory)
    moments[0].observe(value, weight: weight)
    let (mean, sigma) = (moments[0].mean, moments[0].variance.squareRoot())
    // √(2·ln n): how many σ the largest of n Gaussian values lies above their mean.
    let reach = (2 * logf(Float(count) + 10)).squareRoot()
    views[0] = novelty(0, value, reach)

    let usual = profile.expectation(at: slot)
    if let usual {
      moments[1].observe(value - usual, weight: weight)
      views[1] = novelty(1, value - usual, reach)
    }
    profile.observe(value, at: slot, mean: mean, variance: moments[0].variance)

    let standard = sigma > 0 ? (value - mean) / sigma : 0
    let raw = filter.observe(standard) * sigma
    let error = raw.magnitude < Float(Self.distanceMax) ? raw : 0
    if count > AutoregressiveFilter.order {
      moments[2].observe(error, weight: weight)
      views[2] = novelty(2, error, reach)
    }

    let spread = deviation.observe(value)
    if count > 36 {
      moments[3].observe(spread, weight: weight)
      views[3] = novelty(3, spread, reach)
    }

    level = count == 1 ? value : level + Self.levelWeight * (value - level)
    if count > 12 {
      moments[4].observe(level, weight: weight)
      views[4] = novelty(4, level, reach)
    }

    let predicted = Expectation(mean: value - error, variance: moments[2].variance)
    guard let usual, moments[1].variance < moments[2].variance || count <= 6 else {
      return predicted
    }
    return Expectation(mean: usual, variance: moments[1].variance)
  }

  @inline(__always)
  private mutating func novelty(_ view: Int, _ value: Float, _ reach: Float) -> Float {
    let distance = grids[view].observe(value)
    guard distance > 0 else { return 0 }
    let usual = Self.discount * moments[view].variance.squareRoot() / (grids[view].range * reach)
    return max(distance - usual, 0)
  }

  private mutating func score(
    _ views: InlineArray<5, Float>, _ expectation: Expectation, at time: Timestamp, debounce: Int64
  ) -> DetectionScore {
    var sum = 0.0
    for view in 0..<5 { sum += Double(views[view]) }
    let passed = bar.pass(Float(sum), at: time.microseconds, memory: debounce)
    let undebounced = DetectionScore.squashed(sum / Self.limit)
    var contributions = InlineArray<5, Double>(repeating: 0)
    if sum > 0 {
      for view in 0..<5 { contributions[view] = undebounced * Double(views[view]) / sum }
    }
    return DetectionScore(
      value: passed > 0 ? undebounced : 0, undebounced: undebounced, contributions: contributions,
      expected: anchor + Double(expectation.mean), scale: Double(expectation.variance.squareRoot()))
  }

  // MARK: Saved state

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.version)
    writer.fixed(count)
    writer.fixed(latest.microseconds)
    writer.double(anchor)
    writer.fixed(turned)
    writer.float(level)
    bar.encode(into: &writer)
    deviation.encode(into: &writer)
    filter.encode(into: &writer)
    for view in 0..<5 { grids[view].encode(into: &writer) }
    for view in 0..<5 { moments[view].encode(into: &writer) }
    profile.encode(into: &writer)
  }

  /// - Throws: `Truncated` for bytes that are too short or of another version.
  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.version else { throw ByteReader.Truncated() }
    count = try reader.fixed(UInt32.self)
    latest = Timestamp(microseconds: try reader.fixed(Int64.self))
    anchor = try reader.double()
    turned = try reader.fixed(Int64.self)
    level = try reader.float()
    bar = try DebounceBar(from: &reader)
    deviation = try MovingDeviation(from: &reader)
    filter = try AutoregressiveFilter(from: &reader)
    for view in 0..<5 { grids[view] = try NoveltyGrid(from: &reader) }
    for view in 0..<5 { moments[view] = try FadingMoments(from: &reader) }
    profile = try HourProfile(from: &reader)
  }
}
