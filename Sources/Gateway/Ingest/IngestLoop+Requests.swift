import Devices
import Logging
import Payloads
import Storage
import Telemetry

/// An answer that waits for the commit of the batch it is part of.
struct PendingReply {
  enum Kind {
    case points(Outcome)
    case events(accepted: Int, duplicates: Int)
    case command(accepted: Int, rejected: [Rejection] = [])
    /// A command to a stage, by its place among the commands of the batch.
    case staged(place: Int)
  }

  var kind: Kind
  /// What the journal says was answered, when the submission came with a key.
  var answered: Answered?
  var send: @Sendable (Result<SubmissionResult, SubmissionError>) -> Void
}

extension IngestLoop {
  func handleRequests() {
    for request in mailbox.takeAll() {
      switch request {
      case .submit(let submission, let reply): take(submission, reply)
      case .openParts(let series, let reply): reply(store.openParts(of: series))
      case .latest(let series, let reply): reply(store.current(of: series))
      case .catalog(let reply): reply(store.catalog)
      case .inspect(let look): look(stages)
      case .write(let set): store.enqueue(set)
      case .rescue(let set, let reply):
        store.enqueue(set)
        flush()
        reply(figures.flushProblem.isEmpty)
      case .flush(let reply):
        // What was read already belongs to what the caller wants to see.
        if storageRetryAt == nil { beginWithCarried() }
        if !batch.isEmpty { commit() }
        if store.hasPendingRows { flush() }
        reply()
      case .connectFinished(let failure): connectFinished(failure: failure)
      case .reload(let configuration, let reply): reload(configuration, reply)
      case .snapshotWritten(let position, let failure):
        snapshotWritten(position: position, failure: failure)
      case .stop: isStopping = true
      }
    }
  }

  private func take(
    _ submission: Submission,
    _ reply: @escaping @Sendable (Result<SubmissionResult, SubmissionError>) -> Void
  ) {
    guard storageRetryAt == nil else {
      return reply(.failure(.storageUnavailable(reason: figures.storageProblem)))
    }
    // Definitions that wait must come before the first sample that uses them.
    beginWithCarried()
    if batch.isEmpty { batchStarted = now.monotonicMicroseconds }
    figures.submissions += 1
    do {
      if let known = try earlierAnswer(to: submission) { return reply(.success(known)) }
      let kind = try put(submission)
      var answered: Answered?
      if let key = submission.key {
        let answer = answer(for: key, result(of: kind) { _ in false })
        batch.items.append(.answered(answer))
        answered = answer
      }
      batch.endDelivery(packetID: 0)
      batchBytes += submission.byteCount
      replies.append(PendingReply(kind: kind, answered: answered, send: reply))
    } catch let error as SubmissionError {
      batch.abandonDelivery()
      reply(.failure(error))
    } catch {
      batch.abandonDelivery()
      reply(.failure(.storageUnavailable(reason: "\(error)")))
    }
  }

  private func earlierAnswer(to submission: Submission) throws -> SubmissionResult? {
    guard let key = submission.key, let known = try store.answer(to: key.name, now: now.time)
    else { return nil }
    guard known.fingerprint == key.fingerprint else { throw SubmissionError.keyReused }
    return SubmissionResult(repeating: known)
  }

  private func answer(for key: Submission.Key, _ result: SubmissionResult) -> Answered {
    Answered(
      key: key.name, fingerprint: key.fingerprint, accepted: result.accepted,
      duplicates: result.duplicates,
      rejected: Array(result.rejected.prefix(SubmissionResult.rejectionsMax)))
  }

  private func put(_ submission: Submission) throws -> PendingReply.Kind {
    switch submission.content {
    case .payload(let payload): return .points(resolve(payload))
    case .events(let events): return try put(events)
    case .command(.adopt(let device, let profile)): return try adopt(device, profile: profile)
    case .command(.retry(let rows, let profile)): return try retry(rows, adopting: profile)
    case .command(.change(let device, let change, let seen)):
      return try self.change(device, change, seen: seen)
    case .command(.stage(let command)):
      batch.items.append(.command(command))
      stagedCommands += 1
      return .staged(place: stagedCommands - 1)
    case .command(.discard(let rows)):
      batch.items.append(.released(rows: rows, adopted: false))
      return .command(accepted: rows.count)
    }
  }

  private func resolve(_ payload: Submission.PayloadSubmission) -> Outcome {
    var topic = payload.topic
    var contentType = payload.contentType
    let outcome = payload.bytes.withUnsafeBytes { bytes in
      topic.withUTF8 { topic in
        contentType.withUTF8 { contentType in
          resolver.resolve(
            IncomingMessage(
              topic: UnsafeRawBufferPointer(topic),
              contentType: UnsafeRawBufferPointer(contentType), payload: bytes,
              received: now.time, monotonicMicroseconds: now.monotonicMicroseconds,
              forcedFormat: payload.format,
              linePrecision: payload.linePrecision, collectsPoints: true),
            into: &batch)
        }
      }
    }
    count(outcome)
    return outcome
  }

