import Telemetry

/// Both clocks as they stand: retries go by the monotonic one, expiry and age by the wall.
struct DeliveryMoment: Sendable, Hashable {
  var monotonicMicroseconds: Int64
  var wall: Timestamp
}

/// The order and pace of one lane: what goes next, what is tried again and when, what is given up. It does no
/// I/O and reads no clock.
///
/// Deliveries leave in the order in which they were offered. With one in flight at a time that is also the
/// order in which they arrive: a failure holds up the lane. Attempt n that fails waits a random half of
/// c(n) = min(300 s, 2 s · 2ⁿ) beyond the other half: 1 … 2, 2 … 4, 4 … 8 … 150 … 300 s.
struct DeliverySchedule: Sendable {
  struct Limits: Sendable, Hashable {
    /// Sent and not yet answered.
    var inFlightMax = 1
    var waitingMax = 1_000
    var waitingBytesMax = 2 << 20
    /// A failed one that has waited longer is given up; `nil`: never.
    var ageMaxMicroseconds: Int64?

    init() {}
  }

  enum Step: Sendable, Hashable {
    case send(EffectDelivery)
    case drop(DroppedDelivery)
    /// Nothing to do until that monotonic time; `nil`: until something happens.
    case wait(until: Int64?)
  }

  static let backoffSecondsMax = 300.0
  /// However long a server asks us to stay away.
  static let retryAfterSecondsMax = 3_600

  let limits: Limits
  private var waiting = DeliveryQueue()
  private var flight: [EffectDelivery.Key: EffectDelivery] = [:]
  /// Newest state of each topic among what was offered while the lane was closed or full.
  private var newest: [String: EffectDelivery.Key] = [:]
  private var supersededCount = 0
  private var isOpen: Bool
  private var attempts = 0
  private var notBefore: Int64?
  private var random: UInt64
  /// Since when nothing has gone through; `nil` while all is well.
  private(set) var failingSince: Timestamp?

  /// - Parameters:
  ///   - isOpen: whether anything may be sent yet.
  ///   - failingSince: as it was before a restart.
  ///   - seed: of the random part of waiting times.
  init(limits: Limits, isOpen: Bool = true, failingSince: Timestamp? = nil, seed: UInt64) {
    self.limits = limits
    self.isOpen = isOpen
    self.failingSince = failingSince
    random = seed
  }

  var waitingCount: Int { waiting.count + flight.count }
  var inFlightCount: Int { flight.count }
  /// The first that is not done. Cost: a look at everything in flight.
  var first: EffectDelivery? {
    var first = waiting.first
    for delivery in flight.values where first.map({ delivery.key < $0.key }) ?? true {
      first = delivery
    }
    return first
  }
  var hasRoom: Bool {
    waiting.count < limits.waitingMax / 2 && waiting.byteCount < limits.waitingBytesMax / 2
  }

  // MARK: - What comes in

  /// Takes a delivery into the queue, behind the ones before it.
  /// - Returns: false when there is no room for it.
  mutating func offer(_ delivery: EffectDelivery) -> Bool {
    if isFull(adding: delivery) {
      compact()
      if isFull(adding: delivery) { return false }
    }
    if !isOpen { note(delivery) }
    waiting.append(delivery)
    return true
  }

  private func isFull(adding delivery: EffectDelivery) -> Bool {
    guard !waiting.isEmpty else { return false }
    return waiting.count >= limits.waitingMax
      || waiting.byteCount + delivery.byteCount > limits.waitingBytesMax
  }

  /// Something newer than what waits here exists, though there was no room for it.
  mutating func note(_ delivery: EffectDelivery) {
    guard let topic = delivery.stateTopic else { return }
    if let known = newest[topic] {
      guard known < delivery.key else { return }
      supersededCount += 1
    } else if newest.count >= Self.topicsMax {
      return  // Of so many topics the history is sent as well, which does no harm.
    }
    newest[topic] = delivery.key
  }

  private static let topicsMax = 50_000

  private mutating func compact() {
    guard supersededCount > limits.waitingMax / 8 else { return }
    waiting.removeAll { [newest] delivery in
      DeliverySchedule.isSuperseded(delivery, newest)
    }
    supersededCount = 0
  }

  private static func isSuperseded(
    _ delivery: EffectDelivery, _ newest: [String: EffectDelivery.Key]
  ) -> Bool {
    guard let topic = delivery.stateTopic, let known = newest[topic] else { return false }
    return delivery.key < known
  }

  /// Opens or closes the lane. What has waited behind a closed one is history: of the states in it only the
  /// newest of each topic are sent.
  mutating func setOpen(_ isOpen: Bool) {
    guard self.isOpen != isOpen else { return }
    self.isOpen = isOpen
    if !isOpen { for delivery in waiting.elements { note(delivery) } }
  }

