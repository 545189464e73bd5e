import Telemetry

/// The state of a window as bytes; its settings come from the rule.
extension Window {
  func encode(into out: inout ByteWriter) {
    out.byte(isCounter ? 1 : 0)
    out.byte(isKnown ? 1 : 0)
    out.byte(isTrue ? 1 : 0)
    out.zigzag(head)
    out.varint(UInt64(filled))
    out.fixed(time)
    out.fixed(began)
    out.double(lastValue)
    out.fixed(lastValueTime)
    out.varint(UInt64(numbers.count))
    for number in numbers { out.double(number) }
    for number in [closed.covered, closed.count, closed.a, closed.b, closed.c, closed.d] {
      out.double(number)
    }
    values.encode(into: &out)
  }

  /// - Throws: `Truncated` also for the state of a window of another size.
  mutating func decode(_ reader: inout ByteReader) throws(ByteReader.Truncated) {
    isCounter = try reader.byte() != 0
    isKnown = try reader.byte() != 0
    isTrue = try reader.byte() != 0
    head = try reader.zigzag()
    filled = Int(clamping: try reader.varint())
    time = try reader.fixed(Int64.self)
    began = try reader.fixed(Int64.self)
    lastValue = try reader.double()
    lastValueTime = try reader.fixed(Int64.self)
    let isSamples = bucketMicroseconds == 0
    guard try reader.varint() == UInt64(numbers.count), filled <= samples,
      !isSamples || (0..<Int64(samples)).contains(head)
    else { throw ByteReader.Truncated() }
    for index in numbers.indices { numbers[index] = try reader.double() }
    closed.covered = try reader.double()
    closed.count = try reader.double()
    closed.a = try reader.double()
    closed.b = try reader.double()
    closed.c = try reader.double()
    closed.d = try reader.double()
    values = try ValueRing(from: &reader)
  }
}

extension ValueRing {
  func encode(into out: inout ByteWriter) {
    out.varint(UInt64(stride))
    out.varint(UInt64(skipped))
    out.varint(UInt64(values.count))
    out.varint(UInt64(start))
    for index in values.indices {
      out.double(values[index])
      out.fixed(times[index])
    }
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    self.init()
    let (stride, skipped) = (try reader.varint(), try reader.varint())
    let (count, start) = (try reader.varint(), try reader.varint())
    guard count <= UInt64(reader.remaining) / 16, start <= count, stride > 0, stride < 1 << 40,
      skipped < 1 << 40
    else { throw ByteReader.Truncated() }
    var values: [Double] = []
    var times: [Int64] = []
    for _ in 0..<count {
      values.append(try reader.double())
      times.append(try reader.fixed(Int64.self))
    }
    restore(
      values: values, times: times, stride: Int(stride), skipped: Int(skipped), start: Int(start))
  }
}
