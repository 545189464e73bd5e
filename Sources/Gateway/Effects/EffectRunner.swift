import Foundation
import Logging
import Storage
import Synchronization
import Telemetry

/// Delivers what derived events ask for: one thread that reads rows, drives the lanes and saves cursors.
///
/// The ingest thread wakes it when rows with effects have reached SQLite; nothing is polled but once a second
/// for safety. It publishes on the broker itself and leaves webhooks and mails to their senders, which answer
/// through `signals`. Cursors go to SQLite through the ingest thread, with its next transaction.
final class EffectRunner: Sendable {
  /// Rows of one look into SQLite.
  private static let pageRows = 512
  /// Looks of one round: a stream of rows that never ends must not hold up what is ready to be sent.
  private static let pagesMax = 64
  private static let saveMicroseconds: Int64 = 250_000
  private static let lookMicroseconds: Int64 = 1_000_000
  /// How long a stop waits for the broker's acknowledgements.
  private static let stopMicroseconds: Int64 = 2_000_000

  let signals: EffectSignals
  private let reader: StoreReader
  private let mailbox: Mailbox
  private let senders: EffectSenders
  private let settings: Outbox.Settings
  private let concurrency: Int
  private let clock: ClockSource
  private let logger: Logger
  private let echoes = Mutex<EchoWindow?>(nil)
  private let latest = Mutex(EffectFigures())
  private let isStarted = Mutex(false)
  private let finished = DispatchSemaphore(value: 0)

  init(
    _ configuration: GatewayConfiguration, reader: StoreReader, mailbox: Mailbox,
    senders: EffectSenders, signals: EffectSignals, clock: ClockSource, logger: Logger
  ) {
    self.reader = reader
    self.mailbox = mailbox
    self.senders = senders
    self.signals = signals
    self.clock = clock
    self.logger = logger
    concurrency = configuration.effects.concurrency
    settings = Outbox.Settings(
      root: configuration.root,
      ageMaxMicroseconds: configuration.effects.ageSecondsMax * 1_000_000,
      seed: Hash64.hash(configuration.gatewayID))
  }

  var figures: EffectFigures { latest.withLock { $0 } }

  /// Before `start`: who wants to know what we publish outside of our root.
  func noteEchoes(in window: EchoWindow) { echoes.withLock { $0 = window } }

  func start() {
    isStarted.withLock { $0 = true }
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "effects"
    thread.stackSize = 1 << 20
    thread.start()
  }

  /// Lets the broker answer for what is under way, saves the cursors and ends the thread. Blocks.
  func stop() {
    signals.stop()
    if isStarted.withLock({ $0 }) { finished.wait() }
    senders.mail?.stop()
    senders.webhooks.stop()
  }

  // MARK: - The thread

  /// What the thread knows; it goes with the database when that is replaced.
  private struct Round {
    var outbox: Outbox
    var generation: Int
    var saved: [String: Int64]
    var savedAt: Int64 = .min / 2
    /// Something happened since.
    var isDirty = true
    var lookedAt: Int64 = .min / 2
    var wakeAt: Int64?
    /// First webhook lane of the next turn, so that each comes first at times.
    var turn = 0
  }

  private func run() {
    while true {
      do {
        guard var round = try begin() else { return }
        if try run(&round) { return }
      } catch {
        logger.error("effects cannot be read; it is tried again", metadata: ["error": "\(error)"])
        if signals.wait(microseconds: Self.lookMicroseconds).shouldStop { return }
      }
    }
  }

  private func begin() throws -> Round? {
    let generation = reader.generation
    let saved = try reader.cursors(prefix: Outbox.cursorPrefix)
    return Round(
      outbox: Outbox(settings: settings, cursors: saved), generation: generation, saved: saved)
  }

  /// - Returns: whether the thread is to end; else it begins anew with another database.
  private func run(_ round: inout Round) throws -> Bool {
    // Everything that waits is known before the first message leaves: of states the newest counts.
    while try look(&round) {}
    while true {
      round.outbox.setBroker(isThere: senders.isBrokerThere)
      try refill(&round)
      send(&round)
      saveIfDue(&round)
      let news = signals.wait(microseconds: pause(round))
      take(news.finished, &round)
      if news.shouldStop {
        finish(&round)
        return true
      }
      guard reader.generation == round.generation else { return false }
      let waited = clock.readMonotonicMicroseconds() - round.lookedAt
      guard news.hasRows || waited >= Self.lookMicroseconds else { continue }
      var pages = 1
      while try look(&round), pages < Self.pagesMax { pages += 1 }
      if pages == Self.pagesMax { signals.rowsArrived() }
    }
  }

  private var moment: DeliveryMoment {
    let reading = clock.read()
    return DeliveryMoment(
      monotonicMicroseconds: reading.monotonicMicroseconds,
      wall: Timestamp(microseconds: reading.wallMicroseconds))
  }

  private func pause(_ round: Round) -> Int64 {
    let now = clock.readMonotonicMicroseconds()
    var until = round.lookedAt + Self.lookMicroseconds
    if let wakeAt = round.wakeAt { until = min(until, wakeAt) }
    return max(0, until - now)
  }

