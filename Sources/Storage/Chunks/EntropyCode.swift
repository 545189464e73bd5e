import Glibc

/// Cuts a number of any size into a token, which is entropy coded, and low bits, which are not.
///
/// Small numbers are tokens of their own; of larger ones the token tells the highest bit and the
/// `leading` bits after it. So a bell curve of any width needs some fifty tokens, and an outlier costs
/// its bits and nothing else.
struct TokenScheme {
  /// Numbers below 2^`direct` are their own token.
  let direct: Int
  /// Bits after the highest one that go into the token.
  let leading: Int

  static let fine = TokenScheme(direct: 6, leading: 3)
  static let coarse = TokenScheme(direct: 4, leading: 2)

  /// One more than the largest token.
  var tokenCount: Int { 1 << direct + (64 - direct) << leading }

  @inline(__always)
  func token(_ number: UInt64) -> Int {
    if number < 1 << UInt64(direct) { return Int(truncatingIfNeeded: number) }
    let exponent = 63 &- number.leadingZeroBitCount
    let top = Int(truncatingIfNeeded: number >> UInt64(exponent &- leading))
    return 1 &<< direct &+ (exponent &- direct) &<< leading &+ top & (1 &<< leading &- 1)
  }

  /// How many low bits follow the token.
  @inline(__always)
  func lowBits(_ token: Int) -> Int {
    if token < 1 &<< direct { return 0 }
    return (token &- 1 &<< direct) &>> leading &+ direct &- leading
  }

  /// The smallest number with this token.
  @inline(__always)
  func lowest(_ token: Int) -> UInt64 {
    if token < 1 &<< direct { return UInt64(token) }
    let rest = token &- 1 &<< direct
    let top = UInt64(1 &<< leading | rest & (1 &<< leading &- 1))
    return top << UInt64(lowBits(token))
  }
}

/// How often each token occurs, its cost, and the whole-number frequencies that stand for it.
struct TokenHistogram {
  let scheme: TokenScheme
  var counts: [UInt32]
  /// One more than the largest token that occurs.
  private(set) var used = 0
  private(set) var frequencies: [UInt32] = []

  init(scheme: TokenScheme) {
    self.scheme = scheme
    counts = [UInt32](repeating: 0, count: scheme.tokenCount)
  }

  /// The histogram of the same numbers under a coarser scheme.
  func coarsened(to coarse: TokenScheme) -> TokenHistogram {
    var result = TokenHistogram(scheme: coarse)
    for token in 0..<scheme.tokenCount where counts[token] > 0 {
      result.counts[coarse.token(scheme.lowest(token))] += counts[token]
    }
    return result
  }

  /// About how many bytes the numbers take: Shannon's entropy, the low bits and the table.
  mutating func estimatedBytes(total: Int) -> Int {
    let perSample = log2(Double(total))
    var bits = 0.0
    for token in 0..<scheme.tokenCount where counts[token] > 0 {
      let count = Double(counts[token])
      bits += count * (perSample - log2(count) + Double(scheme.lowBits(token)))
      used = token + 1
    }
    return Int(bits / 8) + used * 6 / 8 + 16
  }

  /// Scales the counts to sum to 2^`precision`; what occurs keeps at least 1.
  mutating func normalize(total: Int, precision: Int) {
    let target = Int64(1) << Int64(precision)
    used = (counts.lastIndex { $0 > 0 } ?? 0) + 1
    frequencies = [UInt32](repeating: 0, count: used)
    var rest = target
    for token in 0..<used where counts[token] > 0 {
      let share = (Int64(counts[token]) * target * 2 + Int64(total)) / Int64(2 * total)
      frequencies[token] = UInt32(max(1, share))
      rest -= Int64(frequencies[token])
    }
    while rest != 0 {
      // The most frequent token bears rounding best.
      let largest = frequencies.indices.max { frequencies[$0] < frequencies[$1] } ?? 0
      let step = rest > 0 ? rest : -min(-rest, max(1, Int64(frequencies[largest]) / 16))
      frequencies[largest] = UInt32(Int64(frequencies[largest]) + step)
      rest -= step
    }
  }
}

