import Devices
import Foundation
import Logging
import Storage
import Synchronization
import Telemetry

/// The jobs behind the log: checkpoints, compaction, retention. One low-priority thread.
///
/// They read snapshots and hand write sets to the ingest thread; none of them can delay an acknowledgement.
final class JobRunner: Sendable {
  /// The WAL is moved into the database when it is larger than this.
  static let walBytesMax = 8 << 20
  /// Quarters of a second after which code of the start is handed back: while series are defined, memory is at its
  /// highest.
  private static let releaseRounds = [1, 2, 3, 4, 6, 8, 12]

  private let reader: StoreReader
  private let mailbox: Mailbox
  private let settings: StoreSettings
  private let logger: Logger
  private let watch: JobWatch
  private let clock: ClockSource
  private let production: ProductionFloor
  private let devices: Mutex<DeviceConfiguration>
  private let isStopping = Mutex(false)
  private let finished = DispatchSemaphore(value: 0)
  private let isStarted = Mutex(false)

  init(
    reader: StoreReader, mailbox: Mailbox, settings: StoreSettings, devices: DeviceConfiguration,
    production: ProductionFloor, clock: ClockSource, logger: Logger
  ) {
    self.reader = reader
    self.mailbox = mailbox
    self.settings = settings
    self.logger = logger
    watch = JobWatch(clock: clock)
    self.clock = clock
    self.production = production
    self.devices = Mutex(devices)
  }

  func reconfigure(_ configuration: DeviceConfiguration) {
    devices.withLock { $0 = configuration }
  }

  func profile(_ id: String) -> Profile? { devices.withLock { $0.profile(id) } }

  func start() {
    isStarted.withLock { $0 = true }
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "jobs"
    thread.stackSize = 4 << 20
    thread.qualityOfService = .background
    thread.start()
  }

  func stop() {
    isStopping.withLock { $0 = true }
    if isStarted.withLock({ $0 }) { finished.wait() }
  }

  private var shouldStop: Bool { isStopping.withLock { $0 } }

  private func run() {
    var round = 0
    while !shouldStop {
      Thread.sleep(forTimeInterval: 0.25)
      round += 1
      attempt("checkpoint") { try checkpoint() }
      if round % 40 == 10 { attempt("rescue") { try rescue() } }
      if round % 40 == 0 { attempt("compaction") { try compact() } }
      if round % 40 == 20 { attempt("retention") { try retain() } }
      if Self.releaseRounds.contains(round) || round % 240 == 20 { ProcessMemory.releaseCode() }
      if round % 240 == 60 {
        // Each minute what is due; each hour whether late data changed a shift.
        let pass: ShiftReports.Pass = round % 14_400 == 300 ? .all : .due
        attempt("shift reports") { try report(pass) }
      }
    }
  }

  /// The job in hand; `nil` between two.
  var job: PipelineState.Job? { watch.job }

  private func attempt(_ job: String, _ body: () throws -> Void) {
    watch.begin(job)
    defer { watch.end() }
    do {
      try body()
    } catch {
      logger.error(
        "job failed; it is tried again", metadata: ["job": "\(job)", "error": "\(error)"])
    }
  }

  private func checkpoint() throws {
    guard reader.walBytes > Self.walBytesMax else { return }
    try reader.checkpoint()
  }

  /// Copies back what a damaged database still holds, for some seconds and at a pace that leaves the disk to
  /// the ingest; the next round goes on there.
  private func rescue() throws {
    for rescue in try Rescue.owed(directory: settings.directory, database: reader.database) {
      let generation = reader.generation
      let started = ContinuousClock.now
      let report: SalvageReport
      do {
        report = try rescue.run(now: .now, catalog: try reader.catalog()) { [self] set in
          if shouldStop || ContinuousClock.now - started > .seconds(8) { throw CancellationError() }
          try hand(set, generation: generation)
        }
      } catch is CancellationError {
        return
      }
      logger.notice(
        "what could be read of the damaged database is copied back",
        metadata: [
          "file": "\(rescue.file)", "gaps": "\(report.tables.reduce(0) { $0 + $1.gaps })",
          "damaged_chunks": "\(report.damagedChunks)", "lost_samples": "\(report.lostSamples)",
        ])
    }
  }

