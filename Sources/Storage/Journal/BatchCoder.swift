import Telemetry

/// Codes the batch of one record against the last values of its series, column by column.
///
/// ```
/// body     = varint(bytes of column) × 6, then the columns:
/// shape    per delivery: varint(samples << 2 | has items << 1 | packet id predicted)
///          then u16 packet id unless predicted (the one before + 1, or none after none),
///          then varint(items) when it has items
/// series   per sample: 0 = the series that followed last time, else varint(series + 1)
/// meta     per sample: bits 0–1 value mode, 2 quality follows, 3 receive-stamped, 4 current only,
///          5 time is raw; then the quality byte when it follows
/// time     per sample: 0 = as the sample before; else varint(x + 1) of the difference to the prediction, where
///          x = zigzag(difference in ms) << 1 when it is whole, else zigzag(difference in µs) << 1 | 1;
///          or 8 raw bytes
/// value    mode 0: zigzag(mantissa − last); 1: scale byte, zigzag(mantissa); 2: 8 raw bytes; 3: varint(bits)
/// items    `ItemCoder`, in order
/// ```
///
/// The prediction for a time is the last time of the series plus its last interval. Encoder and decoder
/// hold the same state; `forget()` puts both back to nothing, as every reset record of the journal does.
struct BatchCoder {
  /// What is remembered of one series. Valid only while `generation` is the coder's.
  private struct Memory {
    var time: Int64 = 0
    var interval: Int64 = 0
    var mantissa: Int64 = 0
    var generation: UInt32 = 0
    /// Series that came after this one last time, plus one; 0: none.
    var successor: UInt32 = 0
    var scale: Int8 = 0
    var quality: UInt8 = 0
  }

  private enum Mode {
    static let decimal: UInt8 = 0
    static let rescaled: UInt8 = 1
    static let raw: UInt8 = 2
    static let small: UInt8 = 3
    static let mask: UInt8 = 3
  }

  private enum Flag {
    static let quality: UInt8 = 1 << 2
    static let receiveStamped: UInt8 = 1 << 3
    static let currentOnly: UInt8 = 1 << 4
    static let rawTime: UInt8 = 1 << 5
  }

  /// A corrupt record must not make us allocate without bound.
  static let samplesMax = 1 << 22

  private var memories: [Memory] = []
  private var generation: UInt32 = 1
  private var lastPacketID: UInt16 = 0

  /// Forgets all predictions; cost O(1).
  mutating func forget() {
    generation &+= 1
    lastPacketID = 0
  }

  // MARK: - Encoding

  /// The columns while a record is being coded.
  struct Columns: ~Copyable {
    var shape = ByteWriter()
    var series = ByteWriter()
    var meta = ByteWriter()
    var time = ByteWriter()
    var value = ByteWriter()
    var items = ByteWriter()

    mutating func removeAll() {
      shape.removeAll()
      series.removeAll()
      meta.removeAll()
      time.removeAll()
      value.removeAll()
      items.removeAll()
    }
  }

  /// Appends the body for `batch` to `out`. Times are predicted from `base` at first.
  mutating func encode(
    _ batch: Batch, base: Timestamp, columns: inout Columns, into out: inout ByteWriter
  ) {
    columns.removeAll()
    encodeShape(of: batch, into: &columns)
    encodeSamples(batch.samples, base: base.microseconds, into: &columns)
    for item in batch.items { ItemCoder.encode(item, into: &columns.items) }
    out.varint(UInt64(columns.shape.count))
    out.varint(UInt64(columns.series.count))
    out.varint(UInt64(columns.meta.count))
    out.varint(UInt64(columns.time.count))
    out.varint(UInt64(columns.value.count))
    out.varint(UInt64(columns.items.count))
    out.raw(columns.shape.bytes)
    out.raw(columns.series.bytes)
    out.raw(columns.meta.bytes)
    out.raw(columns.time.bytes)
    out.raw(columns.value.bytes)
    out.raw(columns.items.bytes)
  }

  private mutating func encodeShape(of batch: Batch, into columns: inout Columns) {
    var samplesStart = 0
    var itemsStart = 0
    for delivery in batch.deliveries {
      let items = delivery.itemsEnd - itemsStart
      let isPredicted = delivery.packetID == predictedPacketID
      let head =
        UInt64(delivery.samplesEnd - samplesStart) << 2 | (items > 0 ? 2 : 0)
        | (isPredicted ? 1 : 0)
      columns.shape.varint(head)
      if !isPredicted { columns.shape.fixed(delivery.packetID) }
      if items > 0 { columns.shape.varint(UInt64(items)) }
      lastPacketID = delivery.packetID
      samplesStart = delivery.samplesEnd
      itemsStart = delivery.itemsEnd
    }
    precondition(
      samplesStart == batch.samples.count && itemsStart == batch.items.count,
      "every sample and item of a batch belongs to a delivery")
  }

