import Devices
import Logging
import Storage
import Telemetry

/// What happens between opening the data directory and the first message: replay, then configuration.
struct Recovery {
  var store: Store
  var resolver: Resolver
  var state: RecoveredState
  var stages: Stages
  /// For the first record: the configuration if it changed, and what follows from it.
  var startItems: [Item]

  static func run(
    _ loaded: LoadedConfiguration, clock: ClockSource, logger: Logger
  ) throws -> Recovery {
    let started = clock.read().monotonicMicroseconds
    let store = try Store(settings: loaded.gateway.store)
    var window = RedeliveryWindow(
      receiveMaximum: loaded.gateway.mqtt?.receiveMaximum ?? MQTTDefaults.receiveMaximum)
    let savedWindow = try store.savedState("redelivery_window")
    if let savedWindow { window.restore(savedWindow.bytes) }
    var offset: Int64?
    if let saved = try store.savedState("receive_clock") {
      offset = RecoveredState.decodeClock(saved.bytes, bootID: clock.bootID)
    }
    var configuration = try store.lastConfiguration()
    let recorded = configuration
    var verdicts: [Verdict] = []
    let begun = try StageRecovery.begin(store)
    if let problem = begun.problem {
      logger.error("\(problem)")
      store.book(LossEntry(cause: .damage, detail: problem))
    }
    var stages = begun.stages
    if begun.isNew { stages.begin(with: recorded) }
    var output = StageOutput()
    let report = try store.recover(from: stages.position) { header, batch in
      if header.sequence > savedWindow?.position ?? 0 { window.replay(batch) }
      if header.bootID == clock.bootID {
        offset = header.wall.microseconds - header.monotonicMicroseconds
      }
      for item in batch.items {
        if case .configuration(let files) = item { configuration = files }
      }
      store.apply(header, batch, verdicts: &verdicts)
      stages.replay(header, batch, into: store, &output)
    }
    let seconds = Double(clock.read().monotonicMicroseconds - started) / 1e6
    log(report, seconds: seconds, store: store, logger: logger)

    var registry = Registry()
    for item in store.catalog.items { registry.apply(item) }
    var resolver = Resolver(registry: registry)
    resolver.restore(memory: store.memory.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    let (items, warnings) = resolver.reconfigure(loaded.devices)
    for warning in warnings { logger.warning("\(warning)") }
    var startItems = [Item.started(version: ProductVersion.text)] + items
    startItems += stages.missingDefinitions(of: store.catalog)
    // Also when the stages could not read what is recorded: they must not run without rules for good.
    if configuration != loaded.files || stages.configuredFiles != loaded.files {
      startItems.insert(.configuration(files: loaded.files), at: 1)
    }
    var figures = IngestFigures()
    figures.replayedRecords = report.records
    figures.replayedSamples = report.samples
    figures.replaySeconds = seconds
    figures.journalDamages = report.damages.count
    figures.configurationWarnings = warnings
    let state = RecoveredState(
      window: window, clock: offset.map(ReceiveClock.init(continuing:)) ?? ReceiveClock(),
      figures: figures)
    return Recovery(
      store: store, resolver: resolver, state: state, stages: stages, startItems: startItems)
  }

  private static func log(
    _ report: RecoveryReport, seconds: Double, store: Store, logger: Logger
  ) {
    for damage in report.damages {
      let level: Logger.Level = damage.kind == .tornTail ? .notice : .error
      logger.log(level: level, "journal: \(damage)", metadata: ["kind": "\(damage.kind.rawValue)"])
    }
    if report.isDatabaseAhead {
      logger.error("the database is ahead of the journal; numbering goes on above it")
    }
    for file in store.statistics.setAsideFiles {
      logger.critical("the database was damaged and set aside", metadata: ["file": "\(file)"])
    }
    logger.info(
      "store opened",
      metadata: [
        "replayed_records": "\(report.records)", "replayed_samples": "\(report.samples)",
        "seconds": "\(seconds)", "series": "\(store.catalog.series.count)",
      ])
  }
}

enum MQTTDefaults {
  static let receiveMaximum: UInt16 = 1_000
}
