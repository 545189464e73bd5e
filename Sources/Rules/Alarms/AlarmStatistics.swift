import Telemetry

/// What one alarm did since counting began; 100 bytes.
public struct AlarmStatistics: Hashable, Sendable {
  /// How often the condition became active; shelved or suppressed ones count too.
  public internal(set) var activations: UInt64 = 0
  /// How often it was announced to an operator.
  public internal(set) var announcements: UInt64 = 0
  /// Activations that were the third or later within a minute.
  public internal(set) var chatters: UInt64 = 0
  /// Time with the condition active, without the present stretch.
  public internal(set) var activeMicroseconds: Int64 = 0
  public internal(set) var longestMicroseconds: Int64 = 0
  /// Start of the present stretch in elapsed time; `nil`: not active.
  public internal(set) var activeSince: Int64?
  public internal(set) var firstActivation: Timestamp?
  public internal(set) var lastActivation: Timestamp?
  /// Elapsed times of the last two activations before the latest.
  var recent: (Int64, Int64) = (.min, .min)

  /// Three activations within it are chattering.
  static let chatterMicroseconds: Int64 = 60_000_000
  /// Active for longer is a standing alarm.
  public static let standingMicroseconds: Int64 = 86_400_000_000

  init() {}

  /// - Returns: whether it chatters.
  mutating func activated(at now: Int64, _ wall: Timestamp) -> Bool {
    activations += 1
    activeSince = now
    if firstActivation == nil { firstActivation = wall }
    lastActivation = wall
    let isChattering =
      recent.0 != .min && now - recent.0 <= AlarmStatistics.chatterMicroseconds
    if isChattering { chatters += 1 }
    recent = (recent.1, now)
    return isChattering
  }

  mutating func cleared(at now: Int64) {
    guard let since = activeSince else { return }
    let length = max(0, now - since)
    activeMicroseconds += length
    longestMicroseconds = max(longestMicroseconds, length)
    activeSince = nil
  }

  public func isStanding(at now: Int64) -> Bool {
    activeSince.map { now - $0 > AlarmStatistics.standingMicroseconds } ?? false
  }

  public static func == (a: AlarmStatistics, b: AlarmStatistics) -> Bool {
    a.activations == b.activations && a.announcements == b.announcements
      && a.chatters == b.chatters && a.activeMicroseconds == b.activeMicroseconds
      && a.longestMicroseconds == b.longestMicroseconds && a.activeSince == b.activeSince
      && a.firstActivation == b.firstActivation && a.lastActivation == b.lastActivation
      && a.recent == b.recent
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(activations)
    hasher.combine(activeMicroseconds)
    hasher.combine(lastActivation)
  }

  func encode(into out: inout ByteWriter) {
    out.varint(activations)
    out.varint(announcements)
    out.varint(chatters)
    out.zigzag(activeMicroseconds)
    out.zigzag(longestMicroseconds)
    out.fixed(activeSince ?? .min)
    out.fixed(firstActivation?.microseconds ?? .min)
    out.fixed(lastActivation?.microseconds ?? .min)
    out.fixed(recent.0)
    out.fixed(recent.1)
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    activations = try reader.varint()
    announcements = try reader.varint()
    chatters = try reader.varint()
    activeMicroseconds = try reader.zigzag()
    longestMicroseconds = try reader.zigzag()
    let since = try reader.fixed(Int64.self)
    activeSince = since == .min ? nil : since
    let (first, last) = (try reader.fixed(Int64.self), try reader.fixed(Int64.self))
    firstActivation = first == .min ? nil : Timestamp(microseconds: first)
    lastActivation = last == .min ? nil : Timestamp(microseconds: last)
    recent = (try reader.fixed(Int64.self), try reader.fixed(Int64.self))
  }
}