  private func hand(_ set: WriteSet, generation: Int) throws {
    guard DiskSpace(settings.directory)?.freeBytes ?? .max > Self.freeBytesMin else {
      throw RescueHalted(reason: "less than \(Self.freeBytesMin >> 20) MiB of disk are free")
    }
    var set = set
    set.generation = generation
    let answered = DispatchSemaphore(value: 0)
    let isWritten = Mutex(false)
    let isPosted = mailbox.post(
      .rescue(set) { written in
        isWritten.withLock { $0 = written }
        answered.signal()
      })
    guard isPosted else { throw CancellationError() }
    answered.wait()
    guard isWritten.withLock({ $0 }) else {
      throw RescueHalted(reason: "the rows could not be written")
    }
    try checkpoint()
    watch.step()
    Thread.sleep(forTimeInterval: 0.05)
  }

  /// Computes reports of closed shifts and hands them to the stages, which keep them in the event log.
  private func report(_ pass: ShiftReports.Pass) throws {
    // What was reported and edited before must be seen, or it would be reported again.
    let flushed = DispatchSemaphore(value: 0)
    guard mailbox.post(.flush { flushed.signal() }) else { return }
    flushed.wait()
    let reports = ShiftReports(
      reader: reader, configuration: production.configuration,
      now: Timestamp(microseconds: clock.read().wallMicroseconds), pass: pass)
    for report in try reports.made(isCancelled: { shouldStop }) where !shouldStop {
      watch.step()
      let command = OperatorCommand(
        name: ProductionCommands.report, target: report.subject, principal: "gateway",
        body: report.json.encoded)
      let answered = DispatchSemaphore(value: 0)
      let isPosted = mailbox.post(
        .submit(Submission(.command(.stage(command)))) { _ in answered.signal() })
      // Refused or lost, it is made again by the next pass.
      guard isPosted else { return }
      answered.wait()
    }
  }

  private static let freeBytesMin = 256 << 20

  private struct RescueHalted: Error, CustomStringConvertible {
    var reason: String
    var description: String { "a damaged database is not copied back now: \(reason)" }
  }

  /// Hands over what was computed from the database of that generation.
  private func post(_ set: WriteSet, _ generation: Int) {
    var set = set
    set.generation = generation
    _ = mailbox.post(.write(set))
  }

  private func compact() throws {
    let generation = reader.generation
    let compactor = Compactor(database: reader.database)
    let catalog = try reader.catalog()
    for series in try compactor.candidates() {
      guard !shouldStop else { return }
      watch.step()
      guard Int(series) < catalog.series.count else { continue }
      let definition = catalog.series[Int(series)]
      if let set = try compactor.nextMerge(
        of: series, type: definition.type, kind: definition.kind)
      {
        post(set, generation)
        // Leaves the disk and the ingest thread to others for most of the time.
        Thread.sleep(forTimeInterval: 0.005)
      }
    }
  }

  private func retain() throws {
    let generation = reader.generation
    let retention = Retention(database: reader.database)
    let now = Timestamp.now
    let catalog = try reader.catalog()
    let profiles = devices.withLock { configuration in
      Dictionary(
        configuration.profiles.compactMap { profile in
          profile.retention.map { (profile.id, $0) }
        }, uniquingKeysWith: { first, _ in first })
    }
    for definition in catalog.series where !shouldStop {
      watch.step()
      guard let span = profiles[catalog.devices[Int(definition.device)].profile] else { continue }
      let limit = now.advanced(byMicroseconds: -Int64(span.components.seconds) * 1_000_000)
      if let set = try retention.expired(series: definition.index, before: limit, now: now) {
        post(set, generation)
      }
    }
    let use = try reader.diskUse()
    if let set = try retention.overBudget(now: now, budget: settings.byteBudget, used: use.used) {
      logger.notice(
        "the store is over its byte budget: the oldest chunks go",
        metadata: ["used_bytes": "\(use.used)", "budget_bytes": "\(settings.byteBudget)"])
      post(set, generation)
    }
  }
}