/// Frequencies as Exp-Golomb codes of their differences: about six bits a token.
enum FrequencyTable {
  static func write(_ frequencies: [UInt32], to writer: ChunkWriter) {
    var differences = [UInt64]()
    var last: Int64 = 0
    for frequency in frequencies {
      differences.append((Int64(frequency) - last).zigzag)
      last = Int64(frequency)
    }
    func cost(_ order: Int) -> Int {
      differences.reduce(0) { $0 + 2 * ($1 >> UInt64(order) + 1).bitLength - 1 + order }
    }
    let order = (0...10).min { cost($0) < cost($1) } ?? 0
    writer.varint(UInt64(frequencies.count))
    writer.bits(UInt64(order), 4)
    for difference in differences {
      let shifted = difference >> UInt64(order) + 1
      let length = shifted.bitLength
      writer.bits(0, length - 1)
      writer.bits(1, 1)
      writer.bits(shifted & (1 << UInt64(length - 1) - 1), length - 1)
      writer.bits(difference & (1 << UInt64(order) - 1), order)
    }
    writer.endBits()
  }

  /// Reads frequencies that must sum to 2^`precision`.
  static func read(
    from reader: inout ChunkReader, tokenCount: Int, precision: Int
  ) throws(ChunkError) -> [UInt32] {
    let count = try reader.varint()
    guard count > 0, count <= UInt64(tokenCount) else {
      throw reader.malformed("\(count) tokens are not possible")
    }
    var field = reader.bitField()
    let order = Int(field.bits(4))
    var frequencies = [UInt32]()
    frequencies.reserveCapacity(Int(count))
    var last: Int64 = 0
    var sum: Int64 = 0
    for _ in 0..<count {
      let zeros = (field.peek() & 0xFFFF_FFFF).trailingZeroBitCount
      guard zeros < 20 else { throw reader.malformed("a frequency is out of range") }
      field.position += zeros + 1
      let shifted = field.bits(zeros) | 1 << UInt64(zeros)
      let difference = ((shifted - 1) << UInt64(order) | field.bits(order)).unzigzag
      last += difference
      guard last >= 0, last <= 1 << Int64(precision) else {
        throw reader.malformed("a frequency is out of range")
      }
      sum += last
      frequencies.append(UInt32(last))
    }
    guard sum == 1 << Int64(precision) else {
      throw reader.malformed("the frequencies sum to \(sum)")
    }
    try reader.endBits(field)
    return frequencies
  }
}

/// Asymmetric numeral system with one 64-bit state and 32-bit words (Duda, "Asymmetric numeral
/// systems", 2013, section 3): tokens cost their entropy to about a thousandth.
///
/// The encoder runs from the last number to the first, so that the decoder runs forward.
enum RangeCode {
  /// The state stays in 2³¹ ..< 2⁶³ between tokens.
  static let lowestState: UInt64 = 1 << 31

  /// More samples pay for finer frequencies.
  static func precision(count: Int) -> Int { count >= 8_192 ? 13 : 12 }

  /// Writes table, state, words and low bits of `numbers`.
  static func write(
    _ numbers: UnsafeBufferPointer<UInt64>, histogram: inout TokenHistogram,
    to writer: ChunkWriter, words: ScratchBuffer<UInt32>
  ) {
    let precision = precision(count: numbers.count)
    histogram.normalize(total: numbers.count, precision: precision)
    FrequencyTable.write(histogram.frequencies, to: writer)
    let scheme = histogram.scheme
    let encoders = tokenEncoders(histogram.frequencies, precision: precision)
    // Each token adds at most `precision` bits, so fewer than half a word.
    let room = words.prepare(numbers.count / 2 + 2)
    var next = room.count
    var state = lowestState
    encoders.withUnsafeBufferPointer { encoders in
      for index in stride(from: numbers.count - 1, through: 0, by: -1) {
        let encoder = encoders[scheme.token(numbers[index])]
        if state >= encoder.limit {
          next -= 1
          room[next] = UInt32(truncatingIfNeeded: state)
          state >>= 32
        }
        state = encoder.push(state, precision: precision)
      }
    }
    writer.varint(UInt64(room.count - next))
    writer.fixed(state)
    for index in next..<room.count { writer.fixed(room[index]) }
    writeLowBits(numbers, scheme: scheme, used: histogram.used, to: writer)
  }

  private static func writeLowBits(
    _ numbers: UnsafeBufferPointer<UInt64>, scheme: TokenScheme, used: Int, to writer: ChunkWriter
  ) {
    guard used > 1 << scheme.direct else { return }
    for number in numbers {
      let width = scheme.lowBits(scheme.token(number))
      if width > 0 { writer.bits(number & (1 << UInt64(width) &- 1), width) }
    }
    writer.endBits()
  }

