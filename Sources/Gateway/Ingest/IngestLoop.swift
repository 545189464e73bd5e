import Devices
import Glibc
import Logging
import MQTT
import Storage
import Synchronization
import Telemetry

/// The ingest thread: the one owner of the MQTT socket, the journal, the open chunks and the write connection.
///
/// A batch goes: read → decode → `Store.commit` (journal and fdatasync) → acknowledgements → stages →
/// answers to HTTP. Everything another thread wants comes through the mailbox, between two batches.
final class IngestLoop {
  let settings: IngestSettings
  let mailbox: Mailbox
  let published: FiguresBox
  let logger: Logger
  let clockSource: ClockSource
  let store: Store

  var resolver: Resolver
  var subscriber: Subscriber?
  var connection: Connection
  var window: RedeliveryWindow
  var clock: ReceiveClock
  var figures = IngestFigures()

  // The batch being gathered.
  var batch = Batch()
  var mark: Registry.Mark
  var replies: [PendingReply] = []
  var batchBytes = 0
  var batchStarted: Int64 = 0
  var verdicts: [Verdict] = []
  /// Items nobody will repeat for us; they go first into the next batch.
  var carried: [Item] = []
  /// The carried items that are part of the present batch: carried again should it fail.
  var carriedInBatch: [Item] = []
  /// Ids of the events in the present batch.
  var batchEventIDs = Set<String>()

  var now = ReceiveClock.Moment(
    time: .epoch, monotonicMicroseconds: 0, quality: .unsynchronized, step: nil)
  var lastCommit: Int64 = 0
  var lastTick: Int64 = 0
  var lastKeepAlive: Int64 = 0
  /// When to try storage again after a failure; `nil` while it works.
  var storageRetryAt: Int64?
  var isStopping = false
  /// Where requests to devices leave; `nil` without a broker.
  let publish: (@Sendable (_ topic: String, _ payload: [UInt8]) -> Void)?
  /// Called after a transaction with rows because of which something leaves the box.
  var urgentRowsArrived: (@Sendable () -> Void)?
  var stages: Stages
  /// Of the record committed last; empty while a batch gathers.
  var stageOutput = StageOutput()
  /// Commands to stages in the present batch.
  var stagedCommands = 0
  var snapshotSchedule = SnapshotSchedule()
  let snapshotWriter: SnapshotWriter?
  let live: LiveHub

  init(
    settings: IngestSettings, store: Store, resolver: Resolver, recovered: RecoveredState,
    stages: Stages, mailbox: Mailbox, published: FiguresBox, clockSource: ClockSource,
    live: LiveHub, logger: Logger, publish: (@Sendable (String, [UInt8]) -> Void)? = nil
  ) {
    self.settings = settings
    self.store = store
    self.resolver = resolver
    self.mailbox = mailbox
    self.published = published
    self.clockSource = clockSource
    self.logger = logger
    self.publish = publish
    window = recovered.window
    clock = recovered.clock
    figures = recovered.figures
    connection = Connection(isConfigured: settings.mqtt != nil)
    // What recovery defined waits in `startItems`: it is no part of a batch that may fail.
    mark = self.resolver.markCommitted()
    self.stages = stages
    self.live = live
    snapshotWriter = store.snapshots.map { SnapshotWriter(snapshots: $0, mailbox: mailbox) }
  }

  /// Runs until `stop` was asked for; then commits what is there, seals and leaves an empty journal.
  func run() {
    readClock()
    lastCommit = now.monotonicMicroseconds
    store.begin(nowMicroseconds: now.monotonicMicroseconds)
    if let items = settings.startItems, !items.isEmpty { carried.append(contentsOf: items) }
    openSubscriber()
    while !isStopping {
      published.pulse.turn(
        batchStarted: batch.isEmpty ? nil : batchStarted, lastCommit: lastCommit)
      wait()
      readClock()
      handleRequests()
      driveConnection()
      gather()
      advanceDecoders()
      commitIfDue()
      flushIfDue()
      snapshotIfDue()
      // Of an open batch nothing counts yet.
      if batch.isEmpty { publishFigures() }
    }
    finish()
  }

  // MARK: - Waiting

  private func wait() {
    var polled = [pollfd(fd: mailbox.wake.descriptor, events: Int16(POLLIN), revents: 0)]
    if connection.isOpen, storageRetryAt == nil, let subscriber, subscriber.descriptor >= 0 {
      let events = Int16(POLLIN) | (subscriber.wantsWrite && batch.isEmpty ? Int16(POLLOUT) : 0)
      polled.append(pollfd(fd: subscriber.descriptor, events: events, revents: 0))
    }
    _ = poll(&polled, nfds_t(polled.count), waitMilliseconds)
    if polled[0].revents != 0 { mailbox.wake.clear() }
  }

  /// How long nothing needs doing: until a commit, a retry or a connection attempt is due, at most 500 ms.
  private var waitMilliseconds: Int32 {
    var microseconds: Int64 = 500_000
    let present = monotonicNow()
    if !batch.isEmpty { microseconds = min(microseconds, commitDueAt - present) }
    if let retry = storageRetryAt { microseconds = min(microseconds, retry - present) }
    if let due = store.urgentFlushDue { microseconds = min(microseconds, due - present) }
    if storageRetryAt == nil, let deadline = resolver.nextDeadline {
      microseconds = min(microseconds, deadline - present)
    }
    if storageRetryAt == nil, let deadline = stageDeadline {
      microseconds = min(microseconds, deadline - present)
    }
    if let attempt = connection.nextAttemptAt {
      microseconds = min(microseconds, attempt - present)
    }
    return Int32(max(0, (microseconds + 999) / 1_000))
  }

  func monotonicNow() -> Int64 { clockSource.readMonotonicMicroseconds() }

