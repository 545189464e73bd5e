import Telemetry

/// A machine went from one state into another.
public struct StateChange: Hashable, Sendable {
  /// Since when the new state holds: may lie before the sample that told, when telemetry lapsed.
  public var time: Timestamp
  public var old: MachineState
  public var new: MachineState
}

/// At most two changes follow from one thing heard: into `unknown` when telemetry had lapsed, then out of it.
public struct StateChanges: Hashable, Sendable {
  public var lapse: StateChange?
  public var change: StateChange?

  public var isEmpty: Bool { lapse == nil && change == nil }
}

/// Follows the state of one machine as samples come: O(1) in time and memory, nothing allocated.
///
/// A state holds until the next sample, but is unknown from `timeoutMicroseconds` after the last sign of life until the
/// next one: a machine that only tells its changes is believed again as soon as it is heard. A sample of bad quality, or
/// one whose source was reported gone, means unknown until the next sample. A sample older than the latest is counted and left to the recomputation
/// from the store, which sorts. The state timeline of a report is made by this same tracker.
///
/// Saved form: version 1, state, state last told, last time, last sign of life, late samples; the time-out is
/// configuration.
public struct MachineStateTracker: Sendable, Hashable {
  /// In µs; `.max`: a state holds for ever.
  public var timeoutMicroseconds: Int64
  public private(set) var state = MachineState.unknown
  /// What the latest sample said, whether or not telemetry lapsed since.
  public private(set) var told = MachineState.unknown
  /// Time of the latest state sample or change; `.distantPast` before the first.
  public private(set) var lastSample = Timestamp.distantPast
  /// The latest sign of life.
  public private(set) var lastSeen = Timestamp.distantPast
  /// Samples that came behind a later one and were not followed.
  public private(set) var lateSamples: UInt64 = 0

  public init(timeoutMicroseconds: Int64) {
    precondition(timeoutMicroseconds > 0, "a time-out must be above zero")
    self.timeoutMicroseconds = timeoutMicroseconds
  }

  /// A state sample. `state` is what its value stands for, `unknown` for a value that stands for nothing.
  public mutating func observe(
    _ observed: MachineState, at time: Timestamp, quality: Quality
  ) -> StateChanges {
    guard time >= lastSample else {
      lateSamples += 1
      return StateChanges()
    }
    var changes = StateChanges()
    changes.lapse = lapse(by: time)
    let isTrusted = quality.severity != .bad && !quality.contains(.stale)
    told = isTrusted ? observed : .unknown
    changes.change = go(to: told, at: time)
    lastSample = time
    lastSeen = max(lastSeen, time)
    return changes
  }

  /// Another metric of the machine came: what it last told is believed, again where that had lapsed.
  public mutating func sawLife(at time: Timestamp) -> StateChanges {
    var changes = StateChanges()
    guard time > lastSeen else { return changes }
    changes.lapse = lapse(by: time)
    changes.change = go(to: told, at: time)
    if changes.change != nil { lastSample = max(lastSample, time) }
    lastSeen = time
    return changes
  }

  /// Time passes without a sample.
  public mutating func advance(to now: Timestamp) -> StateChange? { lapse(by: now) }

  private mutating func lapse(by now: Timestamp) -> StateChange? {
    guard state != .unknown, lastSeen != .distantPast else { return nil }
    let end = lastSeen.advanced(byMicroseconds: timeoutMicroseconds)
    guard now > end else { return nil }
    // A sample from before the lapse would now tell of a past that was already reported.
    lastSample = max(lastSample, end)
    return go(to: .unknown, at: end)
  }

  private mutating func go(to new: MachineState, at time: Timestamp) -> StateChange? {
    guard new != state else { return nil }
    defer { state = new }
    return StateChange(time: time, old: state, new: new)
  }
}

extension MachineStateTracker {
  private static let version: UInt8 = 1

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.version)
    writer.byte(state.rawValue)
    writer.byte(told.rawValue)
    writer.fixed(lastSample.microseconds)
    writer.fixed(lastSeen.microseconds)
    writer.varint(lateSamples)
  }

  /// - Throws: when the bytes are cut short, of another version or no state.
  public init(
    from reader: inout ByteReader, timeoutMicroseconds: Int64
  ) throws(ByteReader.Truncated) {
    self.init(timeoutMicroseconds: timeoutMicroseconds)
    guard try reader.byte() == Self.version, let saved = MachineState(rawValue: try reader.byte()),
      let savedTold = MachineState(rawValue: try reader.byte())
    else { throw ByteReader.Truncated() }
    state = saved
    told = savedTold
    lastSample = Timestamp(microseconds: try reader.fixed(Int64.self))
    lastSeen = Timestamp(microseconds: try reader.fixed(Int64.self))
    lateSamples = try reader.varint()
  }
}