  /// Reads what `write` wrote into all of `numbers`.
  static func read(
    into numbers: UnsafeMutableBufferPointer<UInt64>, scheme: TokenScheme,
    from reader: inout ChunkReader, slots: ScratchBuffer<TokenSlot>
  ) throws(ChunkError) {
    let precision = precision(count: numbers.count)
    let frequencies = try FrequencyTable.read(
      from: &reader, tokenCount: scheme.tokenCount, precision: precision)
    let table = fill(slots, frequencies)
    let wordCount = try reader.varint()
    var state = try reader.fixed(UInt64.self)
    guard wordCount <= UInt64(numbers.count) else { throw reader.malformed("too many words") }
    let words = try reader.slice(wordCount * 4)
    let mask: UInt64 = 1 << UInt64(precision) - 1
    let shift = UInt64(precision)
    var next = 0
    var isStarved = false
    for index in 0..<numbers.count {
      let slot = table[Int(truncatingIfNeeded: state & mask)]
      numbers[index] = UInt64(slot.token)
      state = UInt64(slot.frequency) &* (state &>> shift) &+ UInt64(slot.offset)
      if state < lowestState {
        guard next < words.count else {
          isStarved = true
          break
        }
        let word = words.loadUnaligned(fromByteOffset: next, as: UInt32.self)
        state = state << 32 | UInt64(UInt32(littleEndian: word))
        next += 4
      }
    }
    guard !isStarved, next == words.count, state == lowestState else {
      throw reader.malformed("the entropy code does not end where it should")
    }
    try addLowBits(to: numbers, scheme: scheme, used: frequencies.count, from: &reader)
  }

  private static func addLowBits(
    to numbers: UnsafeMutableBufferPointer<UInt64>, scheme: TokenScheme, used: Int,
    from reader: inout ChunkReader
  ) throws(ChunkError) {
    guard used > 1 << scheme.direct else { return }
    var field = reader.bitField()
    for index in 0..<numbers.count {
      let token = Int(truncatingIfNeeded: numbers[index])
      let width = scheme.lowBits(token)
      if width > 0 { numbers[index] = scheme.lowest(token) | field.bits(width) }
    }
    try reader.endBits(field)
  }

  /// The decoder's table: for each remainder of the state its token and the step back.
  struct TokenSlot: BitwiseCopyable {
    var token: UInt16
    var frequency: UInt16
    var offset: UInt16
  }

  private static func fill(
    _ slots: ScratchBuffer<TokenSlot>, _ frequencies: [UInt32]
  ) -> UnsafeMutableBufferPointer<TokenSlot> {
    let table = slots.prepare(Int(frequencies.reduce(0, +)))
    var next = 0
    for (token, frequency) in frequencies.enumerated() {
      for offset in 0..<Int(frequency) {
        table[next] = TokenSlot(
          token: UInt16(token), frequency: UInt16(frequency), offset: UInt16(offset))
        next += 1
      }
    }
    return table
  }

  /// One token's step of the state, with the division by its frequency made a multiplication.
  private struct TokenEncoder {
    var frequency: UInt64 = 0
    /// Where the token's remainders start.
    var start: UInt64 = 0
    /// From here on a word has to leave first.
    var limit: UInt64 = 0
    /// ⌈2^(63 + shift) / frequency⌉.
    var reciprocal: UInt64 = 0
    var shift: UInt64 = 0

    /// Granlund and Montgomery, "Division by invariant integers using multiplication", 1994,
    /// theorem 4.2: exact for dividends below 2⁶³.
    init(frequency: UInt64, start: UInt64, precision: Int) {
      self.frequency = frequency
      self.start = start
      limit = frequency << UInt64(63 - precision)
      guard frequency > 1 else { return }
      shift = UInt64((frequency - 1).bitLength)
      let high = UInt64(1) << (shift - 1)
      let (quotient, remainder) = frequency.dividingFullWidth((high, 0))
      reciprocal = remainder == 0 ? quotient : quotient + 1
    }

    @inline(__always)
    func push(_ state: UInt64, precision: Int) -> UInt64 {
      guard frequency > 1 else { return state << UInt64(precision) &+ start }
      let quotient = state.multipliedFullWidth(by: reciprocal).high &>> (shift &- 1)
      return quotient << UInt64(precision) &+ (state &- quotient &* frequency) &+ start
    }
  }

  private static func tokenEncoders(_ frequencies: [UInt32], precision: Int) -> [TokenEncoder] {
    var start: UInt64 = 0
    return frequencies.map { frequency in
      defer { start += UInt64(frequency) }
      return TokenEncoder(frequency: UInt64(frequency), start: start, precision: precision)
    }
  }
}
