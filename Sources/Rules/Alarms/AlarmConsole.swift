import Telemetry

/// The announcements at one operator's console: floods, and the figures by which alarms are
/// rationalised.
///
/// A flood begins with the 11th announcement in 10 minutes and ends when fewer than 5 lie in the
/// last 10 (ISA-18.2, 16.5.4 as
/// usually applied: more than 10 in 10 minutes). Bounded: at most 1,024 announcements are
/// remembered; beyond that the count says 1,024.
struct AlarmConsole: Hashable, Sendable {
  let name: String
  /// Elapsed times of the announcements of the last 10 minutes, the oldest first.
  private(set) var recent: [Int64] = []
  private(set) var isFlooded = false
  /// Announcements by rank of priority.
  private(set) var byPriority = [UInt64](repeating: 0, count: AlarmPriority.allCases.count)
  private(set) var floods: UInt64 = 0
  private(set) var floodMicroseconds: Int64 = 0
  private(set) var floodSince: Int64 = 0
  /// The 10 minutes of the clock that are being counted, and how many announcements they have.
  private(set) var slot = Int64.min
  private(set) var slotCount: UInt64 = 0
  private(set) var slotMax: UInt64 = 0

  static let spanMicroseconds: Int64 = 600_000_000
  private static let recentMax = 1_024
  private static let floodAbove = 10
  private static let calmBelow = 5

  init(name: String) { self.name = name }

  enum Change { case began, ended }

  mutating func announced(_ priority: AlarmPriority, at now: Int64) -> Change? {
    let ended = advance(to: now)
    byPriority[Int(priority.rank)] += 1
    let current = now.flooredQuotient(Self.spanMicroseconds)
    if current != slot { (slot, slotCount) = (current, 0) }
    slotCount += 1
    slotMax = max(slotMax, slotCount)
    if recent.count == Self.recentMax { recent.removeFirst() }
    recent.append(now)
    guard !isFlooded, recent.count > Self.floodAbove else { return ended }
    isFlooded = true
    floods += 1
    floodSince = now
    return .began
  }

  mutating func advance(to now: Int64) -> Change? {
    let gone = recent.prefix { now - $0 >= Self.spanMicroseconds }.count
    if gone > 0 { recent.removeFirst(gone) }
    guard isFlooded, recent.count < Self.calmBelow else { return nil }
    isFlooded = false
    floodMicroseconds += now - floodSince
    return .ended
  }

  /// When a flood may end; `nil` when there is none.
  var deadline: Int64? {
    guard isFlooded, recent.count >= Self.calmBelow else { return nil }
    return recent[recent.count - Self.calmBelow] + Self.spanMicroseconds
  }

  func encode(into out: inout ByteWriter) {
    out.text(name)
    out.varint(UInt64(recent.count))
    for time in recent { out.fixed(time) }
    out.byte(isFlooded ? 1 : 0)
    for count in byPriority { out.varint(count) }
    out.varint(floods)
    out.zigzag(floodMicroseconds)
    out.fixed(floodSince)
    out.fixed(slot)
    out.varint(slotCount)
    out.varint(slotMax)
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    name = try reader.text()
    let count = try reader.varint()
    guard count <= UInt64(Self.recentMax) else { throw ByteReader.Truncated() }
    for _ in 0..<count { recent.append(try reader.fixed(Int64.self)) }
    isFlooded = try reader.byte() != 0
    for index in byPriority.indices { byPriority[index] = try reader.varint() }
    floods = try reader.varint()
    floodMicroseconds = try reader.zigzag()
    floodSince = try reader.fixed(Int64.self)
    slot = try reader.fixed(Int64.self)
    slotCount = try reader.varint()
    slotMax = try reader.varint()
  }
}

/// A flood of alarms began or ended at a console.
public struct FloodNotice: Hashable, Sendable {
  public var console: String
  public var isBeginning: Bool
  public var time: Timestamp
  /// Announcements of the last 10 minutes.
  public var count: Int
}

/// The figures of ISA-18.2 for one console since counting began.
public struct ConsoleReport: Hashable, Sendable {
  public var console: String
  public var announcements: UInt64
  public var hours: Double
  /// Announcements in an hour, on average.
  public var perHour: Double
  /// On average in 10 minutes; the standard calls 1 acceptable and 2 manageable.
  public var perTenMinutes: Double
  /// In the worst 10 minutes of the clock.
  public var tenMinutesMax: UInt64
  public var floods: UInt64
  /// Share of time in flood, 0 to 1.
  public var floodShare: Double
  public var isFlooded: Bool
  /// Share of critical and high, medium, low; the standard recommends about .05, .15, .80. `nil`:
  /// none yet.
  public var priorityShares: (high: Double, medium: Double, low: Double)?

  public static func == (a: ConsoleReport, b: ConsoleReport) -> Bool {
    a.console == b.console && a.announcements == b.announcements && a.hours == b.hours
      && a.tenMinutesMax == b.tenMinutesMax && a.floods == b.floods
      && a.floodShare == b.floodShare && a.isFlooded == b.isFlooded
      && a.priorityShares?.high == b.priorityShares?.high
      && a.priorityShares?.medium == b.priorityShares?.medium
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(console)
    hasher.combine(announcements)
  }
}

extension AlarmConsole {
  func report(since: Int64, at now: Int64) -> ConsoleReport {
    // Journal entries are no alarms.
    let counted = byPriority.dropLast()
    let total = counted.reduce(0, +)
    let hours = Double(max(0, now - since)) / 3.6e9
    let flooded = floodMicroseconds + (isFlooded ? now - floodSince : 0)
    let shares: (Double, Double, Double)? =
      total == 0
      ? nil
      : (
        Double(counted[0] + counted[1]) / Double(total), Double(counted[2]) / Double(total),
        Double(counted[3]) / Double(total)
      )
    return ConsoleReport(
      console: name, announcements: total, hours: hours,
      perHour: hours > 0 ? Double(total) / hours : 0,
      perTenMinutes: hours > 0 ? Double(total) / hours / 6 : 0, tenMinutesMax: slotMax,
      floods: floods,
      floodShare: hours > 0 ? Double(flooded) / 3.6e9 / hours : 0, isFlooded: isFlooded,
      priorityShares: shares.map { (high: $0.0, medium: $0.1, low: $0.2) })
  }
}
