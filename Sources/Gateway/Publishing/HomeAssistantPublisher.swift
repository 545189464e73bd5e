import Foundation
import Logging
import MQTT
import Storage
import Synchronization
import Telemetry

/// Announces the gateway to Home Assistant and publishes its state: one thread, owned by `Publications`.
///
/// Without a discovery it only takes back what was announced before, and ends.
final class HomeAssistantPublisher: Sendable {
  private static let lookSeconds = 5

  private let discovery: HomeAssistantDiscovery?
  private let directory: String
  private let publisher: Publisher
  private let signals: PublisherSignals
  private let figures: FiguresBox
  private let reader: StoreReader
  private let clock: ClockSource
  private let logger: Logger
  private let isStarted = Mutex(false)
  private let finished = DispatchSemaphore(value: 0)

  init(
    _ discovery: HomeAssistantDiscovery?, directory: String, publisher: Publisher,
    signals: PublisherSignals, figures: FiguresBox, reader: StoreReader, clock: ClockSource,
    logger: Logger
  ) {
    self.discovery = discovery
    self.directory = directory
    self.publisher = publisher
    self.signals = signals
    self.figures = figures
    self.reader = reader
    self.clock = clock
    self.logger = logger
  }

  func start() {
    isStarted.withLock { $0 = true }
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "home-assistant"
    thread.stackSize = 1 << 20
    thread.start()
  }

  /// Waits until the thread has ended. Blocks.
  func stop() {
    signals.raise(.stop)
    if isStarted.withLock({ $0 }) { finished.wait() }
  }

  // MARK: - The thread

  private func run() {
    var announced = AnnouncedTopics(directory: directory)
    var removals: [String] = []
    var schedule = StateSchedule()
    var rate = SampleRate()
    while true {
      let raised = signals.wait(seconds: removals.isEmpty ? Self.lookSeconds : 1)
      if raised.contains(.stop) { return }
      if raised.contains(.connected) { removals = takeBack(announced) }
      if !removals.isEmpty, publisher.isConnected, publisher.outstanding == 0 {
        forget(&removals, &announced)
      }
      guard let discovery else {
        if announced.topics.isEmpty { return }
        continue
      }
      let isAsked = !raised.isDisjoint(with: [.connected, .birth])
      if isAsked { announce(discovery, &announced) }
      let now = clock.readMonotonicMicroseconds()
      let figures = figures.value
      let samplesPerMinute = rate.observe(total: GatewayState.samples(figures), now: now)
      let isDue = schedule.look(
        now: now, notable: GatewayState.notable(figures), isConnected: publisher.isConnected,
        isAsked: isAsked)
      if isDue { publishState(figures, samplesPerMinute: samplesPerMinute, discovery) }
    }
  }

  /// Publishes nothing, retained, where something retained of ours has no business any more.
  /// - Returns: those topics.
  private func takeBack(_ announced: AnnouncedTopics) -> [String] {
    announced.topics.filter { $0 != discovery?.topic }
      .filter { publisher.publish(topic: $0, payload: [], isRetained: true) }
  }

  /// The broker has acknowledged the removals.
  private func forget(_ removals: inout [String], _ announced: inout AnnouncedTopics) {
    noting { try announced.forget(removals) }
    removals = []
  }

  private func announce(
    _ discovery: HomeAssistantDiscovery, _ announced: inout AnnouncedTopics
  ) {
    noting { try announced.note(discovery.topic) }
    _ = publisher.publish(
      topic: discovery.topic, payload: Array(discovery.payload.utf8), isRetained: true)
  }

  /// At QoS 0: the next one comes in half a minute, and none is to wait while the broker is away.
  private func publishState(
    _ figures: IngestFigures, samplesPerMinute: Double?, _ discovery: HomeAssistantDiscovery
  ) {
    var pipeline = PipelineState(now: clock.readMonotonicMicroseconds())
    self.figures.pulse.read(into: &pipeline)
    let state = GatewayState(
      figures, samplesPerMinute: samplesPerMinute,
      // A database that does not answer is told by `problem`; the other figures are still worth telling.
      rows: try? RowFigures(reader),
      diskFreeBytes: DiskSpace(directory)?.freeBytes,
      lastCommitAgeSeconds: pipeline.lastCommit.map { Double(max(0, pipeline.now - $0)) / 1e6 })
    _ = publisher.publish(
      topic: discovery.root + GatewayState.topic, payload: Array(state.json.utf8), qos: 0)
  }

  /// Without its note a message cannot be taken back later; that is no reason not to announce.
  private func noting(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      logger.warning(
        "what was announced to Home Assistant could not be noted",
        metadata: ["directory": "\(directory)", "error": "\(error)"])
    }
  }
}
