import CZstd

/// The ways a stream of whole numbers is written; the smallest is taken.
enum IntegerCoding: UInt8 {
  /// Every number is the base.
  case constant = 0
  /// Pairs of a number and how often it repeats.
  case runs = 1
  /// The distance to the smallest number in as many bits as the largest distance needs.
  case packed = 2
  /// Varints squeezed by zstd: for patterns that repeat.
  case varints = 3
  /// Tokens by frequency: `RangeCode` with `TokenScheme.fine`.
  case tokensFine = 4
  /// `RangeCode` with `TokenScheme.coarse`.
  case tokensCoarse = 5
}

/// What one look at a stream of whole numbers tells about its smallest coding.
struct IntegerPlan {
  var coding = IntegerCoding.constant
  /// Bytes it takes, about.
  var bytes = 0
  /// Near the middle of the numbers, so that the distances to it are small.
  var base: Int64 = 0
  var smallest: Int64 = 0
  /// Every number is `smallest` plus a multiple of it.
  var divisor: UInt64 = 1
  /// Bits of the largest distance to `smallest` in steps of `divisor`.
  var width = 0
  var histogram = TokenHistogram(scheme: .coarse)
}

/// Writes streams of whole numbers; arithmetic wraps, so any Int64 goes.
final class IntegerEncoder {
  private let numbers = ScratchBuffer<UInt64>()
  private let words = ScratchBuffer<UInt32>()
  private let varints = ChunkWriter()
  private let zstd: ZstdEncoder

  init(zstd: ZstdEncoder) { self.zstd = zstd }

  /// Looks at a stream once or twice; about 6 ns a number.
  func plan(_ stream: UnsafeBufferPointer<Int64>) -> IntegerPlan {
    var plan = IntegerPlan()
    guard let first = stream.first else { return plan }
    let (smallest, largest, runCount) = extremes(stream)
    plan.base = first
    plan.smallest = smallest
    if smallest == largest {
      plan.bytes = 1 + first.zigzag.varintSize
      return plan
    }
    let range = UInt64(bitPattern: largest &- smallest)
    if range < 1 << 62 { plan.divisor = commonDivisor(stream, smallest) }
    plan.width = (range / plan.divisor).bitLength
    plan.base = median(stream)
    consider(.packed, 12 + (stream.count * plan.width + 7) / 8, &plan)
    if runCount < stream.count / 2 {
      consider(.runs, 8 + runBytes(stream, base: plan.base), &plan)
    }
    considerTokens(stream, &plan)
    return plan
  }

  private func consider(_ coding: IntegerCoding, _ bytes: Int, _ plan: inout IntegerPlan) {
    guard plan.coding == .constant || bytes < plan.bytes else { return }
    plan.coding = coding
    plan.bytes = bytes
  }

  private func considerTokens(_ stream: UnsafeBufferPointer<Int64>, _ plan: inout IntegerPlan) {
    var fine = TokenHistogram(scheme: .fine)
    let base = plan.base
    let scheme = TokenScheme.fine
    fine.counts.withUnsafeMutableBufferPointer { counts in
      if plan.divisor == 1 {
        for number in stream { counts[scheme.token((number &- base).zigzag)] &+= 1 }
      } else {
        let divisor = Int64(plan.divisor)
        for number in stream { counts[scheme.token(((number &- base) / divisor).zigzag)] &+= 1 }
      }
    }
    var coarse = fine.coarsened(to: .coarse)
    let coarseBytes = coarse.estimatedBytes(total: stream.count)
    let fineBytes = fine.estimatedBytes(total: stream.count)
    consider(.tokensCoarse, coarseBytes, &plan)
    consider(.tokensFine, fineBytes, &plan)
    plan.histogram = plan.coding == .tokensFine ? fine : coarse
  }

  /// Writes the stream by its plan, or as varints and zstd when that turns out smaller.
  func write(
    _ stream: UnsafeBufferPointer<Int64>, plan: inout IntegerPlan, to writer: ChunkWriter
  ) {
    let start = writer.count
    if plan.bytes > 64 {
      writeVarints(stream, base: plan.base, to: writer)
      // Room for the error of the estimate.
      if writer.count - start < plan.bytes - plan.bytes / 8 { return }
    }
    let varintBytes = writer.count - start
    let kept = varintBytes > 0 ? Array(writer.bytes[start...]) : []
    writer.truncate(to: start)
    writePlanned(stream, plan: &plan, to: writer)
    if varintBytes > 0, varintBytes < writer.count - start {
      writer.truncate(to: start)
      kept.withUnsafeBytes { writer.append($0) }
    }
  }

