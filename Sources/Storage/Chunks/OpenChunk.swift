import Telemetry

/// The samples of one series since its last sealed chunk, kept encoded while more are appended.
///
/// About 1.8 bytes a sample for a decimal walk at a regular interval, growth included; the struct itself takes 128
/// bytes. A copy is a snapshot: it shares the words until the next append. Each sample is
///
/// ```
/// controls…  0  time  value        controls…  1 10  time  changed bits
/// ```
/// where a control is `1 00 quality:8`, `1 01 scale:4` or `1 11 unit:2`; `time` is what a clock
/// that follows the ticks did not foresee, `value` the change of the mantissa (of the bits, unless
/// numbers), both in Rice codes whose parameter follows their size. Bits fill words from the lowest.
public struct OpenChunk: Sendable {
  public let type: ValueType
  public private(set) var count = 0
  /// Microseconds; meaningless while the chunk is empty.
  public private(set) var firstTime: Int64 = 0
  private var words: [UInt64] = []
  private var tail: UInt64 = 0
  private var tailCount = 0
  private var coder: OpenChunkState
  /// Rises with values that the scale does not hold; a few in a row change the scale.
  private var misses = 0

  public init(type: ValueType) {
    self.type = type
    coder = OpenChunkState(isNumber: type == .number)
  }

  public var isEmpty: Bool { count == 0 }
  /// Microseconds of the latest sample; meaningless while the chunk is empty.
  public var lastTime: Int64 { coder.time }
  public var lastBits: UInt64 { coder.bits }
  public var lastQuality: UInt8 { coder.quality }
  /// What it takes in memory, its own fields included.
  public var byteCount: Int { MemoryLayout<OpenChunk>.stride + words.capacity * 8 + 32 }

  /// - Precondition: `time` is later than `lastTime`, unless the chunk is empty.
  public mutating func append(time: Int64, bits: UInt64, quality: UInt8) {
    precondition(count == 0 || time > coder.time, "an open chunk takes times in order")
    if count == 0 { firstTime = time }
    if quality != coder.quality {
      put(0b001 | UInt64(quality) << 3, 11)
      coder.quality = quality
    }
    while time % coder.unitMicroseconds != 0 || coder.unit == OpenChunkState.unknownUnit {
      setUnit(for: time)
    }
    appendValue(time: time, bits: bits)
    count += 1
  }

  private mutating func setUnit(for time: Int64) {
    let unit: UInt8 = time % 1_000_000 == 0 ? 2 : time % 1_000 == 0 ? 1 : 0
    put(0b111 | UInt64(unit) << 3, 5)
    coder.changeUnit(unit)
  }

  private mutating func appendValue(time: Int64, bits: UInt64) {
    var mantissa: Int64? = Int64(bitPattern: bits)
    if coder.isNumber {
      let value = Double(bitPattern: bits)
      mantissa = DecimalScale.mantissa(of: value, scale: Int(coder.scale))
      if mantissa == nil { mantissa = rescale(for: bits) } else if misses > 0 { misses -= 1 }
    }
    put(mantissa == nil ? 0b101 : 0, mantissa == nil ? 3 : 1)
    let surprise = coder.surprise(of: time).zigzag
    putRice(surprise, coder.timeRice.order)
    coder.timeRice.adapt(surprise)
    if let mantissa {
      let change = (mantissa &- coder.mantissa).zigzag
      putRice(change, coder.valueRice.order)
      coder.valueRice.adapt(change)
      coder.mantissa = mantissa
    } else {
      putChangedBits(bits)
    }
    coder.bits = bits
  }

