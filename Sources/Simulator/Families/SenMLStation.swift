import Telemetry

/// A climate station that sends a pack of three readings of each quantity every half minute.
///
/// SenML as in RFC 8428: base name, base time, times relative to it. The third station sends CBOR.
struct SenMLStation: Sendable {
  private let number: Int
  private var random: RandomSource
  private var interval = Interval(seconds: 30)
  private var temperature: Double
  private let isCBOR: Bool

  init(number: Int, seed: UInt64) {
    self.number = number
    isCBOR = number == 3
    random = RandomSource(seed: seed, name: "senml\(number)")
    temperature = 20 + Double(number)
  }

  mutating func messages(at time: Timestamp, ambient: Double) -> [SimulatedMessage] {
    guard interval.isDue(at: time) else { return [] }
    var records: [(name: String, unit: String, value: Double, offset: Int)] = []
    for offset in [-20, -10, 0] {
      temperature += (ambient - temperature) * 0.1 + 0.05 * random.noise()
      records.append(("temperature", "Cel", Decimal.rounded(temperature, decimals: 2), offset))
      let humidity = 45 - 1.4 * (temperature - 21) + 0.4 * random.noise()
      records.append(("humidity", "%RH", Decimal.rounded(humidity, decimals: 1), offset))
    }
    let name = "urn:dev:mac:0024befffe80000\(number)/"
    let seconds = time.microseconds / 1_000_000
    let payload =
      isCBOR
      ? cbor(name, seconds, records)
      : json(name, seconds, records)
    return [SimulatedMessage(time: time, topic: "senml/hall/\(number)", payload: payload)]
  }

  private func json(
    _ name: String, _ seconds: Int64,
    _ records: [(name: String, unit: String, value: Double, offset: Int)]
  ) -> [UInt8] {
    var parts: [String] = []
    for (index, record) in records.enumerated() {
      let base = index == 0 ? "\"bn\":\"\(name)\",\"bt\":\(seconds)," : ""
      parts.append(
        "{\(base)\"n\":\"\(record.name)\",\"u\":\"\(record.unit)\","
          + "\"t\":\(record.offset),\"v\":\(Decimal.text(record.value, decimals: 2))}")
    }
    return Array("[\(parts.joined(separator: ","))]".utf8)
  }

  /// Labels of RFC 8428 section 6: bn −2, bt −3, n 0, u 1, v 2, t 6.
  private func cbor(
    _ name: String, _ seconds: Int64,
    _ records: [(name: String, unit: String, value: Double, offset: Int)]
  ) -> [UInt8] {
    var writer = CBORWriter()
    writer.head(4, UInt64(records.count))
    for (index, record) in records.enumerated() {
      writer.head(5, index == 0 ? 6 : 4)
      if index == 0 {
        writer.integer(-2)
        writer.text(name)
        writer.integer(-3)
        writer.integer(seconds)
      }
      writer.integer(0)
      writer.text(record.name)
      writer.integer(1)
      writer.text(record.unit)
      writer.integer(6)
      writer.integer(Int64(record.offset))
      writer.integer(2)
      writer.double(record.value)
    }
    return writer.bytes
  }
}

/// The few forms of CBOR (RFC 8949) that a pack needs.
struct CBORWriter {
  private(set) var bytes: [UInt8] = []

  /// Major type and its argument.
  mutating func head(_ major: UInt8, _ argument: UInt64) {
    switch argument {
    case ..<24: bytes.append(major << 5 | UInt8(argument))
    case ..<0x100: bytes += [major << 5 | 24, UInt8(argument)]
    case ..<0x1_0000:
      bytes.append(major << 5 | 25)
      append(UInt16(argument))
    case ..<0x1_0000_0000:
      bytes.append(major << 5 | 26)
      append(UInt32(argument))
    default:
      bytes.append(major << 5 | 27)
      append(argument)
    }
  }

  mutating func integer(_ value: Int64) {
    head(value < 0 ? 1 : 0, UInt64(value < 0 ? -(value + 1) : value))
  }

  mutating func text(_ value: String) {
    head(3, UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func double(_ value: Double) {
    bytes.append(0xFB)
    append(value.bitPattern)
  }

  private mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
}
