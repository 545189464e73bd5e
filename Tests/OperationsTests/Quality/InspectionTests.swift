import Operations
import Telemetry
import TestSupport
import Testing

@Suite struct InspectionTests {
  static let bore = Characteristic(
    id: "bore", device: "mill1", unit: Unit("mm"),
    limits: SpecificationLimits(lower: 11.9, upper: 12.1) ?? .none,
    chart: ChartSettings(.xbarR, baseline: .declared(ChartParameters(center: 12, sigma: 0.01))),
    subgrouping: .size(3))
  static let paint = Characteristic(
    id: "paint", chart: ChartSettings(.p, baseline: .declared(ChartParameters(center: 0.02))),
    subgrouping: .each)

  private func event(_ properties: String, name: String = "InspectionResult") -> Event {
    Event(
      id: "e", name: name, time: ControlChartTests.moment(1), device: "gauge1",
      properties: properties)
  }

  private func result(_ properties: String) throws -> InspectionResult {
    try #require(
      try InspectionResult(event(properties), characteristics: [Self.bore, Self.paint]))
  }

  @Test("Measured values come in the unit of the characteristic")
  func measured() throws {
    let cm = try result(#"{"characteristic": "bore", "value": 1.25, "unit": "cm", "order": "4711"}"#)
    #expect(cm.finding == .measured([12.5]))
    #expect(cm.order == "4711" && cm.device == "gauge1" && cm.time == ControlChartTests.moment(1))
    let plain = try result(#"{"characteristic": "bore", "values": [12.01, 11.99], "part": "p1"}"#)
    #expect(plain.finding == .measured([12.01, 11.99]) && plain.part == "p1")
  }

  @Test("Counts come by the unit or by the sample, with codes of defects")
  func attributes() throws {
    let unit = try result(
      #"{"characteristic": "paint", "result": "fail", "defects": {"scratch": 2, "dent": 0}}"#)
    #expect(
      unit.finding
        == .attributes(
          inspected: 1, defective: 1, defects: [DefectCount(code: "scratch", count: 2)]))
    let sample = try result(
      #"{"characteristic": "paint", "inspected": 80, "defective": 3, "lot": "L", "lot_size": 1000}"#)
    #expect(sample.finding == .attributes(inspected: 80, defective: 3, defects: []))
    #expect(sample.lot == "L" && sample.lotSize == 1_000)
  }

  @Test("An event of another name is not an inspection")
  func otherEvents() throws {
    #expect(
      try InspectionResult(event("{}", name: "PageView"), characteristics: [Self.bore]) == nil)
  }

  @Test(
    "A result that does not fit names its field",
    arguments: [
      ("[", "properties"), ("{}", "characteristic"), (#"{"characteristic": "bor"}"#, "characteristic"),
      (#"{"characteristic": "bore"}"#, "value"),
      (#"{"characteristic": "bore", "value": "12"}"#, "value"),
      (#"{"characteristic": "bore", "value": 1, "values": [1]}"#, "values"),
      (#"{"characteristic": "bore", "values": []}"#, "values"),
      (#"{"characteristic": "bore", "values": [1, null]}"#, "values[1]"),
      (#"{"characteristic": "bore", "value": 1, "unit": "kg"}"#, "unit"),
      (#"{"characteristic": "bore", "value": 1, "unit": "millimeterss"}"#, "unit"),
      (#"{"characteristic": "bore", "value": 1, "order": 7}"#, "order"),
      (#"{"characteristic": "paint", "result": "ok"}"#, "result"),
      (#"{"characteristic": "paint"}"#, "result"),
      (#"{"characteristic": "paint", "inspected": 0, "defective": 0}"#, "inspected"),
      (#"{"characteristic": "paint", "inspected": 5}"#, "defective"),
      (#"{"characteristic": "paint", "inspected": 5, "defective": 6}"#, "defective"),
      (#"{"characteristic": "paint", "inspected": 5, "defective": 1.5}"#, "defective"),
      (#"{"characteristic": "paint", "result": "pass", "defects": {"a": 1}}"#, "defects"),
      (#"{"characteristic": "paint", "result": "fail", "defects": {"a": -1}}"#, "defects.a"),
      (#"{"characteristic": "paint", "inspected": 5, "defective": 1, "lot_size": "many"}"#, "lot_size"),
    ])
  func refused(properties: String, field: String) throws {
    let refusal = #expect(throws: InspectionRefusal.self) {
      try InspectionResult(event(properties), characteristics: [Self.bore, Self.paint])
    }
    #expect(refusal?.field == field)
    #expect(refusal?.description.hasPrefix("InspectionResult, `\(field)`: ") == true)
  }

  @Test("A near name is suggested")
  func suggestion() {
    let refusal = #expect(throws: InspectionRefusal.self) {
      try InspectionResult(
        event(#"{"characteristic": "bor"}"#), characteristics: [Self.bore, Self.paint])
    }
    #expect(refusal?.reason.contains("did you mean `bore`?") == true)
  }

  @Test("Subgroups are closed by size, by the next order and by the next stretch of time")
  func subgroups() {
    func moment(_ seconds: Int) -> Timestamp {
      Timestamp(microseconds: 1_795_248_000_000_000 + Int64(seconds) * 1_000_000)
    }
    var bySize = SubgroupBuilder(.size(2), sizeMax: 25)
    #expect(bySize.observe([1, 2, 3], at: moment(0)).map(\.size) == [2])
    #expect(bySize.observe(4, at: moment(1)).map(\.value) == [3.5])
    var byOrder = SubgroupBuilder(.order(max: 3), sizeMax: 25)
    #expect(byOrder.observe([1, 2], at: moment(0), order: "a").isEmpty)
    #expect(byOrder.observe(5, at: moment(1), order: "b").map(\.size) == [2])
    #expect(byOrder.observe([5, 5], at: moment(2), order: "b").map(\.size) == [3])
    var byTime = SubgroupBuilder(.time(microseconds: 60_000_000), sizeMax: 25)
    #expect(byTime.observe(1, at: moment(1)).isEmpty && byTime.observe(3, at: moment(59)).isEmpty)
    #expect(byTime.tick(moment(59)).isEmpty)
    #expect(byTime.tick(moment(60)).map(\.value) == [2])
    #expect(byTime.observe(7, at: moment(61)).isEmpty)
    #expect(byTime.observe(9, at: moment(121)).map(\.value) == [7])
    var counted = SubgroupBuilder(.size(50), sizeMax: 1_000)
    #expect(counted.observe(count: 1, inspected: 30, at: moment(0)).isEmpty)
    let closed = counted.observe(count: 2, inspected: 20, at: moment(1))
    #expect(closed.map(\.size) == [50] && closed.map(\.value) == [3])
  }

  @Test("A stream of results, saved and restored at each, finds what the chart of all finds")
  func stream() throws {
    var random = SeededGenerator(seed: 3)
    var stream = CharacteristicStream(Self.bore)
    var found: [OutOfControl] = []
    var values: [Double] = []
    for index in 0..<200 {
      let value = 12 + Double.random(in: -0.015...0.015, using: &random) + (index > 120 ? 0.02 : 0)
      values.append(value)
      let result = try InspectionResult(
        Event(
          id: "\(index)", name: "InspectionResult", time: ControlChartTests.moment(index),
          properties: #"{"characteristic": "bore", "value": \#(value), "unit": "mm"}"#),
        characteristics: [Self.bore])
      found += try stream.observe(try #require(result))
      var writer = ByteWriter()
      stream.encode(into: &writer)
      var reader = ByteReader(writer.bytes)
      stream = try #require(try CharacteristicStream(Self.bore, from: &reader))
    }
    let groups = stride(from: 0, to: 198, by: 3).map {
      Subgroup(time: ControlChartTests.moment($0 + 2), values: Array(values[$0..<$0 + 3]))
    }
    let chart = ControlChart(id: "bore", settings: Self.bore.chart, subgroups: groups)
    #expect(found == chart.findings)
    #expect(found.contains { $0.cause == .rule(.nelson2) && $0.side == .upper })
    var other = Self.bore
    other.chart.rules = .westernElectric
    var writer = ByteWriter()
    stream.encode(into: &writer)
    var reader = ByteReader(writer.bytes)
    #expect(try CharacteristicStream(other, from: &reader) == nil)
  }

  @Test("A finding says what, where and against which limits, in words and in JSON")
  func words() throws {
    var stream = CharacteristicStream(Self.bore)
    var found: [OutOfControl] = []
    for value in [12.0, 12.01, 11.99, 12.05, 12.04, 12.06] {
      found += try stream.observe(value, at: ControlChartTests.moment(0))
    }
    let finding = try #require(found.first)
    #expect(
      finding.sentence
        == "bore: One point is more than 3σ above the centre line. Last value 12.05, centre 12,"
        + " lower limit 11.9827, upper limit 12.0173.")
    #expect(finding.json["rule"]?.text == "nelson_1")
    #expect(finding.json["points"]?.elements?.count == 1)
  }
}