  func readClock() {
    now = clock.read(clockSource.read())
    figures.clockQuality = now.quality
    guard let step = now.step else { return }
    figures.clockSteps += 1
    carried.append(.clockStepped(offsetMicroseconds: step))
    logger.warning(
      "the wall clock was stepped",
      metadata: ["by_seconds": "\(Double(step) / 1e6)", "receive_time": "\(now.time.rfc3339)"])
  }

  // MARK: - Gathering

  private func gather() {
    guard connection.isOpen, storageRetryAt == nil, let subscriber else { return }
    let room = settings.batchMessagesMax - batch.deliveries.count
    guard room > 0, batchBytes < settings.batchBytesMax else { return }
    // Definitions that wait must come before the first sample that uses them.
    beginWithCarried()
    switch subscriber.readAvailable(limit: room) {
    case .dry: isDry = true
    case .limit: isDry = false
    case .closed: connectionLost()
    }
  }

  /// What decoders wait for by the clock: messages that never came, nodes to ask for a rebirth.
  private func advanceDecoders() {
    guard storageRetryAt == nil, let deadline = resolver.nextDeadline,
      now.monotonicMicroseconds >= deadline
    else { return }
    beginWithCarried()
    let (requests, outcome) = resolver.advance(
      to: now.monotonicMicroseconds, received: now.time, into: &batch)
    count(outcome)
    for request in requests {
      logger.notice(
        "asking a Sparkplug node for a rebirth",
        metadata: ["topic": "\(request.topic)", "reason": "\(request.reason)"])
      publish?(request.topic, request.payload)
    }
    guard batch.hasOpenDelivery else { return }
    if batch.deliveries.isEmpty { batchStarted = now.monotonicMicroseconds }
    batch.endDelivery(packetID: 0)
  }

  private(set) var isDry = true

  /// A batch ends when it is full, or when the longest delay since the last commit has passed.
  private var commitDueAt: Int64 {
    batch.deliveries.count >= settings.batchMessagesMax || batchBytes >= settings.batchBytesMax
      ? 0
      : max(lastCommit, batchStarted - settings.commitDelayMicroseconds)
        + settings.commitDelayMicroseconds
  }

  private func commitIfDue() {
    if let retry = storageRetryAt {
      if now.monotonicMicroseconds >= retry { retryStorage() }
      return
    }
    beginWithCarried()
    guard !batch.isEmpty else {
      tickIfDue()
      return
    }
    if isStopping || monotonicNow() >= commitDueAt { commit() }
  }

  /// Definitions and notes that must be part of the next record go first.
  func beginWithCarried() {
    guard !carried.isEmpty, batch.isEmpty else { return }
    batchStarted = now.monotonicMicroseconds
    batch.items.append(contentsOf: carried)
    swap(&carried, &carriedInBatch)
    carried.removeAll()
    batch.endDelivery(packetID: 0)
  }

  /// A record without inputs tells a replay how time went on: when a stage's timer is due, else once a minute.
  private func tickIfDue() {
    let since = now.monotonicMicroseconds - lastTick
    let isTimerDue =
      stageDeadline.map { now.monotonicMicroseconds >= $0 && since >= Self.timerTickMicroseconds }
      ?? false
    guard isTimerDue || since >= settings.tickMicroseconds else { return }
    commit()
  }

  /// Timers of stages are due together when they are due within this.
  private static let timerTickMicroseconds: Int64 = 20_000

  /// When the next timer of a stage is due, in the monotonic clock.
  private var stageDeadline: Int64? {
    stages.nextDeadline().map {
      max(stages.clock.monotonic(of: $0), lastTick + Self.timerTickMicroseconds)
    }
  }

  func publishFigures() {
    figures.store = store.statistics
    figures.devices = resolver.registry.devices.count
    figures.series = resolver.registry.series.count
    figures.words = resolver.registry.words.count
    figures.sparkplug = resolver.sparkplug.counters
    figures.sparkplugNodes = resolver.sparkplug.nodeCount
    figures.sparkplugNodesOnline = resolver.sparkplug.onlineNodeCount
    figures.sparkplugHeld = resolver.sparkplug.heldCount
    figures.journalBytes = store.journal.writtenBytes
    figures.journalHeldBytes = store.journal.heldBytes
    published.put(figures)
  }

  private func finish() {
    let waiting = mailbox.close()
    for request in waiting { refuse(request) }
    if storageRetryAt == nil, !batch.isEmpty || !carried.isEmpty {
      beginWithCarried()
      commit()
    }
    subscriber?.disconnect()
    do {
      readClock()
      snapshotWriter?.drain()
      try store.close(nowMicroseconds: now.monotonicMicroseconds, stages: stages.saved())
    } catch {
      logger.error(
        "the store could not be closed cleanly; the journal will be replayed",
        metadata: ["error": "\(error)"])
    }
    publishFigures()
  }

  private func refuse(_ request: Request) {
    switch request {
    case .submit(_, let reply): reply(.failure(.shuttingDown))
    case .openParts(_, let reply): reply([])
    case .latest(let series, let reply): reply(store.current(of: series))
    case .catalog(let reply): reply(store.catalog)
    case .flush(let reply): reply()
    case .inspect(let look): look(stages)
    case .rescue(_, let reply): reply(false)
    case .reload(_, let reply): reply(["the gateway is shutting down"])
    case .write, .connectFinished, .snapshotWritten, .stop: break
    }
  }
}

/// The last figures, for other threads.
final class FiguresBox: Sendable {
  private let figures = Mutex(IngestFigures())
  /// Left at each turn, also while a batch is open.
  let pulse = Pulse()

  func put(_ new: IngestFigures) { figures.withLock { $0 = new } }
  var value: IngestFigures { figures.withLock { $0 } }
}
