import Payloads
import Telemetry
import Testing

@Suite("SenML")
struct SenMLTests {
  private func outcome(
    _ bytes: [UInt8], _ format: PayloadFormat
  ) -> (readings: Readings, error: PayloadError?) {
    var readings = Readings()
    let error = bytes.withUnsafeBytes { payload -> PayloadError? in
      do throws(PayloadError) {
        try PayloadDecoder(format: format).decode(payload, into: &readings)
        return nil
      } catch {
        return error
      }
    }
    return (readings, error)
  }

  @Test(
    "Nesting and lengths that no payload can hold are refused at their byte",
    arguments: [
      ([UInt8](repeating: 0x81, count: 1 << 20), "too_deep", 33),
      ([UInt8](repeating: 0xC1, count: 1 << 20), "too_deep", 33),
      ([UInt8](repeating: 0x9F, count: 1 << 20), "too_deep", 33),
      ([0x9B, 0x10, 0, 0, 0, 0, 0, 0, 0], "not_cbor", 0),
      ([0x81, 0xA1, 0x00, 0x7B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "not_cbor", 3),
      ([0x81, 0xA1, 0x00, 0x7F, 0x61], "not_cbor", 4), ([0x81], "not_cbor", 0),
      ([0x9F], "not_cbor", 1), ([0x98], "not_cbor", 0),
    ] as [([UInt8], String, Int)])
  func bombs(_ bytes: [UInt8], _ code: String, _ offset: Int) {
    let error = outcome(bytes, .senmlCBOR).error
    #expect(error?.code == code)
    #expect(error?.offset == offset)
  }

  @Test("A megabyte of JSON nested a thousand deep is refused where it gets too deep")
  func nested() {
    let nested = String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000)
    let filler = Array(repeating: nested, count: 524).joined(separator: ",")
    let error = outcome(Array("[{\"n\":\"m/a\",\"v\":1,\"x\":[\(filler)]}]".utf8), .senml).error
    #expect(error?.code == "too_deep")
  }

  @Test("Long names that sums repeat stay within the bound of the made texts")
  func repeatedNames() {
    let name = String(repeating: "m", count: 1_000)
    let records = Array(repeating: "{\"s\":1}", count: 50_000).joined(separator: ",")
    let (readings, error) = outcome(
      Array("[{\"bn\":\"\(name)\"},\(records)]".utf8), .senml)
    #expect(error == nil)
    #expect(readings.fields.count == 50_000)
    #expect(readings.scratch.count <= 64 << 20)
  }

  @Test("A pack of a hundred thousand records is read and one more record is too many")
  func records() {
    func pack(_ count: Int) -> [UInt8] {
      Array(
        "[\(Array(repeating: "{\"n\":\"m/a\",\"v\":1}", count: count).joined(separator: ","))]".utf8
      )
    }
    #expect(outcome(pack(100_000), .senml).error == nil)
    #expect(outcome(pack(100_001), .senml).error?.code == "too_many_fields")
  }

  @Test("JSON and CBOR of the same records give the same readings")
  func sameReadings() throws {
    let json = try #require(GoldenCase.named("senml/rfc8428-5.1.2-times"))
    let cbor = try #require(GoldenCase.named("senml_cbor/rfc8428-6-example"))
    #expect(
      render(try json.decoder(), try json.input()) == render(try cbor.decoder(), try cbor.input()))
  }

  @Test("Every decimal fraction of three digits is the nearest double")
  func decimalFractions() throws {
    for mantissa in 0..<10_000 {
      let bytes: [UInt8] = [
        0x81, 0xA2, 0x00, 0x61, 0x61, 0x02, 0xC4, 0x82, 0x22, 0x19, UInt8(mantissa >> 8),
        UInt8(mantissa & 255),
      ]
      let (readings, _) = outcome(bytes, .senmlCBOR)
      let literal = try #require(Double("\(mantissa)e-3"))
      #expect(readings.fields.first?.value == .number(literal))
    }
  }

  @Test(
    "SenML is told from other JSON by its first record",
    arguments: [
      ("[{\"n\":\"a\",\"v\":1}]", PayloadFormat.senml),
      (" [ {\"bn\":\"a/\"},{\"n\":\"b\",\"v\":1}]", .senml),
      ("[{\"bt\":1700000000,\"bver\":10},{\"n\":\"b\",\"v\":1}]", .senml),
      ("[{\"bn\":\"a\",\"vd\":\"\"}]", .senml), ("[{\"n\":\"a\",\"s\":1}]", .senml),
      ("[{\"v\":1,\"t\":2,\"u\":\"Cel\"}]", .json), ("[{\"n\":\"a\"}]", .json),
      ("[{\"n\":1,\"v\":1}]", .json), ("{\"n\":\"a\",\"v\":1}", .json), ("[]", .json),
      ("[{\"n\":\"a\",\"v\":\"1\"}]", .json), ("[{\"n\":\"a\",\"v\":1,\"x\":2}]", .json),
      ("[{\"bn\":\"a\",\"v\":1", .json), ("[{\"a\":{\"n\":\"x\",\"v\":1}}]", .json), ("[1]", .json),
    ])
  func sniff(_ text: String, _ format: PayloadFormat) {
    Array(text.utf8).withUnsafeBytes { #expect(PayloadFormat.sniff($0) == format) }
  }

  @Test("CBOR is SenML when its first map begins with one of SenML's labels")
  func sniffCBOR() throws {
    for name in ["rfc8428-6-example", "self-described", "indefinite", "types"] {
      let golden = try #require(GoldenCase.named("senml_cbor/\(name)"))
      try golden.input().withUnsafeBytes { #expect(PayloadFormat.sniff($0) == .senmlCBOR) }
    }
    for bytes in [[0x81, 0xA1, 0x09, 0x01], [0x81, 0x01], [0xA1, 0x00, 0x01], [0x80], [0xFF]] {
      bytes.map { UInt8($0) }.withUnsafeBytes { #expect(PayloadFormat.sniff($0) == .scalar) }
    }
  }

  @Test("The content types of SenML and of its streams name the format, which names one again")
  func contentTypes() {
    for (type, format) in [
      ("application/senml+json", PayloadFormat.senml), ("application/sensml+json", .senml),
      ("Application/SenML+CBOR; x=1", .senmlCBOR), ("application/sensml+cbor", .senmlCBOR),
    ] {
      #expect(PayloadFormat(contentType: type) == format)
      #expect(PayloadFormat(contentType: format.contentType()) == format)
    }
  }
}

extension GoldenCase {
  /// By `format/case`.
  static func named(_ name: String) -> GoldenCase? { all.first { $0.testDescription == name } }
}
