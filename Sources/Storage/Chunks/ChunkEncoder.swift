import Telemetry

/// Turns columns into the bytes of a chunk; keeps its buffers and zstd context between chunks.
///
/// Confined to one thread.
public final class ChunkEncoder {
  private let writer = ChunkWriter()
  private let planes = ChunkWriter()
  private let zstd: ZstdEncoder
  private let predicted: PredictedEncoder
  private let integers: IntegerEncoder
  private let numbers = ScratchBuffer<Int64>()
  private let bytePlanes = ScratchBuffer<UInt8>()

  /// - Parameter zstdLevel: 1 is fast; a job that merges chunks in the background may take more.
  public init(zstdLevel: Int32 = 1) {
    zstd = ZstdEncoder(level: zstdLevel)
    integers = IntegerEncoder(zstd: zstd)
    predicted = PredictedEncoder(integers: integers)
  }

  /// The chunk that holds `columns`; any times, bit patterns and qualities come back exactly.
  ///
  /// - Parameter type: What the bits mean; it steers only which codings are tried.
  /// - Precondition: Columns of one length, at most `ChunkCodec.countMax`.
  public func encode(_ columns: ChunkColumns, type: ValueType) -> [UInt8] {
    let count = columns.times.count
    precondition(count <= ChunkCodec.countMax, "a chunk holds at most \(ChunkCodec.countMax)")
    precondition(
      columns.bits.count == count && columns.qualities.count == count, "columns of one length")
    writer.removeAll()
    writer.byte(ChunkCodec.formatVersion)
    writer.varint(UInt64(count))
    if count > 0 {
      columns.times.withUnsafeBufferPointer { writeTimes($0) }
      columns.bits.withUnsafeBufferPointer { writeValues($0, type) }
      columns.qualities.withUnsafeBufferPointer { writeQualities($0) }
    }
    writer.fixed(ChunkCodec.checksum(writer.bytes))
    return Array(writer.bytes)
  }

  private func writeTimes(_ times: UnsafeBufferPointer<Int64>) {
    let code = coarsestUnit(times)
    writer.byte(UInt8(code))
    guard code > 0 else {
      predicted.write(times, predictors: [.delta, .deltaOfDelta, .line], to: writer)
      return
    }
    let ticks = numbers.prepare(times.count)
    // Constant divisors become multiplications.
    if code == 2 {
      for index in 0..<times.count { ticks[index] = times[index] / 1_000_000 }
    } else {
      for index in 0..<times.count { ticks[index] = times[index] / 1_000 }
    }
    let column = UnsafeBufferPointer(ticks)
    predicted.write(column, predictors: [.delta, .deltaOfDelta, .line], to: writer)
  }

  private func coarsestUnit(_ times: UnsafeBufferPointer<Int64>) -> Int {
    if times.allSatisfy({ $0 % 1_000_000 == 0 }) { return 2 }
    return times.allSatisfy({ $0 % 1_000 == 0 }) ? 1 : 0
  }

  private func writeQualities(_ qualities: UnsafeBufferPointer<UInt8>) {
    let column = numbers.prepare(qualities.count)
    for index in 0..<qualities.count { column[index] = Int64(qualities[index]) }
    let stream = UnsafeBufferPointer(column)
    var plan = integers.plan(stream)
    integers.write(stream, plan: &plan, to: writer)
  }

  private func writeValues(_ bits: UnsafeBufferPointer<UInt64>, _ type: ValueType) {
    switch type {
    case .number:
      if let scales = decimalScales(bits) {
        writeDecimals(bits, scales)
      } else {
        writeDoubles(bits)
      }
    case .boolean: writePlain(bits, [.none, .delta])
    case .text: writeWords(bits)
    }
  }

  private func writePlain(_ bits: UnsafeBufferPointer<UInt64>, _ predictors: [Predictor]) {
    writer.byte(ValueCoding.plain.rawValue)
    bits.withMemoryRebound(to: Int64.self) {
      predicted.write($0, predictors: predictors, to: writer)
    }
  }
}

// MARK: Numbers

extension ChunkEncoder {
  /// The scale at which nearly all of the values are decimals, found from a sample of them first, and the
  /// one at which all of them are that have any.
  ///
  /// - Returns: `nil` when more than one in 16 is no decimal.
  private func decimalScales(
    _ bits: UnsafeBufferPointer<UInt64>
  ) -> (usual: Int, widest: Int)? {
    var needed = [Int](repeating: 0, count: DecimalScale.scaleMax + 2)
    let step = max(1, bits.count / 64)
    var sampled = 0
    for index in stride(from: 0, to: bits.count, by: step) {
      needed[neededScale(bits[index])] += 1
      sampled += 1
    }
    if needed[DecimalScale.scaleMax + 1] * 4 > sampled { return nil }
    let guess = scale(covering: needed, total: sampled)
    // Count what the guess leaves over, and guess again with all of it known.
    needed = [Int](repeating: 0, count: DecimalScale.scaleMax + 2)
    for word in bits {
      let value = Double(bitPattern: word)
      if let guess, DecimalScale.mantissa(of: value, scale: guess) != nil {
        needed[guess] += 1
      } else {
        needed[neededScale(word)] += 1
        if needed[DecimalScale.scaleMax + 1] * 16 > bits.count { return nil }
      }
    }
    guard let usual = scale(covering: needed, total: bits.count) else { return nil }
    let widest = (0...DecimalScale.scaleMax).last { needed[$0] > 0 } ?? usual
    return (usual, max(usual, widest))
  }

