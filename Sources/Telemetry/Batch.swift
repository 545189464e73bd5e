/// One sample on its way from a payload to the store: 24 bytes, no references.
public struct Sample: Hashable, Sendable {
  /// The source's time, or the receive time when `isReceiveStamped`.
  public var time: Timestamp
  /// A double's bit pattern, 0 or 1 for a boolean, or the id of a word in the store's dictionary.
  public var bits: UInt64
  /// The index of the series in the registry.
  public var series: UInt32
  public var quality: Quality
  /// The payload carried no (usable) time; the store makes such times strictly increasing per series.
  public var isReceiveStamped: Bool
  /// A retained message without a source time: it only fills a missing current value and is not stored.
  public var isCurrentOnly: Bool

  @inlinable public init(
    series: UInt32, time: Timestamp, bits: UInt64, quality: Quality = .good,
    isReceiveStamped: Bool = false, isCurrentOnly: Bool = false
  ) {
    self.series = series
    self.time = time
    self.bits = bits
    self.quality = quality
    self.isReceiveStamped = isReceiveStamped
    self.isCurrentOnly = isCurrentOnly
  }
}

/// A device as the registry and the journal know it.
public struct DeviceDefinition: Hashable, Sendable {
  /// Dense, starting at 0, never reused.
  public var index: UInt32
  public var id: String
  /// Empty when no profile is known.
  public var profile: String
  /// ISA-95 path; empty when not placed.
  public var asset: String
  /// Adopted from traffic rather than declared in devices/*.yaml.
  public var isAdopted: Bool
  /// An operator said where it is: routes no longer move it.
  public var isPlaced: Bool
  /// Ids it had before, the oldest first: messages under one of them are its own.
  public var was: [String]

  public init(
    index: UInt32, id: String, profile: String = "", asset: String = "", isAdopted: Bool = false,
    isPlaced: Bool = false, was: [String] = []
  ) {
    self.index = index
    self.id = id
    self.profile = profile
    self.asset = asset
    self.isAdopted = isAdopted
    self.isPlaced = isPlaced
    self.was = was
  }
}

/// A series as the registry, the journal and the store know it.
public struct SeriesDefinition: Hashable, Sendable {
  /// Dense, starting at 0, never reused.
  public var index: UInt32
  /// Index of the device it belongs to.
  public var device: UInt32
  public var metric: String
  public var type: ValueType
  public var kind: MetricKind
  /// UCUM code; empty when unknown or without a unit.
  public var unit: String
  /// What the source called it and in which unit, when that differs: for people.
  public var description: String

  public init(
    index: UInt32, device: UInt32, metric: String, type: ValueType, kind: MetricKind,
    unit: String = "", description: String = ""
  ) {
    self.index = index
    self.device = device
    self.metric = metric
    self.type = type
    self.kind = kind
    self.unit = unit
    self.description = description
  }
}

/// Bytes that were refused, with the reason; kept so that nothing that was acknowledged is lost.
public struct Quarantined: Hashable, Sendable {
  public enum Cause: UInt8, Sendable, CaseIterable {
    /// No decoder could read it.
    case malformed = 0
    /// It was read, but its device is not known and unknown devices are held.
    case unknownDevice = 1
    /// Part of it was refused; the rest of the message was stored.
    case partlyRefused = 2

    public var name: String { ["malformed", "unknown_device", "partly_refused"][Int(rawValue)] }
  }

  public var cause: Cause
  public var topic: String
  public var contentType: String
  /// Device id when one could be told, else empty.
  public var device: String
  /// A sentence that an operator can act on.
  public var reason: String
  public var received: Timestamp
  /// The payload as it came, cut at the configured bound.
  public var payload: [UInt8]
  /// Bytes of the payload before it was cut.
  public var payloadSize: Int

  public init(
    cause: Cause, topic: String, contentType: String = "", device: String = "", reason: String,
    received: Timestamp, payload: [UInt8], payloadSize: Int
  ) {
    self.cause = cause
    self.topic = topic
    self.contentType = contentType
    self.device = device
    self.reason = reason
    self.received = received
    self.payload = payload
    self.payloadSize = payloadSize
  }
}

