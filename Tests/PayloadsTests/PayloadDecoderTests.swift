import Payloads
import Telemetry
import TestSupport
import Testing

@Suite("Numbers in payloads")
struct NumberTests {
  private func number(_ text: String, _ readings: inout Readings) throws -> Double? {
    let bytes = Array("{\"a\":\(text)}".utf8)
    try bytes.withUnsafeBytes {
      try PayloadDecoder(format: .json).decode($0, into: &readings)
    }
    guard case .number(let number)? = readings.fields.first?.value else { return nil }
    return number
  }

  @Test("Any double that Swift prints comes back bit for bit")
  func roundTrip() throws {
    let seed: UInt64 = 7
    var generator = SeededGenerator(seed: seed)
    var readings = Readings()
    for round in 0..<200_000 {
      let wanted =
        round % 2 == 0
        ? Double(bitPattern: generator.next()) : Double.random(in: -1e4...1e4, using: &generator)
      guard wanted.isFinite else { continue }
      let actual = try number("\(wanted)", &readings)
      guard actual?.bitPattern == wanted.bitPattern else {
        Issue.record("seed \(seed): \(wanted) came back as \(String(describing: actual))")
        return
      }
    }
  }

  @Test(
    "Decimals of any length are rounded as the standard library rounds them")
  func decimals() throws {
    var generator = SeededGenerator(seed: 11)
    var readings = Readings()
    for _ in 0..<50_000 {
      let digits = (0..<Int.random(in: 1...24, using: &generator)).map { _ in
        String(Int.random(in: 0...9, using: &generator))
      }
      let text =
        "-1\(digits.joined()).\(digits.reversed().joined())e"
        + "\(Int.random(in: -30...30, using: &generator))"
      #expect(try number(text, &readings) == Double(text))
    }
  }

  @Test("Halfway cases go to the even neighbour")
  func halfway() throws {
    var readings = Readings()
    #expect(try number("9007199254740993", &readings) == 9_007_199_254_740_992)
    #expect(try number("9007199254740995", &readings) == 9_007_199_254_740_996)
    #expect(try number("900719925474099.25", &readings) == 900_719_925_474_099.25)
    #expect(try number("5e-324", &readings) == .leastNonzeroMagnitude)
    #expect(try number("1.7976931348623157e308", &readings) == .greatestFiniteMagnitude)
    #expect(try number("-0.0", &readings)?.sign == .minus)
  }
}

@Suite("Limits and guesses")
struct PayloadDecoderTests {
  private func code(
    _ text: String, _ format: PayloadFormat = .json, limits: PayloadLimits = PayloadLimits()
  ) -> String {
    var decoder = PayloadDecoder(format: format)
    decoder.limits = limits
    var readings = Readings()
    do throws(PayloadError) {
      var text = text
      let result = text.withUTF8 { bytes -> Result<Void, PayloadError> in
        do throws(PayloadError) {
          try decoder.decode(UnsafeRawBufferPointer(bytes), into: &readings)
          return .success(())
        } catch { return .failure(error) }
      }
      try result.get()
      return readings.refusals.first?.code ?? "read"
    } catch {
      return error.code
    }
  }

  @Test("Containers nest 32 deep and no deeper")
  func nesting() {
    func nested(_ depth: Int) -> String {
      String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
    }
    #expect(code(nested(32)) == "read")
    #expect(code(nested(33)) == "too_deep")
    #expect(code("{\"a\":" + String(repeating: "[", count: 100_000)) == "too_deep")
  }

  @Test(
    "A hundred thousand metrics are read and one more is too many",
    arguments: [
      (PayloadFormat.json, "{", "\"a\":1", ",", "}"), (.line, "m ", "a=1", ",", ""),
      (.line, "", "m a=1", "\n", ""),
    ])
  func fields(_ shape: (PayloadFormat, String, String, String, String)) {
    let (format, head, field, separator, tail) = shape
    func text(_ count: Int) -> String {
      head + Array(repeating: field, count: count).joined(separator: separator) + tail
    }
    #expect(code(text(100_000), format) == "read")
    #expect(code(text(100_001), format) == "too_many_fields")
  }

