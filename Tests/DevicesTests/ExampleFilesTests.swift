import Devices
import FoundationEssentials
import Payloads
import Telemetry
import Testing

@Suite struct ExampleFilesTests {
  /// The files of devices/ at the top of the repository, sorted by name.
  static func files() throws -> [ConfigurationFile] {
    let top = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let folder = "/" + top + "/devices"
    return try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".yaml") }.sorted().map { name in
        let bytes = try #require(FileManager.default.contents(atPath: folder + "/" + name))
        return ConfigurationFile(
          name: "devices/" + name, content: String(decoding: bytes, as: UTF8.self))
      }
  }

  static func resolver() throws -> Resolver {
    let (configuration, diagnostics) = DeviceConfiguration.load(files: try files())
    #expect(diagnostics.map(\.description) == [])
    return Resolver(configuration: try #require(configuration))
  }

  @Test("The example files load without a word")
  func load() throws {
    let (configuration, diagnostics) = DeviceConfiguration.load(files: try Self.files())
    #expect(diagnostics.map(\.description) == [])
    #expect(
      configuration?.profiles.map(\.id) == [
        "press", "cnc_mill", "conveyor", "pump", "energy_meter", "environment_sensor",
        "operator_hmi",
      ])
  }

  @Test("The messages of the demo plant land in profiled series, in range")
  func messages() throws {
    var f = try Fixture()
    f.resolver = try Self.resolver()
    let machine =
      #"{"ts": 1795247999000, "state": "running", "cycles": 123, "good": 120, "scrap": 3, "temperature": 61.25, "vibration": 2.31, "power": 12.4, "energy": 1043.21}"#
    for device in ["press1", "mill1", "conveyor1"] {
      f.send("plant/line1/\(device)/telemetry", machine)
      #expect(f.values.first == "\(device)/state=running" && f.batch.samples.count == 8)
      #expect(f.batch.samples.allSatisfy { $0.quality == .good && !$0.isReceiveStamped })
      #expect(try f.series("\(device)/cycles").kind == .counter)
      #expect(try f.series("\(device)/energy").unit == "kW.h")
    }
    f.send(
      "plant/utilities/pump1/telemetry",
      #"{"flow": 52.1, "pressure": 4.2, "temperature": 48.5, "speed": 1450, "current": 31.7}"#)
    #expect(f.values.contains("pump1/speed=1450.0"))
    f.send(
      "plant/utilities/meter1/telemetry",
      #"{"ts": 1795247999000, "voltage": {"l1": 231.2, "l2": 230.9}, "power": 118.4, "energy": {"import": 88123.5}}"#
    )
    #expect(f.values.contains("meter1/voltage.l1=231.2"))
    #expect(try f.series("meter1/energy.import").kind == .counter)
    f.send("plant/rooms/office/temperature", "21.5")
    f.send("plant/rooms/office/co2", "640")
    #expect(f.values == ["room-office/co2=640.0"])
    #expect(try f.series("room-office/co2").unit == "[ppm]")
    f.send("plant/line1/hmi1/screen", "overview")
    #expect(f.values == ["hmi1/screen=overview"])
    #expect(try f.series("hmi1/screen").kind == .state)
    #expect(
      f.resolver.registry.devices.map(\.isAdopted) == [
        false, false, false, false, false, true, false,
      ])
  }
}