  // MARK: - Rows

  /// - Returns: whether there may be more.
  private func look(_ round: inout Round) throws -> Bool {
    let now = moment
    let rows = try reader.effectRows(after: round.outbox.scanned, limit: Self.pageRows)
    round.outbox.take(rows, at: now)
    if !rows.isEmpty { round.isDirty = true }
    round.lookedAt = now.monotonicMicroseconds
    return rows.count == Self.pageRows
  }

  private func refill(_ round: inout Round) throws {
    for (lane, after) in round.outbox.refills {
      let rows = try reader.effectRows(after: after, limit: Self.pageRows)
      let isEnd = rows.count < Self.pageRows || rows[rows.count - 1].id >= round.outbox.scanned
      round.outbox.refill(lane, rows, isEnd: isEnd, at: moment)
    }
  }

  // MARK: - Deliveries

  private func send(_ round: inout Round) {
    round.wakeAt = nil
    let lanes = round.outbox.laneOrder
    let webhooks = lanes.filter { if case .webhook = $0 { true } else { false } }
    for lane in lanes where !webhooks.contains(lane) { send(lane, &round) }
    guard !webhooks.isEmpty else { return }
    var busy = webhooks.reduce(0) { $0 + round.outbox.inFlight(in: $1) }
    for index in webhooks.indices where busy < concurrency {
      let lane = webhooks[(round.turn + index) % webhooks.count]
      let before = round.outbox.inFlight(in: lane)
      send(lane, &round)
      busy += round.outbox.inFlight(in: lane) - before
    }
    round.turn += 1
  }

  private func send(_ lane: EffectLane, _ round: inout Round) {
    while true {
      let now = moment
      switch round.outbox.next(in: lane, at: now) {
      case .send(let delivery):
        let key = delivery.key
        if case .message(let message)? = delivery.effect, !message.topic.hasPrefix(settings.root) {
          echoes.withLock { $0 }?.note(message.topic, message.payload)
        }
        round.isDirty = true
        senders.send(delivery, at: now) { [signals] outcome in
          signals.finished(.init(lane: lane, key: key, outcome: outcome))
        }
      case .wait(let until):
        if let until { round.wakeAt = min(round.wakeAt ?? until, until) }
        return
      case .drop: continue  // Never told: the outbox counts them.
      }
    }
  }

  private func take(_ finished: [EffectSignals.Finished], _ round: inout Round) {
    for item in finished {
      round.isDirty = true
      for dropped in round.outbox.finished(item.lane, item.key, item.outcome, at: moment) {
        log(dropped, item.lane)
      }
      switch item.outcome {
      case .delivered(let note?):
        logger.warning(
          "a delivery was refused in part",
          metadata: ["lane": "\(item.lane.name)", "reason": "\(note)"])
      case .failed(let reason, _):
        logger.info(
          "a delivery failed; it is tried again",
          metadata: ["lane": "\(item.lane.name)", "reason": "\(reason)"])
      default: break
      }
    }
  }

  private func log(_ dropped: DroppedDelivery, _ lane: EffectLane) {
    let reason: String
    switch dropped.reason {
    case .refused(let text): reason = text
    case .givenUp(let text): reason = "given up: \(text)"
    case .expired, .superseded: return
    }
    logger.error(
      "a delivery is given up",
      metadata: [
        "lane": "\(lane.name)", "delivery": "\(dropped.delivery.id)", "reason": "\(reason)",
      ])
  }

  // MARK: - Cursors

  private func saveIfDue(_ round: inout Round) {
    guard round.isDirty else { return }
    let now = clock.readMonotonicMicroseconds()
    let due = round.savedAt + Self.saveMicroseconds
    if now >= due {
      round.savedAt = now
      round.isDirty = false
      save(&round)
    } else {
      round.wakeAt = min(round.wakeAt ?? due, due)
    }
  }

  private func save(_ round: inout Round) {
    latest.withLock { [figures = round.outbox.figures] in $0 = figures }
    let cursors = round.outbox.cursors
    let losses = round.outbox.takeLosses()
    guard cursors != round.saved || !losses.isEmpty else { return }
    var set = WriteSet()
    set.generation = round.generation
    set.time = moment.wall.microseconds
    set.losses = EffectLoss.entries(losses)
    for (name, position) in cursors.sorted(by: { $0.key < $1.key })
    where round.saved[name] != position {
      set.cursors.append((name, position))
    }
    for name in round.saved.keys.sorted() where cursors[name] == nil {
      set.cursors.append((name, nil))
    }
    if mailbox.post(.write(set)) { round.saved = cursors }
  }

  private func finish(_ round: inout Round) {
    let until = clock.readMonotonicMicroseconds() + Self.stopMicroseconds
    while round.outbox.inFlight(in: .mqtt) > 0, senders.isBrokerThere {
      let left = until - clock.readMonotonicMicroseconds()
      guard left > 0 else { break }
      take(signals.wait(microseconds: left).finished, &round)
    }
    save(&round)
  }
}