  /// Packet ids count up and skip 0; deliveries without one follow each other.
  private var predictedPacketID: UInt16 {
    lastPacketID == 0 ? 0 : (lastPacketID == .max ? 1 : lastPacketID + 1)
  }

  private mutating func encodeSamples(
    _ samples: [Sample], base: Int64, into columns: inout Columns
  ) {
    var previousTime = base
    var previousSeries: UInt32?
    for sample in samples {
      let index = Int(sample.series)
      growMemories(to: index)
      let predicted = predictedSeries(after: previousSeries)
      if predicted == sample.series {
        columns.series.byte(0)
      } else {
        columns.series.varint(UInt64(sample.series) + 1)
      }
      if let previousSeries { memories[Int(previousSeries)].successor = sample.series + 1 }
      previousSeries = sample.series

      var memory = memories[index]
      let isKnown = memory.generation == generation
      if !isKnown { memory = Memory(generation: generation) }

      var meta = encodeValue(sample.bits, memory: &memory, isKnown: isKnown, into: &columns)
      if sample.quality.rawValue != memory.quality { meta |= Flag.quality }
      if sample.isReceiveStamped { meta |= Flag.receiveStamped }
      if sample.isCurrentOnly { meta |= Flag.currentOnly }

      let time = sample.time.microseconds
      if time == previousTime {
        columns.time.byte(0)
      } else {
        let guess = isKnown ? memory.time &+ memory.interval : previousTime
        let difference = time &- guess
        if difference.magnitude >= 1 << 54 {
          meta |= Flag.rawTime
          columns.time.fixed(time)
        } else {
          let (milliseconds, rest) = difference.quotientAndRemainder(dividingBy: 1_000)
          let code =
            rest == 0 ? ZigZag.encode(milliseconds) << 1 : ZigZag.encode(difference) << 1 | 1
          columns.time.varint(code + 1)
        }
      }
      memory.interval = isKnown ? time &- memory.time : 0
      memory.time = time
      previousTime = time

      columns.meta.byte(meta)
      if meta & Flag.quality != 0 { columns.meta.byte(sample.quality.rawValue) }
      memory.quality = sample.quality.rawValue
      memories[index] = memory
    }
  }

  private func predictedSeries(after previous: UInt32?) -> UInt32? {
    guard let previous else { return nil }
    let memory = memories[Int(previous)]
    guard memory.generation == generation, memory.successor > 0 else { return previous &+ 1 }
    return memory.successor - 1
  }

  @inline(__always)
  private func encodeValue(
    _ bits: UInt64, memory: inout Memory, isKnown: Bool, into columns: inout Columns
  ) -> UInt8 {
    if bits <= UInt64(UInt32.max) && !(bits == 0 && isKnown && memory.scale >= 0) {
      columns.value.varint(bits)
      if !isKnown { memory.scale = -1 }
      return Mode.small
    }
    let value = Double(bitPattern: bits)
    if isKnown, memory.scale >= 0,
      let mantissa = DecimalScale.mantissa(of: value, scale: Int(memory.scale))
    {
      columns.value.zigzag(mantissa &- memory.mantissa)
      memory.mantissa = mantissa
      return Mode.decimal
    }
    if let scale = DecimalScale.smallestScale(of: value),
      let mantissa = DecimalScale.mantissa(of: value, scale: scale)
    {
      columns.value.byte(UInt8(scale))
      columns.value.zigzag(mantissa)
      memory.scale = Int8(scale)
      memory.mantissa = mantissa
      return Mode.rescaled
    }
    columns.value.fixed(bits)
    if !isKnown { memory.scale = -1 }
    return Mode.raw
  }

  private mutating func growMemories(to index: Int) {
    guard index >= memories.count else { return }
    memories.append(contentsOf: repeatElement(Memory(), count: index + 1 - memories.count))
  }

  // MARK: - Decoding

  /// Reads a body written by `encode` with the same history into `batch` (which is emptied first).
  ///
  /// - Throws: when the bytes do not fit the layout; `batch` and the coder's state are then undefined
  ///   and `forget()` is due.
  mutating func decode(
    _ body: UnsafeRawBufferPointer, base: Timestamp, into batch: inout Batch
  ) throws {
    batch.removeAll()
    var head = ByteReader(body)
    var lengths: [Int] = []
    for _ in 0..<6 { lengths.append(try head.length()) }
    var shape = ByteReader(try head.slice(lengths[0]))
    var series = ByteReader(try head.slice(lengths[1]))
    var meta = ByteReader(try head.slice(lengths[2]))
    var time = ByteReader(try head.slice(lengths[3]))
    var value = ByteReader(try head.slice(lengths[4]))
    var items = ByteReader(try head.slice(lengths[5]))
    guard head.remaining == 0 else { throw ByteReader.Truncated() }
    let counts = try decodeShape(&shape, into: &batch)
    try decodeSamples(
      counts.samples, base: base.microseconds, series: &series, meta: &meta, time: &time,
      value: &value, into: &batch)
    for _ in 0..<counts.items { batch.items.append(try ItemCoder.decode(&items)) }
    guard
      series.remaining + meta.remaining + time.remaining + value.remaining + items.remaining == 0
    else { throw ByteReader.Truncated() }
  }