  /// Takes a finer scale when the first value or several in a row need it.
  private mutating func rescale(for bits: UInt64) -> Int64? {
    // A series that is no decimal for long is asked again only now and then.
    if misses >= 64, count & 15 != 0 { return nil }
    misses = min(64, misses + 4)
    let value = Double(bitPattern: bits)
    guard count == 0 || misses >= 8, let scale = DecimalScale.smallestScale(of: value),
      scale > coder.scale
    else { return nil }
    put(0b011 | UInt64(scale) << 3, 7)
    coder.changeScale(UInt8(scale))
    misses = 0
    return DecimalScale.mantissa(of: value, scale: scale)
  }

  private mutating func putChangedBits(_ bits: UInt64) {
    let changed = bits ^ coder.bits
    let length = changed.bitLength
    let zeros = changed == 0 ? 0 : changed.trailingZeroBitCount
    put(UInt64(zeros) | UInt64(length) << 6, 13)
    if length > 0 { putLong(changed >> UInt64(zeros), length - zeros) }
  }

  private mutating func putRice(_ number: UInt64, _ order: Int) {
    let quotient = number >> UInt64(order)
    if quotient < RiceMean.quotientLimit {
      put(1 << quotient &- 1, Int(quotient) + 1)
      putLong(number & (1 << UInt64(order) &- 1), order)
    } else {
      put(1 << RiceMean.quotientLimit - 1, Int(RiceMean.quotientLimit))
      put(UInt64(number.bitLength), 7)
      putLong(number, number.bitLength)
    }
  }

  private mutating func putLong(_ value: UInt64, _ width: Int) {
    if width > 32 {
      put(value & 0xFFFF_FFFF, 32)
      put(value >> 32, width - 32)
    } else {
      put(value, width)
    }
  }

  @inline(__always)
  private mutating func put(_ value: UInt64, _ width: Int) {
    tail |= value << UInt64(tailCount)
    tailCount += width
    guard tailCount >= 64 else { return }
    if words.count == words.capacity { words.reserveCapacity(words.count * 5 / 4 + 8) }
    words.append(tail)
    tailCount -= 64
    tail = tailCount == 0 ? 0 : value >> UInt64(width - tailCount)
  }

  /// Replaces the content of `columns` by the samples so far.
  public func decode(into columns: inout ChunkColumns) {
    columns.removeAll()
    columns.reserveCapacity(count)
    let all = words + [tail, 0]
    all.withUnsafeBytes { bytes in
      // `all` is never empty.
      var reader = BitReader(start: bytes.baseAddress!, endByte: bytes.count, position: 0)
      var state = OpenChunkState(isNumber: type == .number)
      for _ in 0..<count { state.read(from: &reader, into: &columns) }
    }
  }

  /// Empties the chunk and gives its memory back, unless it shall be kept.
  public mutating func removeAll(keepingCapacity: Bool = false) {
    words.removeAll(keepingCapacity: keepingCapacity)
    tail = 0
    tailCount = 0
    count = 0
    misses = 0
    coder = OpenChunkState(isNumber: type == .number)
  }
}

/// What writer and reader of an open chunk both know after each sample; all arithmetic wraps.
struct OpenChunkState {
  let isNumber: Bool
  var time: Int64 = 0
  var bits: UInt64 = 0
  var mantissa: Int64 = 0
  /// The expected interval and how far the clock runs ahead of the last sample, in 1/256 units.
  private var interval: Int64 = 0
  private var lead: Int64 = 0
  var timeRice = RiceMean(sum: 0)
  var valueRice = RiceMean(sum: 64)
  var quality: UInt8 = 0
  var scale: UInt8 = 0
  /// 0 µs, 1 ms, 2 s; `unknownUnit` before the first sample.
  var unit: UInt8 = OpenChunkState.unknownUnit

  static let unknownUnit: UInt8 = 0xFF

  init(isNumber: Bool) { self.isNumber = isNumber }

  @inline(__always)
  func ticks(_ time: Int64) -> Int64 {
    // Constant divisors become multiplications.
    unit == 2 ? time / 1_000_000 : unit == 1 ? time / 1_000 : time
  }

