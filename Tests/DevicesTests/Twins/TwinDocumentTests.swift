import Devices
import FoundationEssentials
import Telemetry
import TestSupport
import Testing

@Suite struct TwinDocumentTests {
  static let device = DeviceDefinition(
    index: 1, id: "conveyor1", profile: "conveyor", asset: "acme/linz/hall1/line1/conveyor1")

  static func document(_ speed: Double, unit: String = "m/s", quality: Quality = .good) throws
    -> TwinDocument
  {
    let profile = try #require(try Fixture.configuration(TwinRig.profile).profiles.first)
    var document = TwinDocument(device: device)
    document.properties = profile.desired
    document.features = [
      .init(
        name: "speed", value: .number(speed), unit: unit, quality: quality, time: TwinRig.start),
      .init(name: "state", value: .text("running"), time: TwinRig.start),
    ]
    document.desired = try JSONReader.read(
      Array(
        #"{"version":3,"properties":{"speed":{"value":1.2,"unit":"m/s","since":"2026-11-21T10:39:00Z","by":"anna","status":"pending"}}}"#
          .utf8))
    return document
  }

  @Test("The whole document")
  func whole() throws {
    var document = try Self.document(0.8)
    document.alarms = [.object([("rule", .string("jam"))])]
    document.anomalies = [.object([("kind", .string("novelty"))])]
    document.computed = [("oee", .number("0.81")), ("health", .number("0.93"))]
    document.users = ["anna"]
    document.neighbours = ["press1", "mill1"]
    #expect(
      document.json.encoded
        == #"{"device_id":"conveyor1","profile":"conveyor","asset":"acme/linz/hall1/line1/conveyor1","as_of":null,"#
        + #""reported":{"speed":{"value":0.8,"unit":"m/s","quality":"good","time":"2026-11-21T08:00:00Z"},"#
        + #""state":{"value":"running","unit":"","quality":"good","time":"2026-11-21T08:00:00Z"}},"#
        + #""desired":{"speed":{"value":1.2,"unit":"m/s","since":"2026-11-21T10:39:00Z","by":"anna","status":"pending"}},"#
        + #""delta":{"speed":{"desired":1.2,"reported":0.8,"unit":"m/s","status":"pending"}},"#
        + #""health":0.93,"computed":{"oee":0.81},"alarms":[{"rule":"jam"}],"anomalies":[{"kind":"novelty"}],"#
        + #""links":{"users":["anna"],"neighbours":["press1","mill1"]},"version":3}"#)
  }