  private func neededScale(_ word: UInt64) -> Int {
    DecimalScale.smallestScale(of: Double(bitPattern: word)) ?? DecimalScale.scaleMax + 1
  }

  /// The smallest scale that leaves at most one in 32 decimals out.
  private func scale(covering needed: [Int], total: Int) -> Int? {
    var left = total - needed[DecimalScale.scaleMax + 1]
    for scale in 0...DecimalScale.scaleMax {
      left -= needed[scale]
      if left * 32 <= total { return scale }
    }
    return nil
  }

  /// At the usual scale with exceptions or, where these weigh much, at the widest: the smaller one stays.
  private func writeDecimals(
    _ bits: UnsafeBufferPointer<UInt64>, _ scales: (usual: Int, widest: Int)
  ) {
    let start = writer.count
    let exceptionBytes = writeDecimals(bits, scale: scales.usual)
    let size = writer.count - start
    guard scales.widest > scales.usual, exceptionBytes * 4 > size else { return }
    let kept = Array(writer.bytes[start...])
    writer.truncate(to: start)
    writeDecimals(bits, scale: scales.widest)
    guard writer.count - start > size else { return }
    writer.truncate(to: start)
    kept.withUnsafeBytes { writer.append($0) }
  }

  /// - Returns: the bytes of the values that are no decimals of this scale.
  @discardableResult
  private func writeDecimals(_ bits: UnsafeBufferPointer<UInt64>, scale: Int) -> Int {
    let mantissas = numbers.prepare(bits.count)
    var exceptions = [Int]()
    var last: Int64 = 0
    for index in 0..<bits.count {
      let value = Double(bitPattern: bits[index])
      if let mantissa = DecimalScale.mantissa(of: value, scale: scale) {
        last = mantissa
      } else {
        exceptions.append(index)
      }
      mantissas[index] = last
    }
    writer.byte(ValueCoding.decimal.rawValue)
    writer.byte(UInt8(scale))
    writer.varint(UInt64(exceptions.count))
    let exceptionsStart = writer.count
    var end = 0
    for index in exceptions {
      writer.varint(UInt64(index - end))
      writer.fixed(bits[index])
      end = index + 1
    }
    let exceptionBytes = writer.count - exceptionsStart
    let column = UnsafeBufferPointer(mantissas)
    predicted.write(column, predictors: [.none, .delta, .deltaOfDelta], to: writer)
    return exceptionBytes
  }

  /// Doubles that are no decimals: as whole numbers, as byte planes or as they are.
  private func writeDoubles(_ bits: UnsafeBufferPointer<UInt64>) {
    let start = writer.count
    writePlain(bits, [.none, .delta])
    let rawSize = bits.count * 8 + 1
    planes.removeAll()
    planes.byte(ValueCoding.planes.rawValue)
    zstd.write(UnsafeRawBufferPointer(transposed(bits)), to: planes)
    let smallest = min(writer.count - start, planes.count, rawSize)
    if smallest == writer.count - start { return }
    writer.truncate(to: start)
    if smallest == planes.count {
      writer.append(planes.bytes)
    } else {
      writer.byte(ValueCoding.raw.rawValue)
      for word in bits { writer.fixed(word) }
    }
  }

  private func transposed(
    _ bits: UnsafeBufferPointer<UInt64>
  ) -> UnsafeMutableBufferPointer<UInt8> {
    let count = bits.count
    let planes = bytePlanes.prepare(count * 8)
    var last: UInt64 = 0
    for index in 0..<count {
      let changed = bits[index] ^ last
      last = bits[index]
      for plane in 0..<8 {
        planes[plane * count + index] = UInt8(truncatingIfNeeded: changed >> UInt64(plane * 8))
      }
    }
    return planes
  }
}

// MARK: Words

extension ChunkEncoder {
  /// Ids of words: by a list of the distinct ones when they are few and lie far apart.
  private func writeWords(_ bits: UnsafeBufferPointer<UInt64>) {
    let places = numbers.prepare(bits.count)
    guard let words = distinct(bits, places), words.count * 4 < bits.count,
      words.contains(where: { $0 > 15 })
    else { return writePlain(bits, [.none, .delta]) }
    writer.byte(ValueCoding.dictionary.rawValue)
    writer.varint(UInt64(words.count))
    for word in words { writer.varint(word) }
    predicted.write(UnsafeBufferPointer(places), predictors: [.none, .delta], to: writer)
  }

  /// The distinct values in the order they come, and each sample's place among them.
  ///
  /// - Returns: `nil` when there are more than 256.
  private func distinct(
    _ bits: UnsafeBufferPointer<UInt64>, _ places: UnsafeMutableBufferPointer<Int64>
  ) -> [UInt64]? {
    var words = [UInt64]()
    var known = [UInt64: Int64]()
    var place: Int64 = 0
    for index in 0..<bits.count {
      if index == 0 || bits[index] != bits[index - 1] {
        let word = bits[index]
        if let seen = known[word] {
          place = seen
        } else {
          guard words.count < 256 else { return nil }
          place = Int64(words.count)
          known[word] = place
          words.append(word)
        }
      }
      places[index] = place
    }
    return words
  }
}