  private func writePlanned(
    _ stream: UnsafeBufferPointer<Int64>, plan: inout IntegerPlan, to writer: ChunkWriter
  ) {
    writer.byte(plan.coding.rawValue)
    switch plan.coding {
    case .constant: writer.signed(plan.base)
    case .runs: writeRuns(stream, base: plan.base, to: writer)
    case .packed: writePacked(stream, plan, to: writer)
    case .tokensFine, .tokensCoarse: writeTokens(stream, &plan, to: writer)
    case .varints: preconditionFailure("varints are never planned, only tried")
    }
  }

  private func writeRuns(
    _ stream: UnsafeBufferPointer<Int64>, base: Int64, to writer: ChunkWriter
  ) {
    writer.signed(base)
    forEachRun(stream) { number, length in
      writer.signed(number &- base)
      writer.varint(UInt64(length))
    }
  }

  private func writePacked(
    _ stream: UnsafeBufferPointer<Int64>, _ plan: IntegerPlan, to writer: ChunkWriter
  ) {
    writer.signed(plan.smallest)
    writer.varint(plan.divisor)
    writer.byte(UInt8(plan.width))
    writer.reserve(stream.count * plan.width / 8 + 16)
    let smallest = plan.smallest
    let divisor = plan.divisor
    for number in stream {
      let distance = UInt64(bitPattern: number &- smallest)
      writer.bits(divisor == 1 ? distance : distance / divisor, plan.width)
    }
    writer.endBits()
  }

  private func writeTokens(
    _ stream: UnsafeBufferPointer<Int64>, _ plan: inout IntegerPlan, to writer: ChunkWriter
  ) {
    writer.signed(plan.base)
    writer.varint(plan.divisor)
    let distances = numbers.prepare(stream.count)
    let base = plan.base
    if plan.divisor == 1 {
      for index in 0..<stream.count { distances[index] = (stream[index] &- base).zigzag }
    } else {
      let divisor = Int64(plan.divisor)
      for index in 0..<stream.count {
        distances[index] = ((stream[index] &- base) / divisor).zigzag
      }
    }
    RangeCode.write(
      UnsafeBufferPointer(distances), histogram: &plan.histogram, to: writer, words: words)
  }

  private func writeVarints(
    _ stream: UnsafeBufferPointer<Int64>, base: Int64, to writer: ChunkWriter
  ) {
    varints.removeAll()
    varints.reserve(stream.count * 10)
    for number in stream { varints.signed(number &- base) }
    writer.byte(IntegerCoding.varints.rawValue)
    writer.signed(base)
    zstd.write(varints.bytes, to: writer)
  }

  private func extremes(
    _ stream: UnsafeBufferPointer<Int64>
  ) -> (smallest: Int64, largest: Int64, runs: Int) {
    var smallest = stream[0]
    var largest = stream[0]
    var last = stream[0]
    var runs = 1
    for number in stream {
      smallest = min(smallest, number)
      largest = max(largest, number)
      runs &+= number == last ? 0 : 1
      last = number
    }
    return (smallest, largest, runs)
  }

  private func commonDivisor(_ stream: UnsafeBufferPointer<Int64>, _ smallest: Int64) -> UInt64 {
    var divisor: UInt64 = 0
    for number in stream {
      var rest = UInt64(bitPattern: number &- smallest)
      if divisor != 0 { rest %= divisor }
      guard rest != 0 else { continue }
      while divisor != 0 { (rest, divisor) = (divisor, rest % divisor) }
      divisor = rest
      if divisor == 1 { return 1 }
    }
    return max(divisor, 1)
  }

  /// The median of up to 65 of the numbers.
  private func median(_ stream: UnsafeBufferPointer<Int64>) -> Int64 {
    let step = max(1, stream.count / 64)
    let some = stride(from: 0, to: stream.count, by: step).map { stream[$0] }.sorted()
    return some[some.count / 2]
  }

