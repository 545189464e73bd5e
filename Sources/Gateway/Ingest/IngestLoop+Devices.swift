import Devices
import Storage
import Telemetry

/// Commands of an operator about devices; each is answered when its record is on disk.
extension IngestLoop {
  /// Makes the device known and ingests what was held of it, in its original order and time.
  func adopt(_ device: String, profile: String) throws -> PendingReply.Kind {
    if !batch.isEmpty { commit() }
    guard storageRetryAt == nil else {
      throw SubmissionError.storageUnavailable(reason: figures.storageProblem)
    }
    flush()
    let held = try store.heldPayloads(ofDevice: device)
    do throws(Refused) {
      batch.items.append(contentsOf: try resolver.adopt(device: device, profile: profile))
    } catch {
      throw SubmissionError.refused(code: error.code, detail: error.detail)
    }
    for row in held {
      var topic = row.payload.topic
      var contentType = row.payload.contentType
      let outcome = row.payload.payload.withUnsafeBytes { bytes in
        topic.withUTF8 { topic in
          contentType.withUTF8 { contentType in
            resolver.resolve(
              IncomingMessage(
                topic: UnsafeRawBufferPointer(topic),
                contentType: UnsafeRawBufferPointer(contentType), payload: bytes,
                received: row.payload.received, isFromQuarantine: true),
              into: &batch)
          }
        }
      }
      count(outcome)
    }
    if !held.isEmpty { batch.items.append(.released(rows: held.map(\.id), adopted: true)) }
    return .command(accepted: held.count)
  }

  /// Changes who a device is or where it stands; its history stays with it.
  func change(
    _ device: String, _ change: DeviceChange, seen: DeviceDefinition?
  ) throws -> PendingReply.Kind {
    do throws(Refused) {
      let items = try resolver.change(device: device, change, seen: seen)
      batch.items.append(contentsOf: items)
      return .command(accepted: items.count)
    } catch {
      throw SubmissionError.refused(code: error.code, detail: error.detail)
    }
  }
}
