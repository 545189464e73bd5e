import Devices
import Storage
import Telemetry

/// What became of held payloads that were read again.
private struct Rereading {
  /// Rows that are wanted; others of the same messages go along but are not counted.
  let wanted: Set<Int64>
  /// Why devices could not be adopted.
  var notAdopted: [String: Refused] = [:]
  var times: StoredTimes
  var ingested = 0
  var rejected: [Rejection] = []
  /// Rows that the present batch lets go.
  var released: [Int64] = []

  mutating func refuse(_ row: HeldPayload, code: String, detail: String) {
    guard wanted.contains(row.id) else { return }
    rejected.append(.init(index: rejected.count, code: code, detail: detail))
  }
}

extension IngestLoop {
  /// Bytes of held payloads that go into one record.
  private static let rereadBytesMax = 4 << 20

  /// Makes the device known and ingests what was held of it, in its original order and time.
  func adopt(_ device: String, profile: String) throws -> PendingReply.Kind {
    let held = try heldPayloads()
    do throws(Refused) {
      batch.items.append(contentsOf: try resolver.adopt(device: device, profile: profile))
    } catch {
      throw SubmissionError.refused(code: error.code, detail: error.detail)
    }
    let rows = held.filter {
      $0.payload.cause == .unknownDevice && $0.payload.device == device
    }
    return try reread(held, Rereading(wanted: Set(rows.map(\.id)), times: StoredTimes(of: store)))
  }

  /// Reads rows again under the present configuration; what still fails stays as it is held.
  func retry(_ rows: [Int64], adopting profile: String?) throws -> PendingReply.Kind {
    let held = try heldPayloads()
    var rereading = Rereading(wanted: Set(rows), times: StoredTimes(of: store))
    if let profile {
      let unknown = held.filter {
        $0.payload.cause == .unknownDevice && rereading.wanted.contains($0.id)
      }
      rereading.notAdopted = try adopt(unknown.map(\.payload.device), profile: profile)
    }
    return try reread(held, rereading)
  }

  /// What the quarantine holds now. The batch is empty afterwards.
  private func heldPayloads() throws -> [HeldPayload] {
    if !batch.isEmpty { commit() }
    guard storageRetryAt == nil else { throw storageFailure }
    flush()
    // Rows that were let go would still be there, and be ingested a second time.
    guard figures.flushProblem.isEmpty else {
      throw SubmissionError.storageUnavailable(reason: figures.flushProblem)
    }
    batchStarted = now.monotonicMicroseconds
    return try store.heldPayloads()
  }

  private var storageFailure: SubmissionError {
    .storageUnavailable(reason: figures.storageProblem)
  }

  /// - Returns: the devices that could not be adopted, and why.
  /// - Throws: `SubmissionError.refused` when that is all of them; nothing has changed then.
  private func adopt(_ devices: [String], profile: String) throws -> [String: Refused] {
    var refused: [String: Refused] = [:]
    let all = Set(devices)
    for device in all.sorted() where !(profile.isEmpty && isKnown(device)) {
      do throws(Refused) {
        batch.items.append(contentsOf: try resolver.adopt(device: device, profile: profile))
      } catch {
        refused[device] = error
      }
    }
    if let first = refused.sorted(by: { $0.key < $1.key }).first, refused.count == all.count {
      throw SubmissionError.refused(code: first.value.code, detail: first.value.detail)
    }
    return refused
  }

  /// Without a profile in hand such a device keeps the one it has.
  private func isKnown(_ device: String) -> Bool {
    resolver.registry.deviceIndex(device) != nil
      || resolver.configuration.devices.contains { $0.id == device }
  }

  // MARK: - Reading again