  private mutating func decodeShape(
    _ shape: inout ByteReader, into batch: inout Batch
  ) throws -> (samples: Int, items: Int) {
    var samples = 0
    var items = 0
    while shape.remaining > 0 {
      let head = try shape.varint()
      let packetID = head & 1 != 0 ? predictedPacketID : try shape.fixed(UInt16.self)
      guard head >> 2 <= UInt64(Self.samplesMax) else { throw ByteReader.Truncated() }
      samples += Int(head >> 2)
      if head & 2 != 0 {
        let count = try shape.varint()
        guard count <= UInt64(Self.samplesMax) else { throw ByteReader.Truncated() }
        items += Int(count)
      }
      guard samples <= Self.samplesMax else { throw ByteReader.Truncated() }
      lastPacketID = packetID
      batch.deliveries.append(Delivery(packetID: packetID, samplesEnd: samples, itemsEnd: items))
    }
    return (samples, items)
  }

  private mutating func decodeSamples(
    _ count: Int, base: Int64, series: inout ByteReader, meta: inout ByteReader,
    time: inout ByteReader, value: inout ByteReader, into batch: inout Batch
  ) throws {
    batch.samples.reserveCapacity(min(count, series.remaining))
    var previousTime = base
    var previousSeries: UInt32?
    for _ in 0..<count {
      let seriesCode = try series.varint()
      let index: UInt32
      if seriesCode == 0 {
        guard let predicted = predictedSeries(after: previousSeries) else {
          throw ByteReader.Truncated()
        }
        index = predicted
      } else {
        guard seriesCode <= UInt64(Self.samplesMax) else { throw ByteReader.Truncated() }
        index = UInt32(seriesCode - 1)
      }
      guard Int(index) < Self.samplesMax else { throw ByteReader.Truncated() }
      growMemories(to: Int(index))
      if let previousSeries { memories[Int(previousSeries)].successor = index + 1 }
      previousSeries = index

      var memory = memories[Int(index)]
      let isKnown = memory.generation == generation
      if !isKnown { memory = Memory(generation: generation) }

      let flags = try meta.byte()
      let bits = try decodeValue(&value, mode: flags & Mode.mask, memory: &memory, isKnown: isKnown)
      if flags & Flag.quality != 0 { memory.quality = try meta.byte() }

      let moment: Int64
      if flags & Flag.rawTime != 0 {
        moment = try time.fixed(Int64.self)
      } else {
        let code = try time.varint()
        if code == 0 {
          moment = previousTime
        } else {
          let guess = isKnown ? memory.time &+ memory.interval : previousTime
          let difference = ZigZag.decode((code - 1) >> 1)
          moment = guess &+ ((code - 1) & 1 == 0 ? difference &* 1_000 : difference)
        }
      }
      memory.interval = isKnown ? moment &- memory.time : 0
      memory.time = moment
      previousTime = moment
      memories[Int(index)] = memory
      batch.samples.append(
        Sample(
          series: index, time: Timestamp(microseconds: moment), bits: bits,
          quality: Quality(rawValue: memory.quality),
          isReceiveStamped: flags & Flag.receiveStamped != 0,
          isCurrentOnly: flags & Flag.currentOnly != 0))
    }
  }

  @inline(__always)
  private func decodeValue(
    _ value: inout ByteReader, mode: UInt8, memory: inout Memory, isKnown: Bool
  ) throws -> UInt64 {
    switch mode {
    case Mode.decimal:
      guard isKnown, memory.scale >= 0 else { throw ByteReader.Truncated() }
      memory.mantissa = memory.mantissa &+ (try value.zigzag())
      return DecimalScale.value(mantissa: memory.mantissa, scale: Int(memory.scale)).bitPattern
    case Mode.rescaled:
      let scale = try value.byte()
      guard scale <= UInt8(DecimalScale.scaleMax) else { throw ByteReader.Truncated() }
      memory.scale = Int8(scale)
      memory.mantissa = try value.zigzag()
      return DecimalScale.value(mantissa: memory.mantissa, scale: Int(scale)).bitPattern
    case Mode.raw:
      if !isKnown { memory.scale = -1 }
      return try value.fixed(UInt64.self)
    default:
      if !isKnown { memory.scale = -1 }
      return try value.varint()
    }
  }
}
