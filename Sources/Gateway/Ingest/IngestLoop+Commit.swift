import Logging
import Storage
import Telemetry

extension IngestLoop {
  /// Makes the batch durable, lets its acknowledgements go, runs the stages and answers HTTP.
  func commit() {
    let memory = resolver.takeMemory()
    if !memory.isEmpty {
      batch.items.append(contentsOf: memory)
      batch.endDelivery(packetID: 0)
    }
    let header = RecordHeader(
      bootID: clockSource.bootID, monotonicMicroseconds: now.monotonicMicroseconds, wall: now.time,
      clockQuality: now.quality)
    let committed: RecordHeader
    do {
      committed = try store.commit(batch, header: header)
    } catch {
      return commitFailed(error)
    }
    let present = monotonicNow()
    lastCommit = present
    lastTick = present
    if connection.isOpen, let subscriber, !subscriber.writeQueued() { connectionLost() }
    runStages(committed)
    answer(sequence: committed.sequence)
    if live.isWatched { show(committed) }
    figures.commits += 1
    figures.sequence = committed.sequence
    figures.lastCommit = committed.wall
    if !batch.isEmpty {
      figures.commitLatency.observe(Double(present - batchStarted) / 1e6)
      figures.batchSize.observe(Double(batch.deliveries.count))
    }
    forgetBatch()
  }

  /// What follows from a record: all of it is a function of the records so far.
  private func runStages(_ header: RecordHeader) {
    window.remember(batch)
    store.apply(header, batch, verdicts: &verdicts)
    stageOutput.removeAll()
    stages.apply(header, batch, into: &stageOutput)
    store.put(stageOutput, of: header, items: batch.items.count)
    snapshotSchedule.count(samples: batch.samples.count)
  }

  /// What was committed goes to whoever watches; it may run ahead of SQLite.
  private func show(_ header: RecordHeader) {
    var events: [Event] = []
    for case .event(let event) in batch.items { events.append(event) }
    live.publish(
      LiveUpdate(
        sequence: header.sequence, wall: header.wall, catalog: store.catalog,
        samples: batch.samples, events: events, derived: stageOutput.events.map(\.event),
        standings: stageOutput.standings))
  }

  private func forgetBatch() {
    batch.removeAll()
    batchBytes = 0
    batchEventIDs.removeAll(keepingCapacity: true)
    carriedInBatch.removeAll()
    replies.removeAll(keepingCapacity: true)
    stagedCommands = 0
    stageOutput.removeAll()
    mark = resolver.markCommitted()
  }

  // MARK: - When the disk does not take it

  /// Nothing of the batch counts: no acknowledgement may leave, callers are told, the broker will repeat.
  private func commitFailed(_ error: any Error) {
    figures.commitFailures += 1
    let isDiskFull = (error as? SystemError)?.isOutOfSpace ?? false
    figures.isDiskFull = isDiskFull
    figures.storageProblem = "\(error)"
    logger.error(
      "the batch could not be made durable; acknowledgements are withheld",
      metadata: ["error": "\(error)", "deliveries": "\(batch.deliveries.count)"])
    abandonConnection()
    for reply in replies {
      reply.send(.failure(.storageUnavailable(reason: figures.storageProblem)))
    }
    resolver.rollBack(to: mark)
    carried.insert(contentsOf: carriedInBatch, at: 0)
    forgetBatch()
    if isDiskFull { makeRoom() }
    storageRetryAt = monotonicNow() + settings.storageRetryMicroseconds
  }

  /// Tries with a record that holds no message; when it lands, the connection is made again.
  func retryStorage() {
    storageRetryAt = nil
    beginWithCarried()
    commit()
    guard storageRetryAt == nil else { return }
    figures.storageProblem = ""
    figures.isDiskFull = false
    store.restoreBallast()
    logger.notice("storage works again; ingest goes on")
  }

  /// Frees the ballast and moves what can be moved to SQLite, so that journal segments can go.
  private func makeRoom() {
    store.releaseBallast()
    flush()
  }

  // MARK: - Flush

  func flushIfDue() {
    guard store.isFlushDue(nowMicroseconds: now.monotonicMicroseconds) else { return }
    flush()
  }

  func flush() {
    store.states = savedStates
    let hasUrgentRows = store.hasUrgentRows
    do {
      try store.flush(nowMicroseconds: now.monotonicMicroseconds)
      if hasUrgentRows { urgentRowsArrived?() }
      figures.flushProblem = ""
    } catch {
      handleFlushFailure(error)
    }
  }

  private func handleFlushFailure(_ error: any Error) {
    if figures.flushProblem.isEmpty {
      logger.error(
        "rows cannot go to SQLite; the journal keeps them", metadata: ["error": "\(error)"])
    }
    figures.flushProblem = "\(error)"
    store.flushFailed(nowMicroseconds: now.monotonicMicroseconds)
    guard Store.isDamage(error) else { return }
    do {
      let file = try store.replaceDamagedDatabase()
      logger.critical(
        "the database was damaged: it was set aside and a new one begun",
        metadata: ["file": "\(file)"])
    } catch {
      figures.flushProblem = "\(error)"
    }
  }

  /// What the stages need to go on from, saved whenever journal segments are given up.
  var savedStates: [SavedState] {
    [
      SavedState(name: "redelivery_window", bytes: window.encoded),
      SavedState(
        name: "receive_clock",
        bytes: RecoveredState.encodeClock(bootID: clockSource.bootID, offset: clock.offset ?? 0)),
    ]
  }
}

extension RedeliveryWindow {
  /// Observes the QoS 1 deliveries of a record, in order.
  mutating func remember(_ batch: Batch) {
    for (position, delivery) in batch.deliveries.enumerated() where delivery.packetID != 0 {
      observe(
        packetID: delivery.packetID,
        fingerprint: batch.fingerprint(
          samples: batch.sampleRange(position), items: batch.itemRange(position)))
    }
  }

  /// As `remember`, and takes note of connections: for records that come from the journal.
  mutating func replay(_ batch: Batch) {
    for item in batch.items {
      if case .connected(let sessionPresent) = item { connected(sessionPresent: sessionPresent) }
    }
    remember(batch)
  }
}
