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
    /// Throw rows of the quarantine away.
    case discard(rows: [Int64])
  }

  public var content: Content

  public init(_ content: Content) { self.content = content }

  /// Memory it holds while it waits, roughly.
  var byteCount: Int {
    switch content {
    case .payload(let payload): payload.bytes.count
    case .events(let events):
      events.reduce(0) { $0 + $1.properties.utf8.count + $1.context.utf8.count + 128 }
    case .command: 128
    }
  }
}

/// The answer to a submission: what was taken, what was known already, what was refused and why.
public struct SubmissionResult: Sendable, Equatable {
  public struct Rejection: Sendable, Equatable {
    /// Position of the item in the submission.
    public var index: Int
    public var code: String
    public var detail: String
    /// JSON Pointer, `line 3` or metric; empty for the whole item.
    public var place: String

    public init(index: Int, code: String, detail: String, place: String = "") {
      self.index = index
      self.code = code
      self.detail = detail
      self.place = place
    }
  }

  public var accepted = 0
  public var duplicates = 0
  public var rejected: [Rejection] = []
  /// Sequence of the journal record that holds it.
  public var sequence: UInt64 = 0

  public init() {}
}

/// Why a submission could not even be tried.
public enum SubmissionError: Error, Sendable, Equatable {
  /// The queue is full; try again after about a second.
  case overloaded
  /// The disk is full or failing: nothing can be made durable now.
  case storageUnavailable(reason: String)
  case shuttingDown
  /// A command that cannot be carried out, with a code and a sentence.
  case refused(code: String, detail: String)
}
