import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// How much a machine was used: in the unit its life is told in, in running hours, and how fast.
///
/// A counter that falls was reset, or rolled over where a rollover is declared and the step over the top is under
/// half of it; what it shows after a reset was made since. Running hours are the time between samples of the machine
/// while its state says that it runs; a gap beyond the timeout is not counted.
public struct UsageMeter: Sendable, Equatable {
  /// The duty rate fades by half in seven days.
  static let halfLifeHours = 168.0
  /// Duty is not told from less than a quarter of an hour.
  static let dutyHoursMin = 0.25
  private static let formatVersion: UInt8 = 1

  /// In the usage unit, since it was first seen, and what was declared before.
  public private(set) var total: Double
  public private(set) var runningHours = 0.0
  /// It runs now, as far as the state says; always true without a state.
  public private(set) var isRunning: Bool
  /// The newest sample of the machine; `nil` before the first.
  public private(set) var lastSeen: Timestamp?
  public private(set) var firstSeen: Timestamp?
  private var height = Double.nan
  private var duty = 0.0
  private var dutyHours = 0.0
  private var newUsage = 0.0
  private var newHours = 0.0

  public init(initial: Double, hasState: Bool) {
    total = initial
    isRunning = !hasState
  }

  /// Lets the machine's own time pass: a sample of it came. Times that go back change nothing.
  mutating func saw(_ time: Timestamp, source: MaintainedMachine.Usage.Source, timeout: Int64) {
    guard let last = lastSeen else {
      (firstSeen, lastSeen) = (time, time)
      return
    }
    let passed = time.microseconds(since: last)
    guard passed > 0 else { return }
    lastSeen = time
    let hours = Double(passed) / 3.6e9
    newHours += hours
    if isRunning, passed <= timeout {
      runningHours += hours
      if source == .runningHours { add(hours) }
    }
    if source == .calendarHours { add(hours) }
    if newHours > 1.0 / 60 { fold() }
  }

  mutating func setRunning(_ running: Bool) { isRunning = running }

  /// Takes a reading of the counter.
  mutating func count(_ value: Double, rollover: Double?) {
    guard value.isFinite, value >= 0 else { return }
    defer { height = value }
    guard height.isFinite else { return }
    if value >= height { return add(value - height) }
    if let rollover, height < rollover, value + rollover - height < rollover / 2 {
      return add(value + rollover - height)
    }
    add(value)
  }

  private mutating func add(_ amount: Double) {
    total += amount
    newUsage += amount
  }

  private mutating func fold() {
    let factor = exp2(-newHours / Self.halfLifeHours)
    duty = duty * factor + newUsage
    dutyHours = dutyHours * factor + newHours
    (newUsage, newHours) = (0, 0)
  }

  /// Usage per calendar hour, of the last days most; `nil` before a quarter of an hour was seen.
  public var perHour: Double? {
    dutyHours + newHours >= Self.dutyHoursMin ? (duty + newUsage) / (dutyHours + newHours) : nil
  }

  func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.double(total)
    writer.double(runningHours)
    writer.byte(isRunning ? 1 : 0)
    writer.zigzag(firstSeen?.microseconds ?? .min)
    writer.zigzag(lastSeen?.microseconds ?? .min)
    for number in [height, duty, dutyHours, newUsage, newHours] { writer.double(number) }
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    total = try reader.double()
    runningHours = try reader.double()
    isRunning = try reader.byte() != 0
    let (first, last) = (try reader.zigzag(), try reader.zigzag())
    firstSeen = first == .min ? nil : Timestamp(microseconds: first)
    lastSeen = last == .min ? nil : Timestamp(microseconds: last)
    height = try reader.double()
    duty = try reader.double()
    dutyHours = try reader.double()
    newUsage = try reader.double()
    newHours = try reader.double()
  }

  /// NaN equals NaN here: a height that is not known yet.
  public static func == (a: UsageMeter, b: UsageMeter) -> Bool {
    a.total == b.total && a.runningHours == b.runningHours && a.isRunning == b.isRunning
      && a.lastSeen == b.lastSeen && a.firstSeen == b.firstSeen
      && a.height.bitPattern == b.height.bitPattern && a.duty == b.duty
      && a.dutyHours == b.dutyHours && a.newUsage == b.newUsage && a.newHours == b.newHours
  }
}

/// What the meter showed on past days, so that work that is told of later has its usage.
public struct UsageLog: Sendable, Equatable {
  static let marksMax = 1_500
  private static let day: Int64 = 86_400_000_000

  struct Mark: Sendable, Equatable {
    var time: Timestamp
    var usage: Double
    var runningHours: Double
  }

  private(set) var marks: [Mark] = []

  public init() {}

  /// Keeps one mark a day; after some four years every second of the older ones goes.
  mutating func note(_ mark: Mark) {
    if let last = marks.last, mark.time.microseconds(since: last.time) < Self.day { return }
    marks.append(mark)
    guard marks.count > Self.marksMax else { return }
    marks = marks.enumerated().filter { $0.offset % 2 == 0 || $0.offset > 1_000 }.map(\.element)
  }

  /// What the meter showed at `time`, straight between marks; `nil` before the first.
  func mark(at time: Timestamp, now: Mark) -> Mark? {
    guard let first = marks.first, time >= first.time else { return nil }
    guard time < now.time else { return now }
    let after = marks.firstIndex { $0.time > time }
    let next = after.map { marks[$0] } ?? now
    let before = marks[(after ?? marks.count) - 1]
    let span = Double(next.time.microseconds(since: before.time))
    let share = span > 0 ? Double(time.microseconds(since: before.time)) / span : 0
    return Mark(
      time: time, usage: before.usage + share * (next.usage - before.usage),
      runningHours: before.runningHours + share * (next.runningHours - before.runningHours))
  }

  func encode(into writer: inout ByteWriter) {
    writer.varint(UInt64(marks.count))
    for mark in marks { mark.encode(into: &writer) }
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    for _ in 0..<(try reader.length()) { marks.append(try Mark(from: &reader)) }
  }
}

extension UsageLog.Mark {
  func encode(into writer: inout ByteWriter) {
    writer.zigzag(time.microseconds)
    writer.double(usage)
    writer.double(runningHours)
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    time = Timestamp(microseconds: try reader.zigzag())
    usage = try reader.double()
    runningHours = try reader.double()
  }
}
