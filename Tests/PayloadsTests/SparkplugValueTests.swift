import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Payloads

@Suite("Sparkplug B: values")
struct SparkplugValueTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var datatype: UInt32
    var value: SparkplugPayload.Metric.OneOf_Value
    var expected: String
    var testDescription: String { "\(SparkplugDatatype.name(datatype)) \(expected)" }
  }

  static let cases: [Case] = [
    // Two's complement in unsigned fields, with the sign extended to 32 bits or not.
    Case(datatype: 1, value: .intValue(0xFF), expected: "x=-1"),
    Case(datatype: 1, value: .intValue(0xFFFF_FF80), expected: "x=-128"),
    Case(datatype: 2, value: .intValue(0x8000), expected: "x=-32768"),
    Case(datatype: 3, value: .intValue(0xFFFF_FFFF), expected: "x=-1"),
    Case(datatype: 4, value: .longValue(.max), expected: "x=-1"),
    Case(datatype: 4, value: .intValue(0xFFFF_FFFE), expected: "x=-2"),
    Case(datatype: 5, value: .intValue(255), expected: "x=255"),
    Case(datatype: 6, value: .intValue(65_535), expected: "x=65535"),
    Case(datatype: 7, value: .intValue(0xFFFF_FFFF), expected: "x=4294967295"),
    Case(datatype: 7, value: .longValue(0xFFFF_FFFF), expected: "x=4294967295"),
    Case(datatype: 8, value: .longValue(1 << 40), expected: "x=1099511627776"),
    Case(datatype: 9, value: .floatValue(21.3), expected: "x=21.3"),
    Case(datatype: 10, value: .doubleValue(0.1), expected: "x=0.1"),
    Case(datatype: 11, value: .booleanValue(true), expected: "x=true"),
    Case(datatype: 11, value: .intValue(0), expected: "x=false"),
    Case(datatype: 12, value: .stringValue("läuft"), expected: "x=läuft"),
    Case(datatype: 13, value: .longValue(1_486_144_502_122), expected: "x=1486144502122 ms"),
    Case(datatype: 14, value: .stringValue("text"), expected: "x=text"),
    Case(
      datatype: 15, value: .stringValue("0d2f8c6e-8a0f-4c33-9e3f-9a5c6f7b8d01"),
      expected: "x=0d2f8c6e-8a0f-4c33-9e3f-9a5c6f7b8d01"),
    Case(datatype: 16, value: .datasetValue(Data([1, 2, 3])), expected: "x=DataSet of 3"),
    Case(datatype: 17, value: .bytesValue(Data([1, 2])), expected: "x=Bytes of 2"),
    Case(datatype: 19, value: .templateValue(Data([1])), expected: "x=Template of 1"),
    Case(datatype: 24, value: .bytesValue(Data([0, 0, 0, 1])), expected: "x=Int32Array of 4"),
    // What does not have the form that its type says.
    Case(datatype: 3, value: .stringValue("5"), expected: "x:wrong_type"),
    Case(datatype: 12, value: .intValue(5), expected: "x:wrong_type"),
    Case(datatype: 11, value: .intValue(2), expected: "x:wrong_type"),
    Case(datatype: 10, value: .longValue(2), expected: "x:wrong_type"),
  ]

  @Test("Each data type is read from the field it rides in", arguments: cases)
  func datatypes(_ value: Case) {
    var edge = EdgeNode()
    edge.send("NBIRTH", seq: 0, [EdgeNode.metric("x", alias: 1, datatype: value.datatype)])
    let data = EdgeNode.metric(alias: 1, datatype: nil, value.value)
    #expect(edge.send("NDATA", seq: 1, [data]) == ["take \(value.expected)"])
  }

  @Test("A 32-bit float is the decimal that was meant, when it has at most six places")
  func decimals() {
    #expect(decimal(0.1) == 0.1)
    #expect(decimal(-21.35) == -21.35)
    #expect(decimal(3.141593) == 3.141593)
    #expect(decimal(16_777_216) == 16_777_216)
    #expect(decimal(.infinity) == .infinity)
    var random = SeededGenerator(seed: 5)
    for _ in 0..<10_000 {
      let float = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      guard float.isFinite else { continue }
      #expect(Float(decimal(float)) == float)
    }
  }

  @Test("Null has no value, transient is not stored, historical is a sample like any other")
  func flags() {
    var edge = EdgeNode.born()
    var null = EdgeNode.metric(alias: 2, datatype: nil)
    null.isNull = true
    var transient = EdgeNode.metric(alias: 2, datatype: nil, .doubleValue(9))
    transient.isTransient = true
    var historical = EdgeNode.metric(
      alias: 2, datatype: nil, .doubleValue(8), at: 1_700_000_000_000)
    historical.isHistorical = true
    #expect(
      edge.send("DDATA", device: "press", seq: 3, [null, transient, historical])
        == ["take pressure=8, pressure=null"])
    #expect(edge.readings.transient == 1)
    #expect(edge.readings.fields[0].time == Timestamp(microseconds: 1_700_000_000_000_000))
  }

  @Test("The property Quality says good (192), bad (0) or stale (500)")
  func quality() {
    for (code, text) in [(192, ""), (0, " bad"), (500, " uncertain (stale)")] as [(UInt32, String)]
    {
      var edge = EdgeNode.born()
      var metric = EdgeNode.metric(alias: 2, datatype: nil, .doubleValue(1))
      metric.properties.keys = ["Quality"]
      metric.properties.values = [
        .with {
          $0.type = 3
          $0.intValue = code
        }
      ]
      #expect(edge.send("DDATA", device: "press", seq: 3, [metric]) == ["take pressure=1\(text)"])
    }
  }

  @Test("Commands and session numbers are no measurements")
  func control() {
    var edge = EdgeNode()
    let birth = [
      EdgeNode.bdSeq(1),
      EdgeNode.metric("Node Control/Rebirth", datatype: 11, .booleanValue(false)),
      EdgeNode.metric("Node Control/Reboot", alias: 4, datatype: 11, .booleanValue(false)),
      EdgeNode.metric("x", datatype: 10, .doubleValue(1)),
    ]
    #expect(edge.send("NBIRTH", seq: 0, birth) == ["take x=1"])
  }

  @Test("A metric's own time counts before the message's, and without either it has none")
  func times() {
    var edge = EdgeNode.born()
    let own = EdgeNode.metric(alias: 2, datatype: nil, .doubleValue(1), at: 1_760_000_000_500)
    edge.send("DDATA", device: "press", seq: 3, [own])
    #expect(edge.readings.fields[0].time == Timestamp(microseconds: 1_760_000_000_500_000))
    edge.send("DDATA", device: "press", seq: 4, edge.pressure(1), at: nil)
    #expect(edge.readings.points[0].time == nil)
    edge.send("DDATA", device: "press", seq: 5, edge.pressure(1), at: .max)
    #expect(edge.readings.points[0].time == Timestamp(microseconds: .max))
  }

  @Test("Truncated and garbled payloads are refused with what is wrong")
  func malformed() throws {
    let whole: [UInt8] = try EdgeNode.payload(
      seq: 1, [EdgeNode.metric("pressure", .stringValue("läuft"))]
    ).serializedBytes()
    for count in 1..<whole.count {
      let part = Array(whole[..<count])
      // Cut between two fields it is a shorter message; everywhere else it is refused.
      do {
        _ = try part.withUnsafeBytes { try SparkplugPayload(reading: $0) }
      } catch {
        #expect((error as? PayloadError)?.code == "not_sparkplug")
      }
    }
    var garbled = whole
    garbled[garbled.firstIndex(of: 0xC3)!] = 0xFF
    #expect(throws: PayloadError.self) {
      _ = try garbled.withUnsafeBytes { try SparkplugPayload(reading: $0) }
    }
    #expect(throws: PayloadError.self) {
      _ = try [UInt8]().withUnsafeBytes { try SparkplugPayload(reading: $0) }
    }
  }

  @Test("Mutated messages end in readings or in a refusal, whatever came before")
  func fuzz() throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["MILLWRIGHT_FUZZ"].flatMap { Int($0) } ?? 20_000
    let seed = environment["MILLWRIGHT_SEED"].flatMap { UInt64($0) } ?? 20_261_121
    var generator = SeededGenerator(seed: seed)
    let goldens: [[UInt8]] = try SparkplugValueTests.cases.enumerated().map { index, value in
      try EdgeNode.payload(
        seq: UInt64(index),
        [
          EdgeNode.metric("x", alias: 1, datatype: value.datatype, value.value),
          EdgeNode.metric(alias: UInt64(index), datatype: nil, value.value), EdgeNode.bdSeq(3),
        ]
      ).serializedBytes()
    }
    let kinds = ["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH"]
    var edge = EdgeNode.born()
    var taken = 0
    for round in 0..<count {
      var bytes = goldens.randomElement(using: &generator)!
      for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.removeSubrange(place...)
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
        default: bytes.remove(at: place)
        }
      }
      guard
        let payload = try? bytes.withUnsafeBytes({ try SparkplugPayload(reading: $0) })
      else { continue }
      let kind = kinds.randomElement(using: &generator)!
      let device = ["press", "oven", "saw"].randomElement(using: &generator)!
      taken +=
        edge.send(
          kind, device: kind.hasPrefix("D") ? device : "", seq: payload.hasSeq ? payload.seq : nil,
          payload.metrics
        ).count
      if round % 50 == 0 { taken += edge.wait(seconds: 3).steps.count }
      if round % 997 == 0 {
        edge.commit()
        edge = edge.restarted()
      }
    }
    #expect(taken > count / 20, "seed \(seed): most of the fuzz was thrown away before the host")
    #expect(edge.host.heldCount <= edge.host.settings.heldMax)
  }
}
