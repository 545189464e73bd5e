import Storage
import Telemetry

/// Everything that waits to leave, lane by lane, and how far each lane has come. It does no I/O.
///
/// It is filled from rows of the event log in their order. A lane whose memory is full skips what does not fit
/// and reads it again later (`refills`), so that one that is stuck costs the others nothing.
///
/// Saved are cursors: `effects` is the row through which nothing is owed in any lane; `effects.<lane>` stands
/// beside it while a lane has come further; `effects.since.<lane>` is since when a lane fails, in
/// microseconds. After a crash what lies behind the saved cursors is sent again, under the same ids.
struct Outbox: Sendable {
  static let cursorPrefix = "effects"
  private static let sincePrefix = "effects.since."
  private static let lanePrefix = "effects."
  /// Lanes beyond this number are not opened; what would go there is booked.
  static let lanesMax = 256

  struct Settings: Sendable {
    var root: String
    var ageMaxMicroseconds: Int64
    /// Messages handed to the broker and not yet acknowledged.
    var messagesInFlightMax = 1_000
    var seed: UInt64
  }

  private struct Lane: Sendable {
    var schedule: DeliverySchedule
    /// Rows through this one were done before a restart.
    var doneBefore: Int64
    var lastOffered = EffectDelivery.Key(row: .min, place: 0)
    /// The first row of which something did not fit into memory.
    var skippedFrom: Int64?
    var skipped = 0
    var counts = EffectFigures.Lane()
  }

  private let settings: Settings
  private var lanes: [EffectLane: Lane] = [:]
  /// In the order of their making.
  private(set) var laneOrder: [EffectLane] = []
  /// Rows through this one were taken.
  private(set) var scanned: Int64
  private let base: Int64
  private let saved: [String: Int64]
  private var losses: [DroppedDelivery] = []
  private var isBrokerThere = false

  /// - Parameter cursors: as saved, by name.
  init(settings: Settings, cursors: [String: Int64]) {
    self.settings = settings
    saved = cursors
    base = cursors[Self.cursorPrefix] ?? 0
    scanned = base
  }

  // MARK: - Rows

  /// Takes the next rows of the event log.
  mutating func take(_ rows: [EffectRow], at now: DeliveryMoment) {
    for row in rows where row.id > scanned {
      for var delivery in read(row, at: now) {
        let lane = lane(of: &delivery)
        offer(delivery, to: lane, at: now)
      }
      scanned = row.id
    }
  }

  /// Where lanes that have room again begin to read what they skipped: rows behind that id.
  var refills: [(lane: EffectLane, after: Int64)] {
    laneOrder.compactMap { name in
      guard let lane = lanes[name], let from = lane.skippedFrom, lane.schedule.hasRoom else {
        return nil
      }
      return (name, from - 1)
    }
  }

  /// Takes for one lane what it skipped.
  /// - Parameter isEnd: the rows reach as far as `scanned`.
  mutating func refill(
    _ name: EffectLane, _ rows: [EffectRow], isEnd: Bool, at now: DeliveryMoment
  ) {
    guard lanes[name]?.skippedFrom != nil else { return }
    for row in rows where row.id <= scanned {
      for var delivery in read(row, at: now) where lane(of: &delivery) == name {
        // The lane was there before: every `!` of it holds.
        guard delivery.key > lanes[name]!.lastOffered else { continue }
        delivery.born = born(delivery, in: lanes[name]!, at: now)
        guard lanes[name]!.schedule.offer(delivery) else {
          lanes[name]!.skippedFrom = row.id
          return
        }
        lanes[name]!.lastOffered = delivery.key
        lanes[name]!.skipped -= 1
      }
    }
    if isEnd {
      lanes[name]!.skippedFrom = nil
      lanes[name]!.skipped = 0
    } else if let last = rows.last {
      lanes[name]!.skippedFrom = last.id + 1
    }
  }

  private mutating func offer(
    _ delivery: EffectDelivery, to name: EffectLane, at now: DeliveryMoment
  ) {
    guard var lane = lanes[name], delivery.key.row > lane.doneBefore else { return }
    lanes[name] = nil  // So that the queue in it is changed in place.
    defer { lanes[name] = lane }
    var delivery = delivery
    delivery.born = born(delivery, in: lane, at: now)
    if lane.skippedFrom == nil, lane.schedule.offer(delivery) {
      lane.lastOffered = delivery.key
    } else {
      lane.skippedFrom = lane.skippedFrom ?? delivery.key.row
      lane.skipped += 1
      lane.schedule.note(delivery)
    }
  }

  /// The time of the event tells how long it waits, unless that is a time long before it was known: then it
  /// waits no longer than the lane fails.
  private func born(_ delivery: EffectDelivery, in lane: Lane, at now: DeliveryMoment) -> Timestamp
  {
    if case .message? = delivery.effect { return min(now.wall, delivery.born) }  // Never given up.
    return min(now.wall, max(delivery.born, lane.schedule.failingSince ?? now.wall))
  }

  private func read(_ row: EffectRow, at now: DeliveryMoment) -> [EffectDelivery] {
    func unreadable(_ problem: String, _ place: Int = 0) -> EffectDelivery {
      EffectDelivery(
        key: .init(row: row.id, place: place), eventID: row.eventID, effect: nil, problem: problem,
        born: row.time)
    }
    let effects: [JSONValue]
    do throws(JSONReader.Failure) {
      guard let list = try JSONReader.read(Array(row.properties.utf8))["effects"]?.elements else {
        return [unreadable("its property `effects` is no list")]
      }
      effects = list
    } catch {
      return [unreadable("its properties are no JSON: \(error.detail)")]
    }
    return effects.enumerated().map { place, value in
      do throws(EffectRefusal) {
        return EffectDelivery(
          key: .init(row: row.id, place: place), eventID: row.eventID,
          effect: try Effect(value, root: settings.root), born: row.time)
      } catch {
        return unreadable(error.detail, place)
      }
    }
  }

