import Devices
import Storage
import MQTT
import Synchronization
import Telemetry

/// What other threads ask of the ingest thread.
enum Request: Sendable {
  case submit(Submission, @Sendable (Result<SubmissionResult, SubmissionError>) -> Void)
  /// The unsealed part of some series, as it stands between two batches.
  case openParts([UInt32], @Sendable ([OpenPart]) -> Void)
  /// Newest samples alone, in the order asked: no chunk is decoded for them.
  case latest([UInt32], @Sendable ([StoredSample?]) -> Void)
  case catalog(@Sendable (Catalog) -> Void)
  /// A look at the stages between two batches; what it changes is not kept.
  case inspect(@Sendable (Stages) -> Void)
  /// Rows that a job computed.
  case write(WriteSet)
  /// Rows of a rescue, written at once; the reply says whether they were.
  case rescue(WriteSet, @Sendable (Bool) -> Void)
  /// Move everything that waits to SQLite now.
  case flush(@Sendable () -> Void)
  /// The connector thread has finished an attempt.
  case connectFinished(failure: String?)
  case reload(LoadedConfiguration, @Sendable ([String]) -> Void)
  /// A snapshot of the stages is durable, or why not.
  case snapshotWritten(position: UInt64, failure: String?)
  case stop
}

/// The bounded queue into the ingest thread; posting wakes its poll.
final class Mailbox: Sendable {
  /// Submissions beyond this many, or this many bytes, are refused with `overloaded`.
  static let submissionsMax = 4_096
  static let submissionBytesMax = 64 << 20

  private struct State {
    var requests: [Request] = []
    var submissions = 0
    var bytes = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  let wake = EventDescriptor()

  /// - Returns: false when the queue is closed or full; the request's reply is then never called.
  func post(_ request: Request) -> Bool {
    let taken = state.withLock { state in
      guard !state.isClosed else { return false }
      if case .submit(let submission, _) = request {
        guard state.submissions < Self.submissionsMax,
          state.bytes + submission.byteCount <= Self.submissionBytesMax
            || state.submissions == 0
        else { return false }
        state.submissions += 1
        state.bytes += submission.byteCount
      }
      state.requests.append(request)
      return true
    }
    if taken { wake.signal() }
    return taken
  }

  var isClosed: Bool { state.withLock { $0.isClosed } }

  func takeAll() -> [Request] {
    state.withLock { state in
      defer {
        state.requests = []
        state.submissions = 0
        state.bytes = 0
      }
      return state.requests
    }
  }

  /// After this nothing is taken; what still waits is returned to be answered.
  func close() -> [Request] {
    state.withLock { state in
      state.isClosed = true
      defer { state.requests = [] }
      return state.requests
    }
  }
}
