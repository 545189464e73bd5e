import Storage
import Telemetry
import TestSupport
import Testing

@Suite struct ChunksCodecTests {
  /// One column set of a random shape.
  static func columns(_ random: inout SeededGenerator, type: ValueType, ordered: Bool) -> ChunkColumns {
    var columns = ChunkColumns()
    let count = [1, 2, 3, 17, 200, 1_500][random.below(6)]
    let valueShape = random.below(9)
    let timeShape = random.below(ordered ? 4 : 6)
    let rareQuality = random.below(2) == 0
    var time: Int64 = 1_763_712_000_000_000
    var walk = 20.0
    for index in 0..<count {
      switch timeShape {
      case 0: time += 1_000_000
      case 1: time += 1_000_000 + Int64(random.below(21) - 10) * 1_000
      case 2: time += Int64(1 + random.below(5_000_000))
      case 3: time += random.below(50) == 0 ? 3_600_000_000 : 10_000
      case 4: time &-= Int64(random.below(3)) * 1_000
      default: time = Int64(bitPattern: random.next())
      }
      walk += 0.05 * random.normal()
      let number: Double
      switch valueShape {
      case 0: number = (walk * 100).rounded() / 100
      case 1: number = 21.5
      case 2: number = walk
      case 3: number = Double(bitPattern: random.next())
      case 4:
        number =
          [
            -0.0, 0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude,
            Double(bitPattern: 77_777),
          ][random.below(7)]
      case 5: number = Double(1 << 53) * Double(1 + random.below(1_000))
      case 6: number = Double(Float(walk))
      case 7: number = random.below(40) == 0 ? Double(nan: 5, signaling: false) : Double(index) / 8
      default: number = random.below(2) == 0 ? 0.001 * Double(random.below(99)) : 1e9
      }
      let bits: UInt64
      switch type {
      case .number: bits = number.bitPattern
      case .boolean: bits = UInt64(random.below(2))
      case .text:
        bits =
          valueShape < 5 ? [7, 100_000, 12][random.below(3)] : random.next() >> UInt64(valueShape)
      }
      let quality = rareQuality && random.below(30) != 0 ? 0 : UInt8(random.below(256))
      columns.append(time: time, bits: bits, quality: quality)
    }
    return columns
  }

  @Test("Every shape of samples comes back exactly", arguments: ValueType.allCases)
  func roundTrip(type: ValueType) throws {
    let encoder = ChunkEncoder()
    let decoder = ChunkDecoder()
    var back = ChunkColumns()
    for seed in 0..<UInt64(600 * fuzzFactor) {
      var random = SeededGenerator(seed: seed)
      let columns = Self.columns(&random, type: type, ordered: false)
      try decoder.decode(encoder.encode(columns, type: type), into: &back)
      #expect(back == columns, "seed \(seed)")
    }
  }

  @Test("Some values with more places than the others do not make a chunk of states large")
  func finerMinority() throws {
    var columns = ChunkColumns()
    for index in 0..<60_000 {
      let value = index < 1_500 ? 41.94 : Double(index / 1_000 % 5)
      columns.append(time: Int64(index) * 1_000_000, bits: value.bitPattern, quality: 0)
    }
    let bytes = ChunkCodec.encode(columns, type: .number)
    #expect(bytes.count < 600)
    var back = ChunkColumns()
    try ChunkDecoder().decode(bytes, into: &back)
    #expect((back == columns) == true)
  }

  @Test("An empty chunk is empty again")
  func empty() throws {
    var back = ChunkColumns(times: [1], bits: [1], qualities: [1])
    try ChunkDecoder().decode(ChunkCodec.encode(ChunkColumns(), type: .number), into: &back)
    #expect(back.isEmpty)
  }

  @Test("Every flipped bit and every cut is an error")
  func damage() {
    let decoder = ChunkDecoder()
    var back = ChunkColumns()
    for seed in 0..<UInt64(4 * fuzzFactor) {
      var random = SeededGenerator(seed: seed)
      var columns = Self.columns(&random, type: .number, ordered: true)
      if columns.count > 300 { columns = Self.columns(&random, type: .text, ordered: true) }
      let bytes = ChunkCodec.encode(columns, type: .number)
      for bit in 0..<min(bytes.count * 8, 4_000) {
        var damaged = bytes
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(throws: ChunkError.self) { try decoder.decode(damaged, into: &back) }
      }
      for length in 0..<min(bytes.count, 500) {
        #expect(throws: ChunkError.self) {
          try decoder.decode(Array(bytes[..<length]), into: &back)
        }
      }
    }
  }

  @Test("Content damaged under a valid checksum is an error or another chunk, never a crash")
  func damageUnderChecksum() {
    let decoder = ChunkDecoder()
    var back = ChunkColumns()
    for seed in 0..<UInt64(60 * fuzzFactor) {
      var random = SeededGenerator(seed: seed)
      let columns = Self.columns(&random, type: .number, ordered: true)
      let bytes = ChunkCodec.encode(columns, type: .number)
      for _ in 0..<60 {
        var damaged = Array(bytes.dropLast(4))
        for _ in 0...random.below(3) {
          damaged[1 + random.below(damaged.count - 1)] = UInt8(random.below(256))
        }
        let hash = Hash64.hash(damaged, seed: 0x6D69_6C6C_6368_6E6B)
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: hash).littleEndian) { damaged += $0 }
        try? decoder.decode(damaged, into: &back)
        #expect(back.count <= ChunkCodec.countMax)
      }
    }
  }

  @Test("An open chunk holds what a plain array holds", arguments: ValueType.allCases)
  func openChunk(type: ValueType) {
    var back = ChunkColumns()
    var chunk = OpenChunk(type: type)
    for seed in 0..<UInt64(600 * fuzzFactor) {
      var random = SeededGenerator(seed: seed)
      let columns = Self.columns(&random, type: type, ordered: true)
      for index in 0..<columns.count {
        chunk.append(
          time: columns.times[index], bits: columns.bits[index], quality: columns.qualities[index])
      }
      chunk.decode(into: &back)
      #expect(back == columns, "seed \(seed)")
      #expect(chunk.count == columns.count && chunk.lastBits == columns.bits.last)
      #expect(chunk.firstTime == columns.times.first && chunk.lastTime == columns.times.last)
      chunk.removeAll()
    }
  }
}
