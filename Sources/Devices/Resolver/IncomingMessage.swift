import Payloads
import Telemetry

/// One message as it came, lent for the length of a call.
public struct IncomingMessage {
  /// UTF-8; empty when there was none (an HTTP submission).
  public var topic: UnsafeRawBufferPointer
  /// MIME type; empty when not said.
  public var contentType: UnsafeRawBufferPointer
  public var payload: UnsafeRawBufferPointer
  public var received: Timestamp
  /// By a clock that only goes forward; what waits for a time-out counts by it.
  public var monotonicMicroseconds: Int64
  /// The broker kept it from before; without a source time it only fills missing current values.
  public var isRetained: Bool
  /// It was set aside before and is read again: it says nothing about order or who is alive.
  public var isFromQuarantine: Bool
  /// Overrules route, content type and sniffing.
  public var forcedFormat: PayloadFormat?
  /// Overrules the route's precision of line protocol.
  public var linePrecision: TimePrecision?
  /// Whether `Outcome.points` is wanted.
  public var collectsPoints: Bool
  /// Overrules route and settings.
  public var unknownDevices: UnknownDevicePolicy?

  public init(
    topic: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
    contentType: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
    payload: UnsafeRawBufferPointer, received: Timestamp,
    monotonicMicroseconds: Int64 = 0, isRetained: Bool = false, isFromQuarantine: Bool = false,
    forcedFormat: PayloadFormat? = nil, linePrecision: TimePrecision? = nil,
    collectsPoints: Bool = false, unknownDevices: UnknownDevicePolicy? = nil
  ) {
    self.topic = topic
    self.contentType = contentType
    self.payload = payload
    self.received = received
    self.monotonicMicroseconds = monotonicMicroseconds
    self.isRetained = isRetained
    self.isFromQuarantine = isFromQuarantine
    self.forcedFormat = forcedFormat
    self.linePrecision = linePrecision
    self.collectsPoints = collectsPoints
    self.unknownDevices = unknownDevices
  }
}

/// What became of one message; everything that was not stored is counted here and quarantined.
public struct Outcome: Hashable, Sendable {
  /// One point of the message: the samples it became, or why part of it was not taken.
  public struct PointOutcome: Hashable, Sendable {
    /// Positions in `Batch.samples`.
    public var samples: Range<Int>
    /// Position in the payload, refused items counted too.
    public var item: Int
    /// The first refusal of the point.
    public var refusal: Refusal?
  }

  public static let refusalsMax = 100

  public var samples = 0
  /// Fields refused, and places the decoder could not read.
  public var refusedFields = 0
  /// The first `refusalsMax` of them.
  public var refusals: [Refusal] = []
  /// The payload was set aside, whole or because a part was refused.
  public var isQuarantined = false
  /// A route with `ignore: true` dropped it.
  public var isIgnored = false
  /// Events of a retained message without a source time: nobody can tell whether they are new.
  public var retainedSkips = 0
  /// Values kept as they came because their unit is not known or the series has none.
  public var unknownUnits = 0
  /// Values outside the engineering range or list of words; stored as uncertain.
  public var outOfRange = 0
  /// Samples whose source time was not plausible.
  public var replacedTimes = 0
  /// Metrics that the source asked not to store.
  public var transient = 0
  /// Values without a form of ours, kept as events.
  public var blobs = 0
  /// Devices that were reported gone.
  public var wentStale = 0
  public var newDevices = 0
  public var newSeries = 0
  /// In the order of the payload; filled when `collectsPoints` was set. Points the decoder could not
  /// read at all are among `refusals` only.
  public var points: [PointOutcome] = []

  public init() {}

  mutating func refuse(_ refusal: @autoclosure () -> Refusal) {
    refusedFields += 1
    if refusals.count < Outcome.refusalsMax { refusals.append(refusal()) }
  }
}
