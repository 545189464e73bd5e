/// How the detectors of a gateway behave; the same for all series unless a series says otherwise.
///
/// Times are in µs. Defaults are meant for many noisy signals that nobody tuned.
public struct DetectionSettings: Sendable, Equatable {
  static let day: Int64 = 86_400_000_000

  /// Nothing is reported as new before: a week shows shifts and a weekend.
  public var learningMicroseconds = 7 * day
  /// Values a series must have shown as well.
  public var learningValues: UInt32 = 200
  /// A series younger than this needs more: the limit is multiplied by this time over its age. Chance records
  /// of noise become rarer as 1/age, and this takes the early ones away.
  public var maturityMicroseconds = 56 * day
  /// How long a peak hides lesser ones.
  public var debounceMicroseconds: Int64 = 8 * 3_600_000_000
  /// An episode ends when nothing was above the threshold for so long.
  public var quietMicroseconds: Int64 = 3_600_000_000
  /// Silence: how many usual intervals between samples; 1.5 × the longest of late counts as well.
  public var silenceFactor = 20.0
  /// Flat line: how many usual intervals between changes; 1.5 × the longest of late counts as well.
  public var flatLineFactor = 50.0
  /// Flat line: so many times as long is tolerated at the value at which the series stood still before. Nights
  /// teach weekends.
  public var restFactor = 8.0
  /// Drift: how far the level must be beyond all of a day ago and older, as a share of their range.
  public var driftShare = 0.15
  /// Channels of a device are looked at together, as rows this far apart.
  public var rowMicroseconds: Int64 = 10_000_000
  /// Rows kept to train with, spread over `learningMicroseconds`; 0: channels are not looked at together.
  public var trainingRows = 1_000

  public init() {}
}

/// What is special about one series.
public struct SeriesDetectionOptions: Sendable, Equatable {
  /// Declared engineering range, in the unit of the series.
  public var range: ClosedRange<Double>?
  /// Control charts; `nil`: none.
  public var charts: ChartDetector.Baseline?
  /// A sample is due at least this often; `nil`: as often as usual.
  public var silentMicroseconds: Int64?
  /// It moves at least this often; `nil`: as often as usual.
  public var unchangedMicroseconds: Int64?

  public init(
    range: ClosedRange<Double>? = nil, charts: ChartDetector.Baseline? = nil,
    silentMicroseconds: Int64? = nil, unchangedMicroseconds: Int64? = nil
  ) {
    self.range = range
    self.charts = charts
    self.silentMicroseconds = silentMicroseconds
    self.unchangedMicroseconds = unchangedMicroseconds
  }
}
