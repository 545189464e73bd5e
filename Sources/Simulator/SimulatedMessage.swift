import Telemetry

/// One message of the simulated plant, as it goes to a broker.
public struct SimulatedMessage: Sendable, Hashable {
  public var time: Timestamp
  public var topic: String
  public var payload: [UInt8]
  public var qos: Int32
  public var isRetained: Bool

  public init(
    time: Timestamp, topic: String, payload: [UInt8], qos: Int32 = 1, isRetained: Bool = false
  ) {
    self.time = time
    self.topic = topic
    self.payload = payload
    self.qos = qos
    self.isRetained = isRetained
  }
}

/// Writes one flat or nested JSON object with numbers of a fixed number of decimals.
///
/// Numbers are written by whole-number arithmetic, so that the bytes do not depend on a library.
struct JSONWriter {
  private(set) var bytes: [UInt8] = [0x7B]
  private var isFirst = true

  /// The telemetry of a device begins with its time in milliseconds.
  init(time: Timestamp) {
    key("ts")
    bytes.append(contentsOf: String(time.microseconds / 1_000).utf8)
  }

  mutating func number(_ name: String, _ value: Double, decimals: Int) {
    key(name)
    bytes.append(contentsOf: Decimal.text(value, decimals: decimals).utf8)
  }

  mutating func count(_ name: String, _ value: UInt64) {
    key(name)
    bytes.append(contentsOf: String(value).utf8)
  }

  /// `value` holds neither quotes nor backslashes: the plant's words are its own.
  mutating func word(_ name: String, _ value: String) {
    key(name)
    bytes.append(0x22)
    bytes.append(contentsOf: value.utf8)
    bytes.append(0x22)
  }

  mutating func flag(_ name: String, _ value: Bool) {
    key(name)
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
  }

  mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
    key(name)
    bytes.append(0x7B)
    isFirst = true
    body(&self)
    bytes.append(0x7D)
    isFirst = false
  }

  /// The whole object.
  consuming func finished() -> [UInt8] {
    bytes.append(0x7D)
    return bytes
  }

  private mutating func key(_ name: String) {
    if !isFirst { bytes.append(0x2C) }
    isFirst = false
    bytes.append(0x22)
    bytes.append(contentsOf: name.utf8)
    bytes.append(0x22)
    bytes.append(0x3A)
  }
}

/// Decimal numbers of a few digits, rounded half away from zero.
enum Decimal {
  private static let scales: [Double] = [1, 10, 100, 1_000, 10_000]

  /// The value as it will be read back from a payload.
  static func rounded(_ value: Double, decimals: Int) -> Double {
    (value * scales[decimals]).rounded() / scales[decimals]
  }

  /// `-0.5` with two decimals is `-0.5`: trailing zeros are left out.
  static func text(_ value: Double, decimals: Int) -> String {
    let scaled = Int64((value * scales[decimals]).rounded())
    let scale = Int64(scales[decimals])
    let (whole, rest) = scaled.magnitude.quotientAndRemainder(dividingBy: scale.magnitude)
    var text = scaled < 0 ? "-\(whole)" : "\(whole)"
    guard rest > 0 else { return text }
    var digits = String(rest)
    while digits.utf8.count < decimals { digits = "0" + digits }
    while digits.last == "0" { digits.removeLast() }
    text += "." + digits
    return text
  }
}
