import Telemetry

/// What one instance knows of one of its signals.
struct InputState: Hashable, Sendable {
  struct Flags: OptionSet, Hashable, Sendable {
    var rawValue: UInt8
    static let hasValue = Flags(rawValue: 1)
    static let hasPrevious = Flags(rawValue: 2)
    static let bad = Flags(rawValue: 4)
    static let uncertain = Flags(rawValue: 8)
    /// Its device, or the series, was reported gone.
    static let gone = Flags(rawValue: 16)
    /// `seen` is not an arrival: the gateway was away.
    static let rested = Flags(rawValue: 32)
  }

  var value = 0.0
  var previous = 0.0
  var flags: Flags = []
  var quality = Quality.good
  /// Elapsed time of its last arrival; of the binding or the last restart when that is later.
  var seen: Int64
  /// Elapsed time at which the value is too old; `Int64.max`: it holds until the next.
  var staleAt = Int64.max
  /// Elapsed time of its last sample as the rules see it.
  var time = Int64.min
  /// Time of the last sample by its source.
  var sourceTime = Int64.min
  /// Of the last sample, as it came.
  var bits: UInt64 = 0
  /// The last sample that came late, by its source.
  var lateTime = Int64.min
  /// How far the source's clock is behind ours, at least, in µs.
  var lag: Int64 = 0
  /// Mean time between arrivals, in µs (EWMA, 1/8).
  var interval = 0.0
  var intervals: UInt32 = 0

  // Settings, not state:

  /// Declared: a value is too old after so many µs; 0: learnt.
  var declaredLimit: Int64 = 0
  /// A state or event: it holds until the next one, if nothing is declared.
  var holds = false
  /// Each sample counts and none lasts.
  var isPulse = false
  /// Into the conversions of the engine; −1: none.
  var conversion: Int32 = -1

  init(seen: Int64) { self.seen = seen }

  static let learntLimitMin: Int64 = 5_000_000
  static let declaredLimitMin: Int64 = 1_000_000
  private static let intervalsMin: UInt32 = 8
  private static let lagMax: Int64 = 1_000_000_000_000_000_000

  /// µs after which a value is too old: three times its interval, at least 1 s when declared, 5 s
  /// when learnt; 0: it holds.
  var limit: Int64 {
    if declaredLimit > 0 { return declaredLimit }
    if holds || intervals < Self.intervalsMin { return 0 }
    return max(Self.learntLimitMin, Int64(3 * interval))
  }

  mutating func refreshStaleness() {
    let limit = limit
    staleAt = limit > 0 && flags.contains(.hasValue) ? seen + limit : .max
  }

  /// The elapsed time that a sample stands for; `nil`: it came late and changes nothing.
  ///
  /// Order is by the source's time; the spacing of samples that arrive together is theirs as well,
  /// while a source whose clock is
  /// always behind by the same is not. A source that only sends older times for longer than its
  /// limit has set its clock back.
  mutating func place(_ sample: Sample, at moment: RecordMoment) -> Int64? {
    let now = moment.elapsedMicroseconds
    if sample.isCurrentOnly { return flags.contains(.hasValue) ? nil : now }
    let source = sample.time.microseconds
    // Within bounds in which sums cannot overflow.
    let behind = max(-Self.lagMax, min(Self.lagMax, moment.wall.microseconds(since: sample.time)))
    // Of the same time with another value it is a correction: the last one counts.
    let isRepeated = source == sourceTime && !isPulse && sample.bits == bits
    if sourceTime == .min {
      lag = behind
    } else if source < sourceTime || isRepeated {
      let patience = max(Self.learntLimitMin, limit)
      let isSetBack = now - seen > patience && source > lateTime
      lateTime = source
      guard isSetBack else { return nil }
      lag = behind
    }
    lag = min(lag, behind)
    return max(time, now - (behind - lag))
  }

  /// Takes a sample that stands for `time`.
  mutating func take(
    _ sample: Sample, for time: Int64, at now: Int64, _ conversions: [Conversion]
  ) {
    self.time = time
    if !sample.isCurrentOnly {
      learn(arrival: now)
      sourceTime = sample.time.microseconds
      bits = sample.bits
      lateTime = .min
      seen = now
    }
    assign(sample, conversions)
    refreshStaleness()
  }

  /// The gateway was away until `now`: what did not come meanwhile is not missing yet.
  mutating func rest(until now: Int64) {
    guard now > seen else { return }
    seen = now
    flags.insert(.rested)
    refreshStaleness()
  }

  private mutating func learn(arrival now: Int64) {
    guard flags.contains(.hasValue), !flags.contains(.rested), now > seen else { return }
    let gap = Double(now - seen)
    interval = intervals == 0 ? gap : interval + (gap - interval) / 8
    intervals = min(intervals + 1, 1_000)
  }

  private mutating func assign(_ sample: Sample, _ conversions: [Conversion]) {
    if flags.contains(.hasValue), !flags.contains(.bad) {
      previous = value
      flags.insert(.hasPrevious)
    }
    var number = Double(bitPattern: sample.bits)
    if conversion == Self.wordConversion {
      number = Double(sample.bits)
    } else if conversion >= 0 {
      number = conversions[Int(conversion)].apply(number)
    }
    quality = sample.quality
    flags.insert(.hasValue)
    flags.subtract([.bad, .uncertain, .gone, .rested])
    switch sample.quality.severity {
    case .good: break
    case .uncertain: flags.insert(.uncertain)
    case .bad: flags.insert(.bad)
    }
    if sample.quality.contains(.stale) { flags.insert(.gone) }
    if !number.isFinite {
      flags.insert(.bad)
    } else {
      value = number
    }
  }

  /// `conversion` of words and booleans, whose bits are whole numbers.
  static let wordConversion: Int32 = -2

  func encode(into out: inout ByteWriter) {
    out.double(value)
    out.double(previous)
    out.byte(flags.rawValue)
    out.byte(quality.rawValue)
    for time in [seen, staleAt, time, sourceTime, lateTime, lag] { out.fixed(time) }
    out.fixed(bits)
    out.double(interval)
    out.varint(UInt64(intervals))
  }

  mutating func decode(_ reader: inout ByteReader) throws(ByteReader.Truncated) {
    value = try reader.double()
    previous = try reader.double()
    flags = Flags(rawValue: try reader.byte())
    quality = Quality(rawValue: try reader.byte())
    seen = try reader.fixed(Int64.self)
    staleAt = try reader.fixed(Int64.self)
    time = try reader.fixed(Int64.self)
    sourceTime = try reader.fixed(Int64.self)
    lateTime = try reader.fixed(Int64.self)
    lag = try reader.fixed(Int64.self)
    bits = try reader.fixed(UInt64.self)
    interval = try reader.double()
    intervals = UInt32(clamping: try reader.varint())
  }
}

/// What `hysteresis`, `deadband`, `stuck` and `then` remember.
struct MemoryState: Hashable, Sendable {
  var value = 0.0
  var time = Int64.min
  var flags: UInt8 = 0

  static let first: UInt8 = 1
  static let second: UInt8 = 2
  static let result: UInt8 = 4

  func encode(into out: inout ByteWriter) {
    out.double(value)
    out.fixed(time)
    out.byte(flags)
  }

  init() {}

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    value = try reader.double()
    time = try reader.fixed(Int64.self)
    flags = try reader.byte()
  }
}
