import Glibc

/// The head of a data item of CBOR (RFC 8949 section 3).
struct CBORHead {
  /// 0 to 7: whole number, negative number, bytes, text, array, map, tag, float or simple value.
  var major: UInt8
  /// The five low bits of the first byte.
  var information: UInt8
  /// The number that follows from them; of a float its bits.
  var argument: UInt64

  static let indefinite: UInt8 = 31

  var isIndefinite: Bool { information == Self.indefinite }
  /// The stop of an item of indefinite length.
  var isBreak: Bool { major == 7 && isIndefinite }
}

/// Moves once through the bytes of a CBOR item (RFC 8949). Every verb leaves `position` behind what it
/// read.
///
/// A length that the payload cannot hold is refused where it is read, so no length costs more than its
/// own bytes. Malformed bytes throw `not_cbor` with their offset; nesting is limited to `nestingMax`
/// arrays, maps and tags (`too_deep`).
struct CBORScanner {
  let base: UnsafePointer<UInt8>
  let end: Int
  var position = 0
  private(set) var nesting = 0
  static let nestingMax = 32

  init(base: UnsafePointer<UInt8>, count: Int) {
    self.base = base
    self.end = count
  }

  mutating func head() throws(PayloadError) -> CBORHead {
    let start = position
    guard position < end else { throw malformed("an item is missing", at: position) }
    let byte = base[position]
    position += 1
    var head = CBORHead(major: byte >> 5, information: byte & 31, argument: UInt64(byte & 31))
    switch head.information {
    case 24...27:
      let count = 1 << Int(head.information - 24)
      guard end - position >= count else { throw malformed("an item is cut off", at: start) }
      head.argument = (0..<count).reduce(0) { $0 << 8 | UInt64(base[position + $1]) }
      position += count
    case 28...30: throw malformed("a reserved length", at: start)
    case CBORHead.indefinite where head.major < 2 || head.major == 6:
      throw malformed("an indefinite length where none can be", at: start)
    default: break
    }
    try checkLength(head, at: start)
    return head
  }

  /// Strings hold their bytes, arrays at least a byte for each element, maps two for each entry.
  private func checkLength(_ head: CBORHead, at start: Int) throws(PayloadError) {
    guard (2...5).contains(head.major), !head.isIndefinite else { return }
    let room = UInt64(end - position) / (head.major == 5 ? 2 : 1)
    if head.argument > room { throw malformed("a length is beyond the payload", at: start) }
  }

  mutating func enter() throws(PayloadError) {
    nesting += 1
    if nesting > Self.nestingMax {
      throw PayloadError(
        code: "too_deep",
        detail: "Arrays, maps and tags may be nested \(Self.nestingMax) deep.", offset: position)
    }
  }

  mutating func leave() { nesting -= 1 }

  /// Whether the array or map has no further element, of which `count` were read; steps over a break.
  mutating func isAtEnd(of head: CBORHead, after count: UInt64) throws(PayloadError) -> Bool {
    guard head.isIndefinite else { return count == head.argument }
    guard position < end else { throw malformed("an item is not closed", at: position) }
    guard base[position] == 0xFF else { return false }
    position += 1
    return true
  }

  /// Steps over tags to the head of the item they are put on.
  mutating func untaggedHead() throws(PayloadError) -> CBORHead {
    var head = try head()
    var tags = 0
    while head.major == 6 {
      tags += 1
      guard tags <= Self.nestingMax else {
        throw PayloadError(code: "too_deep", detail: "Too many tags.", offset: position)
      }
      head = try self.head()
    }
    return head
  }

  /// The bytes of the string whose head was read: in the payload, or joined in `scratch`.
  mutating func string(
    _ head: CBORHead, into scratch: inout [UInt8]
  ) throws(PayloadError) -> Slice {
    guard head.isIndefinite else {
      defer { position += Int(head.argument) }
      return Slice(offset: position, count: Int(head.argument), isScratch: false)
    }
    let start = scratch.count
    while true {
      let offset = position
      let chunk = try self.head()
      if chunk.isBreak { break }
      guard chunk.major == head.major, !chunk.isIndefinite else {
        throw malformed("a chunk of a string is no string", at: offset)
      }
      let count = Int(chunk.argument)
      scratch.append(contentsOf: UnsafeBufferPointer(start: base + position, count: count))
      position += count
    }
    return Slice(offset: start, count: scratch.count - start, isScratch: true)
  }

  /// Steps over the rest of the item whose head was read, checking its form.
  mutating func skip(_ head: CBORHead, scratch: inout [UInt8]) throws(PayloadError) {
    switch head.major {
    case 2, 3:
      let mark = scratch.count
      _ = try string(head, into: &scratch)
      scratch.removeSubrange(mark...)
    case 4, 5:
      try enter()
      var count: UInt64 = 0
      while try !isAtEnd(of: head, after: count) {
        for _ in 0..<(head.major == 5 ? 2 : 1) { try skipItem(scratch: &scratch) }
        count += 1
      }
      leave()
    case 6:
      try enter()
      try skipItem(scratch: &scratch)
      leave()
    default:
      if head.isBreak { throw malformed("a break where none can be", at: position - 1) }
    }
  }

  mutating func skipItem(scratch: inout [UInt8]) throws(PayloadError) {
    try skip(try head(), scratch: &scratch)
  }

  func malformed(_ what: String, at offset: Int) -> PayloadError {
    PayloadError(
      code: "not_cbor",
      detail: offset >= end ? "The payload ends too early: \(what)." : "Not CBOR: \(what).",
      offset: offset)
  }
}

extension CBORHead {
  /// The value of a float of 16, 32 or 64 bits; `nil` when it is none.
  var float: Double? {
    guard major == 7 else { return nil }
    switch information {
    case 25: return half
    case 26: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: argument)))
    case 27: return Double(bitPattern: argument)
    default: return nil
    }
  }

  /// IEEE 754 binary16: a sign, five bits of exponent with a bias of 15, ten of fraction.
  private var half: Double {
    let fraction = Double(argument & 0x3FF)
    let exponent = Int32(argument >> 10 & 0x1F)
    let magnitude =
      switch exponent {
      case 0: ldexp(fraction, -24)
      case 31: fraction == 0 ? Double.infinity : .nan
      default: ldexp(fraction + 1_024, exponent - 25)
      }
    return argument & 0x8000 == 0 ? magnitude : -magnitude
  }
}