  private func reread(
    _ held: [HeldPayload], _ rereading: Rereading
  ) throws -> PendingReply.Kind {
    var rereading = rereading
    var bytes = 0
    for message in HeldMessage.messages(of: held)
    where message.rows.contains(where: { rereading.wanted.contains($0.id) }) {
      do {
        try reread(message, &rereading)
      } catch {
        // Nothing else is in this batch: what it defined is forgotten with it.
        resolver.rollBack(to: mark)
        throw error
      }
      bytes += message.payload.payload.count
      guard bytes >= Self.rereadBytesMax else { continue }
      release(&rereading)
      batch.endDelivery(packetID: 0)
      commit()
      guard storageRetryAt == nil else { throw storageFailure }
      bytes = 0
    }
    release(&rereading)
    return .command(accepted: rereading.ingested, rejected: rereading.rejected)
  }

  /// In the record that holds their samples.
  private func release(_ rereading: inout Rereading) {
    guard !rereading.released.isEmpty else { return }
    batch.items.append(.released(rows: rereading.released, adopted: true))
    rereading.released = []
  }

  private func reread(_ message: HeldMessage, _ rereading: inout Rereading) throws {
    guard !message.payload.isCut else {
      for row in message.rows {
        rereading.refuse(
          row, code: "payload_cut",
          detail: "only the beginning of the payload was kept; it can be discarded alone")
      }
      return
    }
    let (firstItem, firstSample) = (batch.items.count, batch.samples.count)
    var outcome = resolve(message.payload)
    guard !outcome.isIgnored else {
      for row in message.rows {
        rereading.refuse(
          row, code: "ignored",
          detail: "a route ignores its topic now; discard it or mend the route")
      }
      return
    }
    let again = takeQuarantined(from: firstItem)
    judge(message, again, &rereading)
    outcome.isQuarantined = batch.items.count > firstItem && !again.isEmpty
    try place(from: firstSample, &rereading)
    outcome.samples = batch.samples.count - firstSample
    count(outcome)
  }

  private func resolve(_ payload: Quarantined) -> Outcome {
    var topic = payload.topic
    var contentType = payload.contentType
    return payload.payload.withUnsafeBytes { bytes in
      topic.withUTF8 { topic in
        contentType.withUTF8 { contentType in
          resolver.resolve(
            IncomingMessage(
              topic: UnsafeRawBufferPointer(topic),
              contentType: UnsafeRawBufferPointer(contentType), payload: bytes,
              received: payload.received, isFromQuarantine: true),
            into: &batch)
        }
      }
    }
  }

  /// Takes what was set aside again out of the batch.
  private func takeQuarantined(from first: Int) -> [Quarantined] {
    var taken: [Quarantined] = []
    batch.items[first...].removeAll { item in
      guard case .quarantined(let refused) = item else { return false }
      taken.append(refused)
      return true
    }
    return taken
  }

  /// Rows whose refusal came again stay, the others go; what is refused for the first time gets a row.
  private func judge(
    _ message: HeldMessage, _ again: [Quarantined], _ rereading: inout Rereading
  ) {
    for row in message.rows {
      guard let same = again.first(where: { $0.isSameRefusal(as: row.payload) }) else {
        if rereading.wanted.contains(row.id) { rereading.ingested += 1 }
        rereading.released.append(row.id)
        continue
      }
      let refused = same.cause == .unknownDevice ? rereading.notAdopted[same.device] : nil
      rereading.refuse(
        row, code: refused?.code ?? same.cause.name, detail: refused?.detail ?? same.reason)
    }
    for refused in again
    where !message.rows.contains(where: { $0.payload.isSameRefusal(as: refused) }) {
      batch.items.append(.quarantined(refused))
      rereading.rejected.append(
        .init(
          index: rereading.rejected.count, code: refused.cause.name, detail: refused.reason))
    }
  }

  /// Samples stamped by us keep the time of their receipt, though later ones are stored by now; a part
  /// of the message may be stored since then, and does not count twice.
  private func place(from first: Int, _ rereading: inout Rereading) throws {
    var kept: [Sample] = []
    for var sample in batch.samples[first...] {
      let isEvent = resolver.registry.series[Int(sample.series)].kind == .event
      if sample.isReceiveStamped || isEvent {
        guard let time = try rereading.times.time(for: sample) else { continue }
        sample.time = time
        sample.isReceiveStamped = false
      }
      kept.append(sample)
    }
    batch.samples.replaceSubrange(first..., with: kept)
  }
}