/// Everything in a batch that is not a sample. Rare next to samples, so an enum with payloads.
public enum Item: Hashable, Sendable {
  case device(DeviceDefinition)
  case series(SeriesDefinition)
  /// A word of the store's dictionary.
  case word(id: UInt32, text: String)
  case event(Event)
  case quarantined(Quarantined)
  /// Rows of the quarantine that were adopted or thrown away by an operator, by row id.
  case released(rows: [Int64], adopted: Bool)
  /// The configuration in force from here on: file name → content, sorted by name.
  case configuration(files: [ConfigurationFile])
  /// A new MQTT connection; without a session the redelivery window empties.
  case connected(sessionPresent: Bool)
  /// The wall clock was found to have moved against the monotonic clock.
  case clockStepped(offsetMicroseconds: Int64)
  /// What a submission with a key was answered; a later one for the same key counts.
  case answered(Answered)
  /// What a decoder must know again after a restart; a later one of the same name counts, an empty one forgets.
  case remembered(name: String, content: [UInt8])
  /// Hash of topic and payload of a QoS 1 delivery whose content depends on what came before it.
  case delivered(fingerprint: UInt64)
  /// A device, or some of its series, have no live value any more.
  case wentStale(Staleness)
  /// Somebody asked a stage for something: acknowledge an alarm, re-label a stop, desire a state.
  case command(OperatorCommand)
  /// A process took over the journal: until here nobody looked, so silence before it proves nothing.
  case started(version: String)
}

/// Series whose last value no longer holds: each gets one more sample with that value and this quality.
public struct Staleness: Hashable, Sendable {
  /// Index of the device.
  public var device: UInt32
  /// Empty: all of the device.
  public var series: [UInt32]
  public var time: Timestamp
  /// Stale when the source is gone, bad when it says that there is no value.
  public var quality: Quality

  public init(
    device: UInt32, series: [UInt32] = [], time: Timestamp, quality: Quality = [.uncertain, .stale]
  ) {
    self.device = device
    self.series = series
    self.time = time
    self.quality = quality
  }
}

/// The answer to a submission that came with a key: whoever repeats the key gets it again.
public struct Answered: Hashable, Sendable {
  /// Unique for caller, path and key.
  public var key: String
  /// Hash of the body: the same key with another body is a mistake.
  public var fingerprint: UInt64
  public var accepted: Int
  public var duplicates: Int
  public var rejected: [Rejection]

  public init(
    key: String, fingerprint: UInt64, accepted: Int = 0, duplicates: Int = 0,
    rejected: [Rejection] = []
  ) {
    self.key = key
    self.fingerprint = fingerprint
    self.accepted = accepted
    self.duplicates = duplicates
    self.rejected = rejected
  }
}

/// One item of a submission that was not taken, and why.
public struct Rejection: Hashable, Sendable {
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

/// One file of the configuration as it was when it came into force.
public struct ConfigurationFile: Hashable, Sendable {
  public var name: String
  public var content: String

  public init(name: String, content: String) {
    self.name = name
    self.content = content
  }
}

/// One message or submission inside a batch: which samples and items came with it.
public struct Delivery: Hashable, Sendable {
  /// MQTT packet id of a QoS 1 delivery, else 0.
  public var packetID: UInt16
  /// End (exclusive) of its samples in `Batch.samples`; they start where the one before ends.
  public var samplesEnd: Int
  /// End (exclusive) of its items in `Batch.items`.
  public var itemsEnd: Int

  public init(packetID: UInt16, samplesEnd: Int, itemsEnd: Int) {
    self.packetID = packetID
    self.samplesEnd = samplesEnd
    self.itemsEnd = itemsEnd
  }
}

/// What one journal record holds: the decoded deliveries between two commits, in order.
///
/// Within a delivery items come before samples, so that a definition precedes its first use.
public struct Batch: Sendable, Equatable {
  public var deliveries: [Delivery] = []
  public var samples: [Sample] = []
  public var items: [Item] = []

  public init() {}

  /// Whether samples or items were appended since the last `endDelivery`.
  public var hasOpenDelivery: Bool {
    samples.count > (deliveries.last?.samplesEnd ?? 0)
      || items.count > (deliveries.last?.itemsEnd ?? 0)
  }

  public var isEmpty: Bool { deliveries.isEmpty && items.isEmpty && samples.isEmpty }

  /// Closes the delivery whose samples and items were appended since the last one.
  public mutating func endDelivery(packetID: UInt16) {
    deliveries.append(
      Delivery(packetID: packetID, samplesEnd: samples.count, itemsEnd: items.count))
  }

  /// Drops samples and items appended since the last `endDelivery`.
  public mutating func abandonDelivery() {
    let last = deliveries.last
    samples.removeSubrange((last?.samplesEnd ?? 0)...)
    items.removeSubrange((last?.itemsEnd ?? 0)...)
  }

  public mutating func removeAll() {
    deliveries.removeAll(keepingCapacity: true)
    samples.removeAll(keepingCapacity: true)
    items.removeAll(keepingCapacity: true)
  }

  /// Samples of delivery `position`.
  public func sampleRange(_ position: Int) -> Range<Int> {
    (position == 0 ? 0 : deliveries[position - 1].samplesEnd)..<deliveries[position].samplesEnd
  }

  /// Items of delivery `position`.
  public func itemRange(_ position: Int) -> Range<Int> {
    (position == 0 ? 0 : deliveries[position - 1].itemsEnd)..<deliveries[position].itemsEnd
  }
}