  private func put(_ events: [Event]) throws -> PendingReply.Kind {
    var duplicates = 0
    if let foreign = events.first(where: { $0.id.hasPrefix(Event.derivedIDPrefix) }) {
      throw SubmissionError.refused(
        code: "reserved_id",
        detail:
          "ids that begin with `\(Event.derivedIDPrefix)` are the gateway's own: `\(foreign.id)`")
    }
    for event in events {
      if try batchEventIDs.contains(event.id) || store.hasEvent(id: event.id) {
        duplicates += 1
      } else {
        batchEventIDs.insert(event.id)
        batch.items.append(.event(event))
      }
    }
    figures.events += UInt64(events.count - duplicates)
    figures.duplicateEvents += UInt64(duplicates)
    return .events(accepted: events.count - duplicates, duplicates: duplicates)
  }

  // MARK: - Answers

  func answer(sequence: UInt64) {
    for reply in replies {
      var result = result(of: reply.kind) { verdicts[$0] == .duplicate }
      result.sequence = sequence
      // Which samples were duplicates and what a stage refused is only known now; the next record says so.
      if var answered = reply.answered,
        answered.duplicates != result.duplicates || answered.accepted != result.accepted
      {
        answered.accepted = result.accepted
        answered.duplicates = result.duplicates
        answered.rejected = Array(result.rejected.prefix(SubmissionResult.rejectionsMax))
        carried.append(.answered(answered))
      }
      if case .staged = reply.kind, let refusal = result.rejected.first {
        reply.send(.failure(.refused(code: refusal.code, detail: refusal.detail)))
      } else {
        reply.send(.success(result))
      }
    }
  }

  private func result(
    of kind: PendingReply.Kind, isDuplicate: (Int) -> Bool
  ) -> SubmissionResult {
    var result = SubmissionResult()
    switch kind {
    case .events(let accepted, let duplicates):
      result.accepted = accepted
      result.duplicates = duplicates
    case .command(let accepted, let rejected):
      result.accepted = accepted
      result.rejected = rejected
    case .staged(let place):
      // Before the commit nobody knows yet.
      if place < stageOutput.verdicts.count, let refusal = stageOutput.verdicts[place] {
        result.rejected = [Rejection(index: 0, code: refusal.code, detail: refusal.detail)]
      } else {
        result.accepted = 1
      }
    case .points(let outcome): result = judge(outcome, isDuplicate: isDuplicate)
    }
    return result
  }

  /// A point is a duplicate when all of its samples are, and rejected when it brought none.
  private func judge(_ outcome: Outcome, isDuplicate: (Int) -> Bool) -> SubmissionResult {
    var result = SubmissionResult()
    var read = Set<Int>()
    for point in outcome.points {
      read.insert(point.item)
      let known = point.samples.count(where: isDuplicate)
      if !point.samples.isEmpty {
        if known == point.samples.count { result.duplicates += 1 } else { result.accepted += 1 }
      }
      if let refusal = point.refusal {
        result.rejected.append(
          .init(
            index: point.item, code: refusal.code, detail: refusal.detail, place: refusal.place))
      }
    }
    // Items that the decoder gave up are among the refusals only; their place begins with their number.
    for refusal in outcome.refusals {
      let item = refusal.item
      guard !read.contains(item) || outcome.points.isEmpty else { continue }
      result.rejected.append(
        .init(index: item, code: refusal.code, detail: refusal.detail, place: refusal.place))
    }
    result.rejected.sort { $0.index < $1.index }
    return result
  }

  // MARK: - Configuration

  private func reload(
    _ loaded: LoadedConfiguration, _ reply: @escaping @Sendable ([String]) -> Void
  ) {
    if !batch.isEmpty { commit() }
    let (items, warnings) = resolver.reconfigure(loaded.devices)
    figures.configurationWarnings = warnings
    carried.append(.configuration(files: loaded.files))
    carried.append(contentsOf: items)
    // Definitions made by `reconfigure` are applied already: a failed commit must not forget them.
    mark = resolver.markCommitted()
    logger.notice("configuration reloaded", metadata: ["warnings": "\(warnings.count)"])
    for warning in warnings { logger.warning("\(warning)") }
    reply(warnings)
  }
}

extension Refusal {
  /// The item a refusal speaks of: `/3/metrics/a` → 3, `line 4` → 3, anything else → 0.
  var item: Int {
    if place.hasPrefix("line ") { return (Int(place.dropFirst(5)) ?? 1) - 1 }
    return place.split(separator: "/").first.flatMap { Int($0) } ?? 0
  }
}
