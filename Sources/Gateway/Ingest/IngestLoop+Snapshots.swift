import Logging
import Storage

/// When the state of the stages is written down again, so that a start has little to replay.
struct SnapshotSchedule {
  /// Samples a start may have to put through the stages: about a second.
  static let samplesMax = 1_000_000
  static let microsecondsMax: Int64 = 300_000_000

  private var samples = 0
  private var last: Int64?
  private var isWriting = false

  mutating func count(samples: Int) { self.samples += samples }

  /// - Parameter journalShare: of the journal that may be kept, how much is.
  func isDue(now: Int64, journalShare: Double) -> Bool {
    guard !isWriting else { return false }
    guard let last else { return true }
    let waited = now - last
    return samples >= Self.samplesMax || waited >= Self.microsecondsMax
      // Journal that only the stages hold; a failed write is not tried again at once.
      || (journalShare > 0.5 && waited >= 10_000_000)
  }

  mutating func begin(now: Int64) {
    last = now
    samples = 0
    isWriting = true
  }

  mutating func end() { isWriting = false }
}

extension IngestLoop {
  /// Cuts the state of the stages between two batches and hands it to the writer.
  func snapshotIfDue() {
    guard let snapshotWriter, batch.isEmpty, storageRetryAt == nil else { return }
    let share = Double(store.journal.heldBytes) / Double(store.settings.journalBytesMax)
    guard snapshotSchedule.isDue(now: now.monotonicMicroseconds, journalShare: share) else {
      return
    }
    snapshotSchedule.begin(now: now.monotonicMicroseconds)
    let content = stages.saved()
    figures.stageBytes = content.count
    snapshotWriter.write(content, position: stages.position)
  }

  func snapshotWritten(position: UInt64, failure: String?) {
    snapshotSchedule.end()
    if let failure {
      logger.error(
        "the state of the stages could not be written; the journal is kept longer",
        metadata: ["error": "\(failure)"])
    } else {
      store.snapshotWritten(position: position)
    }
  }
}
