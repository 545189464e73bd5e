import Devices
import Payloads
import Telemetry

/// What a caller hands to the ingest thread; it is answered after the commit.
public struct Submission: Sendable {
  public enum Content: Sendable {
    /// A payload that goes through decoder and resolver as an MQTT message would.
    case payload(PayloadSubmission)
    /// Events that are already checked.
    case events([Event])
    /// A command that changes state.
    case command(Command)
  }

  public struct PayloadSubmission: Sendable {
    public var bytes: [UInt8]
    /// Empty when the payload says which devices it speaks of.
    public var topic: String
    public var contentType: String
    public var format: PayloadFormat?
    public var linePrecision: TimePrecision?

    public init(
      bytes: [UInt8], topic: String = "", contentType: String = "", format: PayloadFormat? = nil,
      linePrecision: TimePrecision? = nil
    ) {
      self.bytes = bytes
      self.topic = topic
      self.contentType = contentType
      self.format = format
      self.linePrecision = linePrecision
    }
  }

  public enum Command: Sendable {
    /// Make a device known and ingest what the quarantine holds of it.
    case adopt(device: String, profile: String)
    /// Read rows of the quarantine again under the present configuration.
    ///
    /// `adopting`: first make their unknown devices known, with this profile (empty: none).
    case retry(rows: [Int64], adopting: String? = nil)
    /// Rename a device, move it or give it another profile; `seen`: as it was when this was decided.
    case change(device: String, DeviceChange, seen: DeviceDefinition?)
    /// For the stage that knows its name; refused by it with `SubmissionError.refused`.
    case stage(OperatorCommand)
    /// Throw rows of the quarantine away.
    case discard(rows: [Int64])
  }

  /// Makes a submission repeatable: the first answer for a key is the answer, for seven days.
  public struct Key: Sendable, Equatable {
    /// Unique for caller, path and the caller's key.
    public var name: String
    /// Hash of the body.
    public var fingerprint: UInt64

    public init(name: String, fingerprint: UInt64) {
      self.name = name
      self.fingerprint = fingerprint
    }
  }

  public var content: Content
  public var key: Key?

  public init(_ content: Content, key: Key? = nil) {
    self.content = content
    self.key = key
  }

  /// Memory it holds while it waits, roughly.
  var byteCount: Int {
    switch content {
    case .payload(let payload): payload.bytes.count
    case .events(let events):
      events.reduce(0) { $0 + $1.properties.utf8.count + $1.context.utf8.count + 128 }
    case .command(.retry(let rows, _)), .command(.discard(let rows)): 128 + 8 * rows.count
    case .command(.stage(let command)): 256 + command.body.utf8.count
    case .command: 128
    }
  }
}

/// The answer to a submission: what was taken, what was known already, what was refused and why.
public struct SubmissionResult: Sendable, Equatable {
  public var accepted = 0
  public var duplicates = 0
  public var rejected: [Rejection] = []
  /// Sequence of the journal record that holds it; 0 when it was answered before.
  public var sequence: UInt64 = 0
  /// So many rejections of one submission are told and remembered.
  public static let rejectionsMax = 1_000
  /// The answer to an earlier submission with the same key; nothing was ingested now.
  public var isRepeated = false

  public init() {}

  init(repeating answered: Answered) {
    accepted = answered.accepted
    duplicates = answered.duplicates
    rejected = answered.rejected
    isRepeated = true
  }
}

/// Why a submission could not even be tried.
public enum SubmissionError: Error, Sendable, Equatable {
  /// The queue is full; try again after about a second.
  case overloaded
  /// The disk is full or failing: nothing can be made durable now.
  case storageUnavailable(reason: String)
  case shuttingDown
  /// The key came with another body before.
  case keyReused
  /// A command that cannot be carried out, with a code and a sentence.
  case refused(code: String, detail: String)
}
