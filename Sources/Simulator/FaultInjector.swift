import Telemetry

/// Spoils what devices send, on request and by the seed.
struct FaultInjector: Sendable {
  private let faults: Set<SimulatedFault>
  private var random: RandomSource
  private var clockIsOff = false
  private var clockTurn = Interval(seconds: 60)

  init(_ faults: Set<SimulatedFault>, seed: UInt64) {
    self.faults = faults
    random = RandomSource(seed: seed, name: "faults")
  }

  /// What the devices' clocks say: now and then two hours off for a minute.
  mutating func sourceTime(at time: Timestamp) -> Timestamp {
    guard faults.contains(.clock) else { return time }
    if clockTurn.isDue(at: time) { clockIsOff = random.happens(0.15) }
    return clockIsOff ? time.advanced(byMicroseconds: 7_200_000_000) : time
  }

  /// The messages of a tick as they reach the broker.
  mutating func spoil(_ messages: [SimulatedMessage], at time: Timestamp) -> [SimulatedMessage] {
    guard !faults.isEmpty else { return messages }
    var spoiled: [SimulatedMessage] = []
    for var message in messages {
      message.time = time
      if faults.contains(.malformed), message.payload.count > 2, random.happens(0.02) {
        message.payload.removeLast(1 + Int(random.share() * Double(message.payload.count - 2)))
      }
      spoiled.append(message)
      if faults.contains(.double), random.happens(0.03) { spoiled.append(message) }
    }
    return spoiled
  }
}
