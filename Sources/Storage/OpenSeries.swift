import Telemetry

/// What became of one sample when it was applied.
public enum Verdict: UInt8, Sendable {
  /// New, and later than all before it in its series.
  case stored
  /// New, but earlier than the last one.
  case late
  /// Same series, time and value as one we hold: dropped.
  case duplicate
  /// Same series and time, other value: the new value counts from now on.
  case correction
  /// A retained value that filled (or did not need to fill) the current value; not stored.
  case currentOnly
  /// It was already part of what is sealed (during a replay).
  case known
}

/// A sample as the store keeps it, in memory or decoded.
public struct StoredSample: Hashable, Sendable {
  public var time: Timestamp
  public var bits: UInt64
  public var quality: Quality

  public init(time: Timestamp, bits: UInt64, quality: Quality) {
    self.time = time
    self.bits = bits
    self.quality = quality
  }
}

/// The unsealed part of one series.
struct OpenSeries {
  var chunk: OpenChunk
  var lastTime = Int64.min
  var lastBits: UInt64 = 0
  /// Records through this sequence are sealed (or were never ours to keep).
  var sealedSequence: UInt64 = 0
  /// Sequences of the first and the last record that put something into `chunk`.
  var firstSequence: UInt64 = 0
  var lastSequence: UInt64 = 0
  var lastQuality: UInt8 = 0
  var kind = MetricKind.gauge
  var type: ValueType
  var hasLast = false
  /// It is on the list of chunks that reached their full size.
  var isListedFull = false

  private let countMax: Int

  init(type: ValueType, countMax: Int) {
    self.type = type
    self.countMax = countMax
    chunk = OpenChunk(type: type)
  }

  enum Taken {
    case known
    case stored
    /// Stored, and the chunk has its full size; `isNew`: since just now.
    case storedFull(isNew: Bool)
    /// Not later than the last one (or not to be stored): the shelf must look closer. With the time that counts.
    case needsMore(time: Int64)
  }

  /// The common case in one go: a sample that is later than all before it.
  @inline(__always)
  mutating func take(_ sample: Sample, sequence: UInt64) -> Taken {
    if sequence <= sealedSequence { return .known }
    var time = sample.time.microseconds
    if sample.isCurrentOnly { return .needsMore(time: time) }
    if hasLast && time <= lastTime {
      // Our own stamps, and things that happened, each keep a time of their own: +1 µs.
      guard sample.isReceiveStamped || (kind == .event && time == lastTime) else {
        return .needsMore(time: time)
      }
      // At the end of time there is no later one.
      guard lastTime < .max else { return .known }
      time = lastTime + 1
    }
    var quality = sample.quality
    if kind == .counter, hasLast, Double(bitPattern: sample.bits) < Double(bitPattern: lastBits) {
      quality.insert(.counterReset)
    }
    if chunk.count == 0 { firstSequence = sequence }
    chunk.append(time: time, bits: sample.bits, quality: quality.rawValue)
    lastSequence = sequence
    lastTime = time
    lastBits = sample.bits
    lastQuality = quality.rawValue
    hasLast = true
    guard chunk.count >= countMax else { return .stored }
    defer { isListedFull = true }
    return .storedFull(isNew: !isListedFull)
  }
}

/// Samples that came after a later one of their series, or replace one: sorted by time, each time once.
struct LateSamples {
  var samples: [StoredSample] = []
  var firstSequence: UInt64 = 0
  var lastSequence: UInt64 = 0

  /// Position of the first sample at or after `time`.
  func position(of time: Timestamp) -> Int {
    var low = 0
    var high = samples.count
    while low < high {
      let middle = (low + high) / 2
      if samples[middle].time < time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func sample(at time: Timestamp) -> StoredSample? {
    let place = position(of: time)
    return place < samples.count && samples[place].time == time ? samples[place] : nil
  }

  mutating func put(_ sample: StoredSample, sequence: UInt64) {
    if samples.isEmpty { firstSequence = sequence }
    lastSequence = sequence
    let place = position(of: sample.time)
    if place < samples.count, samples[place].time == sample.time {
      samples[place] = sample
    } else {
      samples.insert(sample, at: place)
    }
  }
}