  var unitMicroseconds: Int64 { unit == 2 ? 1_000_000 : unit == 1 ? 1_000 : 1 }

  private var expected: Int64 { (interval &+ lead &+ 128) >> 8 }

  /// How many ticks `time` lies after the expected one; takes it as the latest.
  mutating func surprise(of time: Int64) -> Int64 {
    let increment = ticks(time) &- ticks(self.time)
    let surprise = increment &- expected
    follow(increment)
    self.time = time
    return surprise
  }

  /// The inverse of `surprise(of:)`.
  mutating func advance(surprise: Int64) {
    let increment = surprise &+ expected
    follow(increment)
    time = time &+ increment &* unitMicroseconds
  }

  /// Pulls the clock towards a tick, or starts it anew when the tick is far off.
  private mutating func follow(_ increment: Int64) {
    let isSane = increment >= 0 && increment < 1 << 40
    let error = (increment << 8) &- interval &- lead
    if isSane, error.magnitude <= interval.magnitude / 4 {
      lead = 0 &- (error &- error / 4)
      interval = interval &+ error / 32
    } else {
      interval = isSane ? increment << 8 : 0
      lead = 0
    }
  }

  mutating func changeUnit(_ unit: UInt8) {
    let before = unitMicroseconds
    let isFirst = self.unit == OpenChunkState.unknownUnit
    self.unit = unit
    guard !isFirst else { return }
    let ratio = before / unitMicroseconds
    interval = interval &* ratio
    lead = lead &* ratio
  }

  mutating func changeScale(_ scale: UInt8) {
    self.scale = scale
    mantissa = DecimalScale.mantissa(of: Double(bitPattern: bits), scale: Int(scale)) ?? 0
  }

  /// Reads one sample with the controls before it.
  mutating func read(from reader: inout BitReader, into columns: inout ChunkColumns) {
    var isRaw = false
    while !isRaw, reader.bits(1) == 1 {
      switch reader.bits(2) {
      case 0: quality = UInt8(reader.bits(8))
      case 1: changeScale(UInt8(reader.bits(4)))
      case 3: changeUnit(UInt8(reader.bits(2)))
      default: isRaw = true
      }
    }
    advance(surprise: timeRice.read(from: &reader).unzigzag)
    if isRaw {
      let zeros = reader.bits(6)
      let length = Int(reader.bits(7))
      if length > 0 { bits ^= reader.bits(length - Int(zeros)) << zeros }
    } else {
      mantissa = mantissa &+ valueRice.read(from: &reader).unzigzag
      let isDecimal = isNumber
      bits =
        isDecimal
        ? DecimalScale.value(mantissa: mantissa, scale: Int(scale)).bitPattern
        : UInt64(bitPattern: mantissa)
    }
    columns.append(time: time, bits: bits, quality: quality)
  }
}

/// The running mean of coded numbers, which sets the parameter of their Rice code.
struct RiceMean {
  /// Larger quotients are written by their length instead.
  static let quotientLimit: UInt64 = 16

  /// Sixteen times the mean.
  var sum: UInt64

  /// Low bits of the code: about log₂(mean · ln 2), the best for geometric numbers.
  @inline(__always)
  var order: Int { ((sum &* 11) >> 8).bitLength }

  @inline(__always)
  mutating func adapt(_ number: UInt64) {
    sum = sum &- sum / 16 &+ min(number, 1 << 40)
  }

  mutating func read(from reader: inout BitReader) -> UInt64 {
    let order = order
    let quotient = UInt64((~reader.peek() & 0xFFFF | 0x10000).trailingZeroBitCount)
    let number: UInt64
    if quotient < RiceMean.quotientLimit {
      reader.position += Int(quotient) + 1
      number = quotient << UInt64(order) | reader.bits(order)
    } else {
      reader.position += Int(RiceMean.quotientLimit)
      number = reader.bits(Int(reader.bits(7)))
    }
    adapt(number)
    return number
  }
}
