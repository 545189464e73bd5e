import Telemetry

/// The last reported value of one series that a desire or a permission depends on.
struct TwinWatch: Sendable {
  /// Index of the series.
  let series: UInt32
  /// Index of its device.
  let device: UInt32
  /// µs after which it is too old to permit anything; 0: it holds until it is said otherwise.
  var ageLimit: Int64
  private(set) var isKnown = false
  private(set) var bits: UInt64 = 0
  private(set) var time = Timestamp.epoch
  /// When it was heard, on the elapsed clock.
  private(set) var heard: Int64 = 0
  private(set) var quality = Quality.good

  init(series: UInt32, device: UInt32, ageLimit: Int64) {
    self.series = series
    self.device = device
    self.ageLimit = ageLimit
  }

  /// - Returns: whether it is the newest of its series.
  mutating func take(_ sample: Sample, at moment: RecordMoment) -> Bool {
    if isKnown, sample.isCurrentOnly || sample.time < time { return false }
    isKnown = true
    bits = sample.bits
    time = sample.time
    heard = moment.elapsedMicroseconds
    quality = sample.quality
    return true
  }

  /// The value no longer holds.
  mutating func lose(_ quality: Quality) { self.quality = quality }

  /// Known, not bad, and its source not gone.
  var isTrusted: Bool { isKnown && quality.severity != .bad && !quality.contains(.stale) }

  /// Trusted, and young enough to act on.
  func isFresh(at elapsed: Int64) -> Bool {
    isTrusted && (ageLimit == 0 || elapsed - heard <= ageLimit)
  }

  /// What was known of the series under an earlier configuration.
  mutating func keep(_ other: TwinWatch) {
    isKnown = other.isKnown
    bits = other.bits
    time = other.time
    heard = other.heard
    quality = other.quality
  }

  func encode(into out: inout ByteWriter) {
    out.varint(UInt64(series))
    out.fixed(bits)
    out.zigzag(time.microseconds)
    out.zigzag(heard)
    out.byte(quality.rawValue)
  }

  /// One that is known.
  init(from input: inout ByteReader) throws(ByteReader.Truncated) {
    series = UInt32(truncatingIfNeeded: try input.varint())
    device = 0
    ageLimit = 0
    isKnown = true
    bits = try input.fixed(UInt64.self)
    time = Timestamp(microseconds: try input.zigzag())
    heard = try input.zigzag()
    quality = Quality(rawValue: try input.byte())
  }
}
