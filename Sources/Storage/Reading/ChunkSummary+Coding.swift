import Telemetry

/// A summary as the `summary` column of a chunk row holds it; count, t0 and t1 stand in columns of their own.
///
/// ```
/// u8      flags: 1 numbers follow, 2 first number differs from `first`, 4 last number differs from `last`,
///         8 there is no number at all
/// varint  first, byte-swapped (the low bytes of a double are mostly zero); last likewise
/// numbers: f64 min, max, sum, increase, integral; varint held; varint nanCount
/// f64     first number, if flagged; f64 last number, if flagged
/// ```
extension ChunkSummary {
  private enum Flag {
    static let numbers: UInt8 = 1
    static let ownFirst: UInt8 = 2
    static let ownLast: UInt8 = 4
    static let noNumber: UInt8 = 8
  }

  func encode(isNumber: Bool) -> [UInt8] {
    var out = ByteWriter(capacity: 96)
    var flags: UInt8 = isNumber ? Flag.numbers : 0
    if let firstNumber, firstNumber.bitPattern != first { flags |= Flag.ownFirst }
    if let lastNumber, lastNumber.bitPattern != last { flags |= Flag.ownLast }
    if firstNumber == nil { flags |= Flag.noNumber }
    out.byte(flags)
    out.varint(first.byteSwapped)
    out.varint(last.byteSwapped)
    if isNumber {
      for number in [min, max, sum, increase, integral] { out.fixed(number.bitPattern) }
      out.varint(UInt64(bitPattern: held))
      out.varint(UInt64(nanCount))
    }
    if flags & Flag.ownFirst != 0, let firstNumber { out.fixed(firstNumber.bitPattern) }
    if flags & Flag.ownLast != 0, let lastNumber { out.fixed(lastNumber.bitPattern) }
    return Array(out.bytes)
  }

  /// - Returns: `nil` when the bytes are not a summary: the chunk is then decoded instead.
  init?(_ bytes: UnsafeRawBufferPointer, t0: Int64, t1: Int64, count: Int) {
    self.init()
    self.t0 = t0
    self.t1 = t1
    self.count = count
    do throws(ByteReader.Truncated) {
      var reader = ByteReader(bytes)
      let flags = try reader.byte()
      first = try reader.varint().byteSwapped
      last = try reader.varint().byteSwapped
      if flags & Flag.numbers != 0 {
        min = Double(bitPattern: try reader.fixed(UInt64.self))
        max = Double(bitPattern: try reader.fixed(UInt64.self))
        sum = Double(bitPattern: try reader.fixed(UInt64.self))
        increase = Double(bitPattern: try reader.fixed(UInt64.self))
        integral = Double(bitPattern: try reader.fixed(UInt64.self))
        held = Int64(bitPattern: try reader.varint())
        nanCount = Int(truncatingIfNeeded: try reader.varint())
      }
      if flags & Flag.noNumber == 0 {
        firstNumber = Double(bitPattern: first)
        lastNumber = Double(bitPattern: last)
        if flags & Flag.ownFirst != 0 {
          firstNumber = Double(bitPattern: try reader.fixed(UInt64.self))
        }
        if flags & Flag.ownLast != 0 {
          lastNumber = Double(bitPattern: try reader.fixed(UInt64.self))
        }
      }
    } catch {
      return nil
    }
  }
}
