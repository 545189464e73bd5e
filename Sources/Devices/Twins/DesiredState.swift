import Telemetry

/// What is desired of one device. It stays when nothing is desired any more, for its version.
struct DesiredState: Sendable {
  /// Index of the device.
  var device: UInt32
  /// One more with every change of what is desired; the ETag.
  var version: UInt64 = 0
  /// Sorted by name.
  var entries: [DesiredEntry] = []
  /// When a command for a property was last accepted, on the elapsed clock; kept for the rate limit also after
  /// the desire is gone. Sorted by name.
  var writes: [(property: String, elapsed: Int64)] = []

  init(device: UInt32) { self.device = device }

  func index(of property: String) -> Int? { entries.firstIndex { $0.property == property } }

  func lastWrite(of property: String) -> Int64? {
    writes.first { $0.property == property }?.elapsed
  }

  mutating func put(_ entry: DesiredEntry) {
    if let index = index(of: entry.property) {
      entries[index] = entry
    } else {
      let place = entries.firstIndex { $0.property > entry.property } ?? entries.count
      entries.insert(entry, at: place)
    }
  }

  mutating func noteWrite(of property: String, at elapsed: Int64) {
    if let index = writes.firstIndex(where: { $0.property == property }) {
      writes[index].elapsed = elapsed
    } else {
      let place = writes.firstIndex { $0.property > property } ?? writes.count
      writes.insert((property, elapsed), at: place)
    }
  }

  func encode(into out: inout ByteWriter) {
    out.varint(UInt64(device))
    out.varint(version)
    out.varint(UInt64(entries.count))
    for entry in entries { entry.encode(into: &out) }
    out.varint(UInt64(writes.count))
    for write in writes {
      out.text(write.property)
      out.zigzag(write.elapsed)
    }
  }

  init(from input: inout ByteReader) throws(ByteReader.Truncated) {
    device = UInt32(truncatingIfNeeded: try input.varint())
    version = try input.varint()
    for _ in 0..<(try input.length()) { entries.append(try DesiredEntry(from: &input)) }
    for _ in 0..<(try input.length()) {
      writes.append((try input.text(), try input.zigzag()))
    }
  }
}

/// One desired property: a person's word, what became of it, and until when it counts.
struct DesiredEntry: Sendable {
  enum Status: UInt8, Sendable {
    case pending = 0
    case converged = 1
    case timedOut = 2
    case diverged = 3

    var name: String { ["pending", "converged", "timed_out", "diverged"][Int(rawValue)] }
  }

  var property: String
  var value: Value
  /// UCUM code; empty: none.
  var unit: String
  var since: Timestamp
  var principal: String
  var remark: String
  /// Of the command.
  var id: String
  /// The command is not sent after it.
  var expires: Timestamp
  var status = Status.pending
  /// The command's time is over; until then it may still arrive.
  var isExpired = false
  /// On the elapsed clock: when it was asked for, when the command expires, when it times out.
  var asked: Int64
  var expiry: Int64
  var deadline: Int64
  /// Converged, but since then no longer there; `nil`: there.
  var awaySince: Int64?

  /// Where the reported value is watched; found anew whenever series or profiles change, not saved.
  var link: DesiredLink?

  /// When something happens to it by time alone; `nil`: never.
  var next: Int64? {
    switch status {
    case .pending: isExpired ? deadline : min(deadline, expiry)
    case .converged: awaySince.map { $0 + (link?.timeoutMicroseconds ?? 0) }
    case .timedOut, .diverged: nil
    }
  }

  func encode(into out: inout ByteWriter) {
    out.text(property)
    value.encode(into: &out)
    out.text(unit)
    out.zigzag(since.microseconds)
    out.text(principal)
    out.text(remark)
    out.text(id)
    out.zigzag(expires.microseconds)
    out.byte(status.rawValue | (isExpired ? 16 : 0) | (awaySince != nil ? 32 : 0))
    out.zigzag(asked)
    out.zigzag(expiry)
    out.zigzag(deadline)
    if let awaySince { out.zigzag(awaySince) }
  }
}

extension DesiredEntry {
  init(from input: inout ByteReader) throws(ByteReader.Truncated) {
    property = try input.text()
    value = try Value(from: &input)
    unit = try input.text()
    since = Timestamp(microseconds: try input.zigzag())
    principal = try input.text()
    remark = try input.text()
    id = try input.text()
    expires = Timestamp(microseconds: try input.zigzag())
    let flags = try input.byte()
    guard let status = Status(rawValue: flags & 15) else { throw ByteReader.Truncated() }
    self.status = status
    isExpired = flags & 16 != 0
    asked = try input.zigzag()
    expiry = try input.zigzag()
    deadline = try input.zigzag()
    awaySince = flags & 32 != 0 ? try input.zigzag() : nil
  }
}

/// How a desired property is compared with what is reported.
struct DesiredLink: Sendable {
  /// Index of the watch; `nil`: the metric has not been heard yet.
  var watch: Int?
  var property: DesiredProperty
  /// From the unit of the series to that of the property; `nil`: they measure different things.
  var conversion: Conversion?

  var timeoutMicroseconds: Int64 { property.timeout.microseconds }
}

extension Value {
  func encode(into out: inout ByteWriter) {
    out.byte(type.rawValue)
    switch self {
    case .number(let number): out.double(number)
    case .boolean(let flag): out.byte(flag ? 1 : 0)
    case .text(let text): out.text(text)
    }
  }

  init(from input: inout ByteReader) throws(ByteReader.Truncated) {
    switch ValueType(rawValue: try input.byte()) {
    case .number: self = .number(try input.double())
    case .boolean: self = .boolean(try input.byte() != 0)
    case .text: self = .text(try input.text())
    case nil: throw ByteReader.Truncated()
    }
  }
}
