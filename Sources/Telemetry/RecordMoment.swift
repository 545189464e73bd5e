/// When a record was made, as stages see it: never a clock of their own.
public struct RecordMoment: Hashable, Sendable {
  /// The record's place in the journal; order is the sequence, never a clock.
  public var sequence: UInt64
  /// Receive time in UTC, for calendars: shifts, schedules, hours of the day.
  public var wall: Timestamp
  /// Time that only moves forward, also over restarts and clock steps, in µs: for durations and timers.
  /// Its zero has no meaning.
  public var elapsedMicroseconds: Int64

  @inlinable public init(sequence: UInt64, wall: Timestamp, elapsedMicroseconds: Int64) {
    self.sequence = sequence
    self.wall = wall
    self.elapsedMicroseconds = elapsedMicroseconds
  }
}