  private mutating func lane(of delivery: inout EffectDelivery) -> EffectLane {
    var name = delivery.effect.map { EffectLane(of: $0) } ?? .unreadable
    if lanes[name] == nil, lanes.count >= Self.lanesMax, case .webhook = name {
      delivery.effect = nil
      delivery.problem = "webhooks go to more than \(Self.lanesMax) hosts"
      name = .unreadable
    }
    if lanes[name] == nil { make(name) }
    return name
  }

  private mutating func make(_ name: EffectLane) {
    var limits = DeliverySchedule.Limits()
    switch name {
    case .mqtt:
      limits.inFlightMax = settings.messagesInFlightMax
      limits.waitingMax = 20_000
      limits.waitingBytesMax = 8 << 20
    case .webhook, .email: limits.ageMaxMicroseconds = settings.ageMaxMicroseconds
    case .log, .unreadable: break
    }
    let since = saved[Self.sincePrefix + name.name].map { Timestamp(microseconds: $0) }
    lanes[name] = Lane(
      schedule: DeliverySchedule(
        limits: limits, isOpen: name == .mqtt ? isBrokerThere : true, failingSince: since,
        seed: settings.seed &+ UInt64(laneOrder.count)),
      doneBefore: max(base, saved[Self.lanePrefix + name.name] ?? base))
    laneOrder.append(name)
  }

  // MARK: - Deliveries

  /// Messages wait while the broker is away.
  mutating func setBroker(isThere: Bool) {
    isBrokerThere = isThere
    lanes[.mqtt]?.schedule.setOpen(isThere)
  }

  /// The next to send in a lane; what is not to be sent is counted on the way.
  /// - Returns: `send` or `wait`.
  mutating func next(in name: EffectLane, at now: DeliveryMoment) -> DeliverySchedule.Step {
    while let step = lanes[name]?.schedule.next(at: now) {
      guard case .drop(let dropped) = step else { return step }
      note(dropped, in: name)
    }
    return .wait(until: nil)
  }

  func inFlight(in name: EffectLane) -> Int { lanes[name]?.schedule.inFlightCount ?? 0 }

  /// Notes what became of a delivery in flight.
  /// - Returns: what is not tried any more.
  mutating func finished(
    _ name: EffectLane, _ key: EffectDelivery.Key, _ outcome: DeliveryOutcome,
    at now: DeliveryMoment
  ) -> [DroppedDelivery] {
    guard let dropped = lanes[name]?.schedule.finished(key, outcome, at: now) else { return [] }
    switch outcome {
    case .delivered: lanes[name]?.counts.delivered += 1
    case .failed, .lost: lanes[name]?.counts.retried += 1
    case .refused: break
    }
    for drop in dropped { note(drop, in: name) }
    return dropped
  }

  private mutating func note(_ dropped: DroppedDelivery, in name: EffectLane) {
    switch dropped.reason {
    case .expired: lanes[name]?.counts.expired += 1
    case .superseded: lanes[name]?.counts.superseded += 1
    case .refused: lanes[name]?.counts.refused += 1
    case .givenUp: lanes[name]?.counts.givenUp += 1
    }
    if dropped.reason.isLoss { losses.append(dropped) }
  }

  // MARK: - What is saved and told

  /// What was given up since the last call.
  mutating func takeLosses() -> [DroppedDelivery] {
    defer { losses = [] }
    return losses
  }

  /// Through which row the lane owes nothing.
  private func position(of lane: Lane) -> Int64 {
    var position = scanned
    if let first = lane.schedule.first { position = min(position, first.key.row - 1) }
    if let skipped = lane.skippedFrom { position = min(position, skipped - 1) }
    return max(position, lane.doneBefore)
  }

  /// The cursors as they are to be saved; names of `known` that are not among them are obsolete.
  var cursors: [String: Int64] {
    var positions: [(EffectLane, Int64)] = []
    for name in laneOrder {
      if let lane = lanes[name] { positions.append((name, position(of: lane))) }
    }
    let through = positions.map(\.1).min().map { min($0, scanned) } ?? scanned
    var cursors = [Self.cursorPrefix: through]
    for (name, position) in positions where position > through {
      cursors[Self.lanePrefix + name.name] = position
    }
    // Lanes of which no row was met yet after a restart.
    for (name, position) in saved
    where name.hasPrefix(Self.lanePrefix) && !name.hasPrefix(Self.sincePrefix)
      && position > scanned && cursors[name] == nil
    {
      cursors[name] = position
    }
    for name in laneOrder {
      if let since = lanes[name]?.schedule.failingSince {
        cursors[Self.sincePrefix + name.name] = since.microseconds
      }
    }
    return cursors
  }

  var figures: EffectFigures {
    var figures = EffectFigures()
    for name in laneOrder {
      guard let lane = lanes[name] else { continue }
      var counts = lane.counts
      counts.kind = name.kind
      counts.waiting = lane.schedule.waitingCount + max(0, lane.skipped)
      counts.oldestWaiting = lane.schedule.first?.born
      figures.lanes.append((name.name, counts))
    }
    return figures
  }
}
