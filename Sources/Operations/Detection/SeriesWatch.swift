import Telemetry

/// Everything the detectors know of one series; plain values in one place.
struct SeriesWatch: Sendable {
  var series: UInt32
  var device: UInt32
  /// Index of its charts; -1: none.
  var chart: Int32 = -1
  /// Index of its machine and its channel there; -1: none.
  var machine: Int32 = -1
  var channel: Int32 = -1
  var novelty = NoveltyDetector()
  var arrivals = IntervalHabit()
  var changes = IntervalHabit()
  var slow = SlowRange()
  /// The value at which it last stood still for long and then went on: where it rests. No number: none yet.
  var restBits = UInt64.max
  /// Bits of the newest value.
  var bits: UInt64 = 0
  /// When learning began, on the elapsed clock; `.min`: not yet.
  var born: Int64 = .min
  var range: ClosedRange<Double>?
  var silent: Int64?
  var unchanged: Int64?
  /// By kind, multichannel excluded.
  var episodes = InlineArray<6, Episode>(repeating: Episode())

  init(series: UInt32, device: UInt32) {
    self.series = series
    self.device = device
  }

  /// How many times the limit a novelty must be at this age; `nil` while it is learned.
  func caution(at elapsed: Int64, _ settings: DetectionSettings) -> Double? {
    guard born != .min, novelty.count >= settings.learningValues else { return nil }
    let age = elapsed - born
    guard age >= settings.learningMicroseconds else { return nil }
    return max(1, Double(settings.maturityMicroseconds) / Double(max(age, 1)))
  }

  func encode(into writer: inout ByteWriter) {
    writer.fixed(series)
    writer.fixed(device)
    writer.fixed(chart)
    writer.fixed(machine)
    writer.fixed(channel)
    novelty.encode(into: &writer)
    arrivals.encode(into: &writer)
    changes.encode(into: &writer)
    slow.encode(into: &writer)
    writer.fixed(restBits)
    writer.fixed(bits)
    writer.fixed(born)
    writer.double(range?.lowerBound ?? .nan)
    writer.double(range?.upperBound ?? .nan)
    writer.fixed(silent ?? .min)
    writer.fixed(unchanged ?? .min)
    for kind in 0..<6 { episodes[kind].encode(into: &writer) }
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    series = try reader.fixed(UInt32.self)
    device = try reader.fixed(UInt32.self)
    chart = try reader.fixed(Int32.self)
    machine = try reader.fixed(Int32.self)
    channel = try reader.fixed(Int32.self)
    novelty = try NoveltyDetector(from: &reader)
    arrivals = try IntervalHabit(from: &reader)
    changes = try IntervalHabit(from: &reader)
    slow = try SlowRange(from: &reader)
    restBits = try reader.fixed(UInt64.self)
    bits = try reader.fixed(UInt64.self)
    born = try reader.fixed(Int64.self)
    let (lower, upper) = (try reader.double(), try reader.double())
    range = lower <= upper ? lower...upper : nil
    let (quiet, flat) = (try reader.fixed(Int64.self), try reader.fixed(Int64.self))
    silent = quiet == .min ? nil : quiet
    unchanged = flat == .min ? nil : flat
    for kind in 0..<6 { episodes[kind] = try Episode(from: &reader) }
  }
}

/// An anomaly that is going on.
struct Episode: Sendable, Equatable {
  /// 0: none is.
  var number: UInt64 = 0
  var started: Int64 = 0
  /// On the elapsed clock.
  var lastAbove: Int64 = 0
  var peak: Double = 0

  var isOpen: Bool { number > 0 }

  func encode(into writer: inout ByteWriter) {
    writer.varint(number)
    guard isOpen else { return }
    writer.fixed(started)
    writer.fixed(lastAbove)
    writer.double(peak)
  }

  init() {}

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    number = try reader.varint()
    guard number > 0 else { return }
    started = try reader.fixed(Int64.self)
    lastAbove = try reader.fixed(Int64.self)
    peak = try reader.double()
  }
}