  private func runBytes(_ stream: UnsafeBufferPointer<Int64>, base: Int64) -> Int {
    var bytes = 0
    forEachRun(stream) { number, length in
      bytes += (number &- base).zigzag.varintSize + UInt64(length).varintSize
    }
    return bytes
  }

  private func forEachRun(
    _ stream: UnsafeBufferPointer<Int64>, _ body: (_ number: Int64, _ length: Int) -> Void
  ) {
    var start = 0
    for index in 1...stream.count where index == stream.count || stream[index] != stream[start] {
      body(stream[start], index - start)
      start = index
    }
  }
}

/// Reads the streams that `IntegerEncoder` writes.
final class IntegerDecoder {
  private let slots = ScratchBuffer<RangeCode.TokenSlot>()
  private let zstd: ZstdDecoder

  init(zstd: ZstdDecoder) { self.zstd = zstd }

  /// Fills all of `stream`, which must not be empty.
  func read(
    into stream: UnsafeMutableBufferPointer<Int64>, from reader: inout ChunkReader
  ) throws(ChunkError) {
    guard let coding = IntegerCoding(rawValue: try reader.byte()) else {
      throw reader.malformed("an integer coding is unknown")
    }
    switch coding {
    case .constant: stream.update(repeating: try reader.signed())
    case .runs: try readRuns(into: stream, from: &reader)
    case .packed: try readPacked(into: stream, from: &reader)
    case .varints: try readVarints(into: stream, from: &reader)
    case .tokensFine: try readTokens(into: stream, scheme: .fine, from: &reader)
    case .tokensCoarse: try readTokens(into: stream, scheme: .coarse, from: &reader)
    }
  }

  private func readRuns(
    into stream: UnsafeMutableBufferPointer<Int64>, from reader: inout ChunkReader
  ) throws(ChunkError) {
    let base = try reader.signed()
    var filled = 0
    while filled < stream.count {
      let number = try reader.signed() &+ base
      let length = try reader.varint()
      guard length > 0, length <= UInt64(stream.count - filled) else {
        throw reader.malformed("a run of \(length) does not fit")
      }
      let end = filled + Int(length)
      while filled < end {
        stream[filled] = number
        filled += 1
      }
    }
  }

  private func readPacked(
    into stream: UnsafeMutableBufferPointer<Int64>, from reader: inout ChunkReader
  ) throws(ChunkError) {
    let smallest = try reader.signed()
    let divisor = try reader.varint()
    let width = Int(try reader.byte())
    guard width <= 64 else { throw reader.malformed("numbers of \(width) bits") }
    var field = reader.bitField()
    for index in 0..<stream.count {
      stream[index] = Int64(bitPattern: field.bits(width) &* divisor) &+ smallest
    }
    try reader.endBits(field)
  }

  private func readVarints(
    into stream: UnsafeMutableBufferPointer<Int64>, from reader: inout ChunkReader
  ) throws(ChunkError) {
    let base = try reader.signed()
    let bytes = try zstd.read(from: &reader, sizeMax: stream.count * 10)
    guard !bytes.isEmpty else { throw reader.malformed("varints are missing") }
    var inner = ChunkReader(bytes, from: 0)
    for index in 0..<stream.count { stream[index] = try inner.signed() &+ base }
  }

  private func readTokens(
    into stream: UnsafeMutableBufferPointer<Int64>, scheme: TokenScheme,
    from reader: inout ChunkReader
  ) throws(ChunkError) {
    let base = try reader.signed()
    let divisor = Int64(bitPattern: try reader.varint())
    // The same memory as unsigned numbers, which the entropy code yields.
    let numbers = UnsafeMutableRawBufferPointer(stream).bindMemory(to: UInt64.self)
    defer { _ = UnsafeMutableRawBufferPointer(numbers).bindMemory(to: Int64.self) }
    try RangeCode.read(into: numbers, scheme: scheme, from: &reader, slots: slots)
    for index in 0..<numbers.count {
      let number = numbers[index].unzigzag &* divisor &+ base
      numbers[index] = UInt64(bitPattern: number)
    }
  }
}