  @Test("A reported value within the tolerance makes no delta, in whatever unit it is reported")
  func tolerance() throws {
    #expect(try Self.document(1.19).json["delta"]?.encoded == "{}")
    #expect(try Self.document(1.17).json["delta"]?.members?.map(\.0) == ["speed"])
    #expect(try Self.document(4.3, unit: "km/h").json["delta"]?.encoded == "{}")
    #expect(
      try Self.document(5.4, unit: "km/h").json["delta"]?["speed"]?["reported"]?.encoded == "1.5")
  }

  @Test("A reported value that cannot be trusted is a delta against nothing")
  func unknown() throws {
    for document in [
      try Self.document(1.2, quality: .bad), try Self.document(1.2, quality: [.uncertain, .stale]),
      try Self.document(1.2, unit: "bar"),
    ] {
      #expect(document.json["delta"]?["speed"]?["reported"]?.isNull == true)
    }
  }

  @Test(
    "A device of which nothing was ever desired has version 0, and one of an earlier time says so")
  func bare() {
    let document = TwinDocument(device: Self.device, time: TwinRig.start)
    #expect(document.version == 0 && document.json["version"]?.encoded == "0")
    #expect(document.json["as_of"]?.text == "2026-11-21T08:00:00Z")
    #expect(document.json["health"]?.isNull == true && document.json["desired"]?.encoded == "{}")
  }

  @Test("The body of a standing is read as it is written")
  func standing() throws {
    var rig = try TwinRig()
    rig.ask(#"{"level":4}"#)
    var document = TwinDocument(device: Self.device)
    document.properties = rig.profiles[0].desired
    document.desired = try JSONReader.read(Array(try #require(rig.output.standings.last).body.utf8))
    #expect(document.version == 1)
    document.features = [.init(name: "level", value: .number(4), time: TwinRig.start)]
    #expect(document.json["delta"]?.encoded == "{}")
    #expect(document.json["desired"]?["level"]?["by"]?.text == "anna")
  }

  @Test("What was desired at an earlier time follows from the events until then")
  func history() throws {
    var rig = try TwinRig()
    var generator = SeededGenerator(seed: 21)
    /// Of each time the body that stood then.
    var bodies: [(time: Timestamp, body: String)] = []
    for _ in 0..<400 {
      TwinDesiresTests.step(&rig, &generator)
      rig.tick(after: 0.001)
      if let last = rig.standing { bodies.append((rig.moment.wall, last)) }
    }
    let events = rig.logged
    #expect(bodies.count > 300 && events.count > 100)
    for (time, body) in bodies {
      #expect(TwinDocument.desired(from: events, at: time)?.encoded == body)
    }
    #expect(TwinDocument.desired(from: events, at: .epoch) == nil)
    #expect(TwinDocument.desired(from: [], at: rig.moment.wall) == nil)
  }

  @Test("Neighbours stand under the same asset")
  func neighbours() {
    func device(_ index: UInt32, _ id: String, _ asset: String) -> DeviceDefinition {
      DeviceDefinition(index: index, id: id, asset: asset)
    }
    let devices = [
      device(0, "press1", "acme/linz/line1/press1"), device(1, "mill1", "acme/linz/line1/mill1"),
      device(2, "press2", "acme/linz/line2/press2"), device(3, "loose", ""),
      device(4, "lamp", "acme/linz/line1/press1/lamp"), device(5, "other", ""),
    ]
    #expect(TwinDocument.neighbours(of: devices[0], among: devices) == ["mill1"])
    #expect(TwinDocument.neighbours(of: devices[3], among: devices) == [])
  }
}

/// What is written for integrators is right.
@Suite struct TwinGuideTests {
  static let text = Result {
    let top = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    let bytes = try #require(FileManager.default.contents(atPath: top + "/docs/twins.md"))
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test("Every YAML example of the guide loads without a word")
  func examples() throws {
    let blocks = try Self.text.get().split(separator: "```yaml\n").dropFirst()
    #expect(blocks.count >= 2)
    for block in blocks {
      let configuration = try Fixture.configuration(String(block.split(separator: "```")[0]))
      #expect(configuration.profiles.contains { !$0.desired.isEmpty })
    }
  }

  @Test("The guide names every refusal, event, place and key")
  func complete() throws {
    let text = try Self.text.get()
    for kind in TwinEvent.Kind.allCases { #expect(text.contains("`\(kind.rawValue)`")) }
    for place in CommandTemplate.Place.allCases { #expect(text.contains("`{\(place.rawValue)}`")) }
    for code in [
      "no_principal", "bad_body", "expired", "unknown_device", "version_conflict",
      "unknown_property", "read_only", "wrong_type", "wrong_unit", "out_of_range", "stale_input",
      "not_permitted", "rate_limited",
    ] {
      #expect(text.contains("`\(code)`"), "\(code)")
    }
    for key in [
      "description", "metric", "unit", "range", "values", "tolerance", "permitted_when", "topic",
      "payload", "expires", "timeout", "rate_limit",
    ] {
      #expect(text.contains("| `\(key)` |"), "\(key)")
    }
  }

  @Test("The conveyor of the demo plant takes a speed while it runs or idles")
  func demo() throws {
    let (configuration, _) = DeviceConfiguration.load(files: try ExampleFilesTests.files())
    let profile = try #require(configuration?.profile("conveyor"))
    let speed = try #require(profile.desired.first)
    #expect(speed.name == "speed" && speed.unit?.code == "m/s" && speed.range == 0.2...2)
    #expect(
      speed.permittedWhen == [PermittingState(metric: "state", words: ["running", "idle"])])
    #expect(configuration?.profiles.filter { !$0.desired.isEmpty }.count == 1)
  }
}
