import Telemetry

/// A run of UTF-8 bytes: in the payload itself, or in `Readings.scratch` when it had to be made
/// (an unescaped JSON string, a joined path).
public struct Slice: Hashable, Sendable {
  public var offset: Int32
  public var count: Int32
  public var isScratch: Bool

  @inlinable public init(offset: Int, count: Int, isScratch: Bool) {
    self.offset = Int32(truncatingIfNeeded: offset)
    self.count = Int32(truncatingIfNeeded: count)
    self.isScratch = isScratch
  }
}

/// A value as the payload gave it.
public enum ReadingValue: Hashable, Sendable {
  case number(Double)
  case boolean(Bool)
  case text(Slice)
}

/// One metric of one point.
public struct Field: Sendable {
  public var name: Slice
  public var value: ReadingValue
  /// The metric's own time; `nil`: the time of its point.
  public var time: Timestamp?
  public var quality: Quality
  /// Unit as written by the source; `nil`: not said.
  public var unit: Slice?

  @inlinable public init(
    name: Slice, value: ReadingValue, time: Timestamp? = nil, quality: Quality = .good,
    unit: Slice? = nil
  ) {
    self.name = name
    self.value = value
    self.time = time
    self.quality = quality
    self.unit = unit
  }
}

/// A metric that has no value now, though it has one at other times.
public struct AbsentField: Sendable {
  public var name: Slice
  /// `nil`: the time of its point.
  public var time: Timestamp?
}

/// A value that is no number, boolean or text: kept whole, not looked into.
public struct BlobField: Sendable {
  public var name: Slice
  /// What the source calls its form: `DataSet`, `Template`, `Int32Array`.
  public var kind: String
  public var bytes: [UInt8]
  /// `nil`: the time of its point.
  public var time: Timestamp?
}

/// Metrics that share a device and a time: one JSON object, one line of line protocol.
public struct Point: Sendable {
  /// Device id said by the payload; `nil`: the topic tells.
  public var device: Slice?
  /// Device type said by the payload, a hint for the profile.
  public var deviceType: Slice?
  public var time: Timestamp?
  /// Without `time`: microseconds from the receipt of the message to the point, negative before it.
  public var receiptOffset: Int64 = 0
  /// Position in the payload, counted from 0 over all items or lines, the refused ones too.
  public var item: Int32
  /// End (exclusive) of its fields in `Readings.fields`; they start where the point before ends.
  public var fieldsEnd: Int

  @inlinable public init(
    device: Slice? = nil, deviceType: Slice? = nil, time: Timestamp? = nil, item: Int32 = 0,
    fieldsEnd: Int
  ) {
    self.item = item
    self.device = device
    self.deviceType = deviceType
    self.time = time
    self.fieldsEnd = fieldsEnd
  }
}

/// Part of a payload that could not be read while the rest could.
public struct Refusal: Hashable, Sendable {
  /// JSON pointer, `line 3`, or a metric name.
  public var place: String
  /// A stable slug for programs: `bad_number`, `too_deep`.
  public var code: String
  /// A sentence for people.
  public var detail: String

  public init(place: String, code: String, detail: String) {
    self.place = place
    self.code = code
    self.detail = detail
  }
}

/// A payload no part of which could be read.
public struct PayloadError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A stable slug: `not_json`, `empty`, `no_metrics`.
  public var code: String
  /// What is wrong and what to do, in one sentence.
  public var detail: String
  /// Byte offset where reading stopped, when one can be told.
  public var offset: Int?

  public init(code: String, detail: String, offset: Int? = nil) {
    self.code = code
    self.detail = detail
    self.offset = offset
  }

  public var description: String { offset.map { "\(detail) (at byte \($0))" } ?? detail }
}

/// What a decoder found in one payload. Made once and reused: arrays keep their capacity.
public struct Readings: Sendable {
  public var points: [Point] = []
  public var fields: [Field] = []
  public var refusals: [Refusal] = []
  public var scratch: [UInt8] = []
  /// Of the only point; Sparkplug alone has them.
  public var absent: [AbsentField] = []
  /// Of the only point; Sparkplug alone has them.
  public var blobs: [BlobField] = []
  /// Metrics that the source asked not to store.
  public var transient = 0

  public init() {}

  public mutating func removeAll() {
    if !points.isEmpty { points.removeAll(keepingCapacity: true) }
    if !fields.isEmpty { fields.removeAll(keepingCapacity: true) }
    if !refusals.isEmpty { refusals.removeAll(keepingCapacity: true) }
    if !scratch.isEmpty { scratch.removeAll(keepingCapacity: true) }
    if !absent.isEmpty { absent.removeAll() }
    if !blobs.isEmpty { blobs.removeAll() }
    transient = 0
  }

  /// Fields of point `index`.
  @inlinable public func fieldRange(_ index: Int) -> Range<Int> {
    (index == 0 ? 0 : points[index - 1].fieldsEnd)..<points[index].fieldsEnd
  }

  /// The text of a slice, for slow paths and tests; invalid UTF-8 is repaired.
  public func text(_ slice: Slice, payload: UnsafeRawBufferPointer) -> String {
    withBytes(of: slice, payload: payload) { String(decoding: $0, as: UTF8.self) }
  }

  /// Lends the bytes of a slice without copying them.
  @inlinable public func withBytes<R>(
    of slice: Slice, payload: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> R
  ) -> R {
    let start = Int(slice.offset)
    let end = start + Int(slice.count)
    if slice.isScratch {
      return scratch.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
    }
    return body(UnsafeRawBufferPointer(rebasing: payload[start..<end]))
  }
}