  @Test("Refusals stop being listed at their limit")
  func refusals() {
    let text = "[" + Array(repeating: "1", count: 1_000).joined(separator: ",") + ",{\"a\":1}]"
    var readings = Readings()
    Array(text.utf8).withUnsafeBytes {
      try? PayloadDecoder(format: .json).decode($0, into: &readings)
    }
    #expect(readings.refusals.count == 100)
    #expect(readings.points.count == 1)
  }

  @Test("Names beyond their limit are refused, and empty containers leave no names behind")
  func names() {
    let long = String(repeating: "n", count: 2_000)
    #expect(code("{\"\(long)\":1,\"a\":2}") == "name_too_long")
    let key = String(repeating: "k", count: 1_000)
    let empty = Array(repeating: "\"b\":{}", count: 5_000).joined(separator: ",")
    var readings = Readings()
    Array("{\"a\":1,\"\(key)\":{\(empty)}}".utf8).withUnsafeBytes {
      try? PayloadDecoder(format: .json).decode($0, into: &readings)
    }
    #expect(readings.fields.count == 1)
    #expect(readings.scratch.count < 10_000)
  }

  @Test("A malformed byte is found at every place of a text of every length")
  func malformedTexts() {
    var readings = Readings()
    for length in 1...40 {
      for place in 0..<length {
        for (byte, isRead) in [(UInt8(0xFF), false), (0xC3, false), (0x41, true)] {
          var text = [UInt8](repeating: 0x61, count: length)
          text[place] = byte
          Array("{\"a\":\"".utf8 + text + Array("\",\"b\":1}".utf8)).withUnsafeBytes {
            try? PayloadDecoder(format: .json).decode($0, into: &readings)
          }
          #expect(readings.fields.count == (isRead ? 2 : 1))
          #expect(readings.refusals.map(\.code) == (isRead ? [] : ["bad_utf8"]))
        }
      }
    }
  }

  @Test("Quotes, backslashes and control characters end the fast part of a text at every place")
  func stops() {
    for length in 0...24 {
      let text =
        String(repeating: "é", count: length / 2) + String(repeating: "b", count: length % 2)
      #expect(code("{\"a\":\"\(text)\\n\"}") == "read")
      #expect(code("{\"a\":\"\(text)\n\"}") == "not_json")
      #expect(code("{\"a\":\"\(text)\"}") == "read")
      #expect(code("{\"a\":\"\(text)\"x}") == "not_json")
    }
  }

  @Test("An empty payload and one beyond the byte limit are errors of their own")
  func sizes() {
    var limits = PayloadLimits()
    limits.payloadBytesMax = 8
    for format in PayloadFormat.allCases {
      #expect(code("", format) == "empty")
      #expect(code("{\"a\":100}", format, limits: limits) == "too_large")
    }
  }

  @Test("The precision of line protocol scales its timestamps and refuses what does not fit")
  func precision() throws {
    for (name, text) in [
      ("ns", "1500000000000"), ("us", "1500000000"), ("ms", "1500000"), ("s", "1500"),
    ] {
      let precision = try #require(TimePrecision(name: name))
      var readings = Readings()
      try Array("m value=1 \(text)".utf8).withUnsafeBytes {
        try PayloadDecoder(format: .line, linePrecision: precision).decode($0, into: &readings)
      }
      #expect(readings.points.first?.time == Timestamp(microseconds: 1_500_000_000))
    }
    #expect(TimePrecision(name: "h") == nil)
    #expect(code("m value=1 99999999999999999999", .line) == "bad_timestamp")
  }

  @Test(
    "The first bytes tell the format",
    arguments: [
      ("{\"a\":1}", PayloadFormat.json), ("  \u{FEFF}[1]", .scalar),
      ("\u{FEFF} [{\"a\":1}]", .json),
      ("{\"metrics\":{},\"device_id\":\"x\"}", .device), ("{\"device_id\":\"x\"}", .json),
      ("cpu,host=a usage=1 1", .line), ("# note\nm v=1i", .line), ("m\\ n v=1", .line),
      ("state changed to=5", .scalar), ("a=1", .scalar), ("21.5 °C", .scalar), ("", .scalar),
      ("m v= 1", .scalar), ("ON", .scalar),
    ])
  func sniff(_ text: String, _ format: PayloadFormat) {
    Array(text.utf8).withUnsafeBytes { #expect(PayloadFormat.sniff($0) == format) }
  }
}
