import Dispatch
import Storage
import Telemetry

/// Writes snapshots of the stages on a queue of its own, one at a time.
final class SnapshotWriter: Sendable {
  private let snapshots: StageSnapshots
  private let mailbox: Mailbox
  private let queue = DispatchQueue(label: "snapshots", qos: .utility)

  init(snapshots: StageSnapshots, mailbox: Mailbox) {
    self.snapshots = snapshots
    self.mailbox = mailbox
  }

  /// The ingest thread hears `snapshotWritten` when the file is durable, or why it is not.
  func write(_ content: StateContent, position: UInt64) {
    queue.async { [snapshots, mailbox] in
      var failure: String?
      do {
        try snapshots.write(content, position: position)
      } catch {
        failure = "\(error)"
      }
      _ = mailbox.post(.snapshotWritten(position: position, failure: failure))
    }
  }

  /// Waits until nothing is being written.
  func drain() { queue.sync {} }
}