  // MARK: - What goes out

  mutating func next(at now: DeliveryMoment) -> Step {
    guard isOpen, flight.count < limits.inFlightMax, let next = waiting.first else {
      return .wait(until: nil)
    }
    if Self.isSuperseded(next, newest) {
      waiting.removeFirst()
      return .drop(DroppedDelivery(delivery: next, reason: .superseded))
    }
    if let expires = next.expires, expires < now.wall {
      waiting.removeFirst()
      return .drop(DroppedDelivery(delivery: next, reason: .expired))
    }
    if let notBefore {
      if now.monotonicMicroseconds < notBefore { return .wait(until: notBefore) }
      self.notBefore = nil
    }
    waiting.removeFirst()
    if let topic = next.stateTopic, newest[topic] == next.key { newest[topic] = nil }
    flight[next.key] = next
    return .send(next)
  }

  /// Notes the outcome of a delivery in flight.
  /// - Returns: what is not tried any more because of it, the delivery itself first.
  mutating func finished(
    _ key: EffectDelivery.Key, _ outcome: DeliveryOutcome, at now: DeliveryMoment
  ) -> [DroppedDelivery] {
    guard var delivery = flight.removeValue(forKey: key) else { return [] }
    switch outcome {
    case .delivered:
      recover()
      return []
    case .refused(let reason):
      // Whoever refuses is there.
      recover()
      return [DroppedDelivery(delivery: delivery, reason: .refused(reason))]
    case .lost:
      waiting.insert(delivery)
      return []
    case .failed(let reason, let retryAfter):
      delivery.attempts += 1
      waiting.insert(delivery)
      failingSince = failingSince ?? now.wall
      let seconds = max(
        nextBackoffSeconds(), Double(min(retryAfter ?? 0, Self.retryAfterSecondsMax)))
      notBefore = now.monotonicMicroseconds + Int64(seconds * 1e6)
      return giveUpOld(reason, at: now)
    }
  }

  private mutating func recover() {
    attempts = 0
    notBefore = nil
    failingSince = nil
  }

  private mutating func nextBackoffSeconds() -> Double {
    let ceiling = min(Self.backoffSecondsMax, 2 * Double(1 << min(attempts, 20)))
    attempts += 1
    // SplitMix64 (Steele, Lea and Flood, 2014); its upper 53 bits are the share.
    random &+= 0x9E37_79B9_7F4A_7C15
    var mixed = random
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    let share = Double(mixed >> 11) / 9_007_199_254_740_992
    return ceiling / 2 + ceiling / 2 * share
  }

  /// Nothing went through just now: all that have waited too long have no better chance.
  private mutating func giveUpOld(_ reason: String, at now: DeliveryMoment) -> [DroppedDelivery] {
    guard let ageMax = limits.ageMaxMicroseconds else { return [] }
    var dropped: [DroppedDelivery] = []
    while let oldest = waiting.first, now.wall.microseconds(since: oldest.born) > ageMax {
      waiting.removeFirst()
      dropped.append(DroppedDelivery(delivery: oldest, reason: .givenUp(reason)))
    }
    return dropped
  }
}

/// Deliveries in order, taken from the front.
private struct DeliveryQueue: Sendable {
  private var storage: [EffectDelivery] = []
  private var head = 0
  private(set) var byteCount = 0

  var count: Int { storage.count - head }
  var isEmpty: Bool { count == 0 }
  var first: EffectDelivery? { isEmpty ? nil : storage[head] }
  var elements: ArraySlice<EffectDelivery> { storage[head...] }

  mutating func append(_ delivery: EffectDelivery) {
    byteCount += delivery.byteCount
    storage.append(delivery)
  }

  mutating func removeFirst() {
    byteCount -= storage[head].byteCount
    head += 1
    if head == storage.count {
      storage.removeAll(keepingCapacity: storage.count <= 1_024)
      head = 0
    } else if head > 256, head > storage.count / 2 {
      storage.removeFirst(head)
      head = 0
    }
  }

  /// Puts one back that was taken, where it was: near the front.
  mutating func insert(_ delivery: EffectDelivery) {
    byteCount += delivery.byteCount
    let place = storage[head...].firstIndex { delivery.key < $0.key } ?? storage.endIndex
    storage.insert(delivery, at: place)
  }

  mutating func removeAll(where isGone: (EffectDelivery) -> Bool) {
    storage.removeFirst(head)
    head = 0
    storage.removeAll(where: isGone)
    byteCount = storage.reduce(0) { $0 + $1.byteCount }
  }
}
