import Devices
import Foundation
import Logging
import MQTT
import ServiceLifecycle
import Storage
import Synchronization
import Telemetry

/// The running gateway: one ingest thread, its jobs, and the verbs that everything else calls.
///
/// `start` recovers the store before it returns; from then on submissions are taken. `run` is its life as
/// a service: it ends after a graceful shutdown, with everything sealed.
public final class Gateway: Service {
  public let configuration: GatewayConfiguration
  /// Reads samples, series and events; safe from any thread.
  public let queries: Queries
  public let logger: Logger
  /// Figures of machines and lines.
  public let production: ProductionFloor
  public let quality: QualityFloor
  public let energy: EnergyFloor
  /// What is committed, as it happens.
  public let live = LiveHub()

  private let mailbox: Mailbox
  private let published = FiguresBox()
  private let publications: Publications?
  private let loader: ConfigurationLoader?
  private let lock: DataLock
  private let finished = AsyncStream<Void>.makeStream()
  private let jobs: JobRunner
  private let effects: EffectRunner
  private let clock: ClockSource

  /// Opens the store, replays the journal, and starts the ingest thread.
  ///
  /// - Parameter loader: where a reload reads the configuration again; `nil`: no reload.
  /// - Throws: when the data directory cannot be used or another gateway holds it.
  public init(
    configuration loaded: LoadedConfiguration, loader: ConfigurationLoader? = nil,
    clock: ClockSource = .system(), logger: Logger
  ) throws {
    let configuration = loaded.gateway
    self.configuration = configuration
    self.logger = logger
    self.loader = loader
    self.clock = clock
    lock = try DataLock(directory: configuration.store.directory)
    let recovery = try Recovery.run(loaded, clock: clock, logger: logger)
    let mailbox = Mailbox()
    self.mailbox = mailbox
    let reader = StoreReader(
      directory: configuration.store.directory, database: recovery.store.current,
      fetchCatalog: { OpenRequest.fetchCatalog(from: mailbox) },
      fetchOpen: { OpenRequest.fetch($0, from: mailbox) })
    queries = Queries(reader: reader, mailbox: mailbox)
    production = ProductionFloor(queries: queries, configuration: loaded.production)
    quality = QualityFloor(queries: queries, configuration: loaded.quality)
    energy = EnergyFloor(
      queries: queries, production: production, configuration: loaded.energy)
    jobs = JobRunner(
      reader: reader, mailbox: mailbox, settings: configuration.store, devices: loaded.devices,
      production: production, clock: clock, logger: logger)
    let signals = EffectSignals()
    publications = try Publications(
      configuration, figures: published, reader: reader, clock: clock, logger: logger,
      connectionChanged: signals.brokerChanged)
    effects = EffectRunner(
      configuration, reader: reader, mailbox: mailbox,
      senders: EffectSenders(configuration, publisher: publications?.publisher, logger: logger),
      signals: signals, clock: clock, logger: logger)
    start(recovery, clock: clock)
  }

  private func start(_ recovery: Recovery, clock: ClockSource) {
    var settings = IngestSettings(configuration, startItems: recovery.startItems)
    settings.own.add(publications?.ownTopics ?? [])
    // By MQTT 5 they name us themselves, after a restart too.
    if configuration.mqtt?.version == .v311 { effects.noteEchoes(in: settings.own.echoes) }
    let published = published
    published.put(recovery.state.figures)
    let parts = IngestThreadParts(
      settings: settings, store: recovery.store, resolver: recovery.resolver,
      recovered: recovery.state, stages: recovery.stages, mailbox: mailbox, published: published,
      clockSource: clock, live: live, logger: logger, publisher: publications?.publisher,
      effects: effects.signals)
    let continuation = finished.continuation
    let thread = Thread {
      parts.makeLoop().run()
      continuation.yield()
      continuation.finish()
    }
    thread.name = "ingest"
    thread.stackSize = 8 << 20
    thread.qualityOfService = .userInteractive
    thread.start()
  }

  /// Lives until a graceful shutdown, then stops in order: broker, batch, seal, close.
  public func run() async throws {
    try startPublishing()
    jobs.start()
    await cancelWhenGracefulShutdown {
      // Ends only by cancellation: there is nothing to wait for but the shutdown itself.
      try? await Task.sleep(for: .seconds(60 * 60 * 24 * 365 * 100))
    }
    await stop()
  }

  /// The connections beside telemetry; until then they are prepared and nothing is published.
  func startPublishing() throws {
    publications?.start()
    effects.start()
  }

  /// Stops without a service group: for tests and short-lived commands.
  public func stop() async {
    await withCheckedContinuation { continuation in
      // Waits for threads of ours; not a wait for a thread of the pool.
      DispatchQueue.global().async { [jobs, publications, effects] in
        effects.stop()
        // Nodes are told that we go while what they still send is stored.
        publications?.stop()
        jobs.stop()
        continuation.resume()
      }
    }
    _ = mailbox.post(.stop)
    for await _ in finished.stream {}
    live.finish()
    lock.release()
  }

  // MARK: - Verbs

  /// Hands a submission to the ingest thread and waits until it is committed and applied.
  public func submit(_ submission: Submission) async throws(SubmissionError) -> SubmissionResult {
    let result: Result<SubmissionResult, SubmissionError> = await withCheckedContinuation {
      continuation in
      let taken = mailbox.post(.submit(submission) { continuation.resume(returning: $0) })
      if !taken {
        continuation.resume(
          returning: .failure(mailbox.isClosed ? .shuttingDown : .overloaded))
      }
    }
    return try result.get()
  }

  /// Moves everything that waits to SQLite, for a reader that must see its own write.
  public func flush() async {
    await withCheckedContinuation { continuation in
      if !mailbox.post(.flush { continuation.resume() }) { continuation.resume() }
    }
  }

  /// A profile of the configuration in force.
  public func profile(_ id: String) -> Profile? { jobs.profile(id) }

  /// Looks at the stages between two batches, on the ingest thread: the look must be quick.
  func inspect<Value: Sendable>(
    otherwise fallback: Value, _ look: @escaping @Sendable (Stages) -> Value
  ) async -> Value {
    await withCheckedContinuation { continuation in
      if !mailbox.post(.inspect { continuation.resume(returning: look($0)) }) {
        continuation.resume(returning: fallback)
      }
    }
  }

  /// What the ingest thread counted, as of its last batch.
  public var figures: IngestFigures { published.value }

  /// Where the pipeline stands now, for `PipelineProgress` to judge.
  public var pipeline: PipelineState {
    var state = PipelineState(now: clock.readMonotonicMicroseconds())
    published.pulse.read(into: &state)
    state.storageProblem = published.value.storageProblem
    state.job = jobs.job
    return state
  }

  /// What has left the box because of derived events, and what waits to.
  public var effectFigures: EffectFigures { effects.figures }

  public var isPublisherConnected: Bool { publications?.publisher.isConnected ?? false }

  /// Reads the configuration files again and puts devices and routes in force.
  ///
  /// - Returns: the problems that were found; when one is an error the running configuration stays.
  public func reload() async -> [Diagnostic] {
    guard let loader else { return [] }
    let (loaded, diagnostics) = loader.load()
    guard let loaded else {
      for diagnostic in diagnostics { logger.error("\(diagnostic)") }
      logger.error("the configuration was not reloaded; the running one stays in force")
      return diagnostics
    }
    jobs.reconfigure(loaded.devices)
    production.reconfigure(loaded.production)
    quality.reconfigure(loaded.quality)
    energy.reconfigure(loaded.energy)
    _ = await withCheckedContinuation { continuation in
      if !mailbox.post(.reload(loaded) { continuation.resume(returning: $0) }) {
        continuation.resume(returning: [])
      }
    }
    return diagnostics
  }
}

/// Everything the ingest thread takes over when it starts; nobody else uses it afterwards.
private struct IngestThreadParts: @unchecked Sendable {  // Handed over once, to one thread.
  let settings: IngestSettings
  let store: Store
  let resolver: Resolver
  let recovered: RecoveredState
  let stages: Stages
  let mailbox: Mailbox
  let published: FiguresBox
  let clockSource: ClockSource
  let live: LiveHub
  let logger: Logger
  let publisher: Publisher?
  let effects: EffectSignals

  /// At QoS 0, as Sparkplug says: a request that is lost is made again.
  private var publish: (@Sendable (String, [UInt8]) -> Void)? {
    guard let publisher else { return nil }
    return { topic, payload in _ = publisher.publish(topic: topic, payload: payload, qos: 0) }
  }

  func makeLoop() -> IngestLoop {
    let loop = IngestLoop(
      settings: settings, store: store, resolver: resolver, recovered: recovered, stages: stages,
      mailbox: mailbox, published: published, clockSource: clockSource, live: live,
      logger: logger, publish: publish)
    loop.urgentRowsArrived = effects.rowsArrived
    return loop
  }
}
