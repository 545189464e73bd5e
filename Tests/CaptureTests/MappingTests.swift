import Capture
import Devices
import Foundation
import Simulator
import Telemetry
import TestSupport
import Testing

/// `metric type kind unit`, one a line; `-` is no unit.
struct MappingCase: Sendable, CustomTestStringConvertible {
  var name: String
  var messages: @Sendable () throws -> [ObservedMessage]
  var truth: String

  var testDescription: String { name }
}

/// Map by example, against what the metrics of ten kinds of senders really are.
@Suite("Mapping by example")
struct MappingTests {
  private static let start = Timestamp(microseconds: 1_795_248_000_000_000)

  /// A message every ten seconds, made from its number.
  private static func series(
    _ count: Int = 60, _ make: @escaping @Sendable (Int) -> [(topic: String, payload: String)]
  ) -> @Sendable () -> [ObservedMessage] {
    {
      (0..<count).flatMap { number in
        make(number).map {
          ObservedMessage(
            topic: $0.topic, payload: Array($0.payload.utf8),
            received: start.advanced(byMicroseconds: Int64(number) * 10_000_000))
        }
      }
    }
  }

  private static func capture(_ family: DeviceFamily) -> @Sendable () throws -> [ObservedMessage] {
    {
      let path =
        (#filePath as NSString).deletingLastPathComponent + "/Golden/\(family.rawValue).mwcap"
      return try CaptureReader(path: path).map {
        ObservedMessage(topic: $0.topic, payload: $0.payload, received: $0.time)
      }
    }
  }

  private static func plant(_ wanted: @escaping @Sendable (String) -> Bool)
    -> @Sendable () -> [ObservedMessage]
  {
    {
      var plant = Plant(seed: 1, start: start)
      return plant.step(to: start.advanced(byMicroseconds: 900_000_000))
        .filter { wanted($0.topic) }
        .map { ObservedMessage(topic: $0.topic, payload: $0.payload, received: $0.time) }
    }
  }

  /// Goes up and down by whole steps, the same at each run.
  private static func wave(_ number: Int, _ mean: Double, _ swing: Double, decimals: Int = 1)
    -> String
  {
    let value = mean + swing * sin(Double(number) / 5)
    return String(format: "%.\(decimals)f", value)
  }

  static let senders: [MappingCase] = [
    MappingCase(
      name: "Sparkplug B", messages: capture(.sparkplug),
      truth: """
        Drive/Enabled boolean state -
        Drive/Energy number counter kW.h
        Drive/Power number gauge kW
        Hydraulics/Temperature number gauge Cel
        Hydraulics/Vibration number gauge mm/s
        Production/Cycles number counter -
        Production/Good number counter -
        Production/Scrap number counter -
        Properties/Firmware text state -
        State/Current text state -
        """),
    MappingCase(
      name: "SenML", messages: capture(.senml),
      truth: "temperature number gauge Cel\nhumidity number gauge %"),
    MappingCase(
      name: "Zigbee2MQTT", messages: capture(.zigbee2mqtt),
      truth: """
        battery number gauge %
        temperature number gauge Cel
        humidity number gauge %
        pressure number gauge hPa
        power number gauge W
        current number gauge A
        energy number counter kW.h
        state boolean state -
        contact boolean state -
        linkquality number gauge -
        availability text state -
        """),
    MappingCase(
      name: "Tasmota", messages: capture(.tasmota),
      truth: """
        ENERGY.Total number counter kW.h
        ENERGY.Today number counter kW.h
        ENERGY.Power number gauge W
        ENERGY.ApparentPower number gauge V.A
        ENERGY.ReactivePower number gauge var
        ENERGY.Factor number gauge 1
        ENERGY.Voltage number gauge V
        ENERGY.Current number gauge A
        ANALOG.Temperature number gauge Cel
        POWER boolean state -
        """),
    MappingCase(
      name: "Home Assistant discovery", messages: capture(.homeAssistant),
      truth: """
        level number gauge %
        flow number gauge L/min
        volume number counter L
        pump boolean state -
        """),
    MappingCase(
      name: "machines of a plant in JSON",
      messages: plant { $0.hasSuffix("/telemetry") && $0.contains("line1") },
      truth: """
        state text state -
        cycles number counter -
        good number counter -
        scrap number counter -
        temperature number gauge Cel
        vibration number gauge mm/s
        power number gauge kW
        energy number counter kW.h
        """),
    MappingCase(
      name: "rooms, one bare value a topic", messages: plant { $0.contains("/rooms/") },
      truth: """
        temperature number gauge Cel
        humidity number gauge %
        co2 number gauge [ppm]
        """),
    MappingCase(
      name: "a relay's status in nested JSON",
      messages: series { number in
        [
          (
            "shop/relay-1/status",
            #"{"switch":{"id":0,"output":\#(number % 9 < 5),"apower":\#(wave(number, 80, 20)),"voltage":\#(wave(number, 231, 2)),"current":\#(wave(number, 0.4, 0.1, decimals: 3)),"aenergy":{"total":\#(12_000 + number * 3)},"temperature":{"tC":\#(wave(number, 41, 3)),"tF":\#(wave(number, 106, 5))}}}"#
          )
        ]
      },
      truth: """
        switch.output boolean state -
        switch.voltage number gauge V
        switch.current number gauge A
        switch.aenergy.total number counter W.h
        switch.temperature.tC number gauge Cel
        switch.temperature.tF number gauge [degF]
        """),
    MappingCase(
      name: "a radio sensor's uplink",
      messages: series { number in
        ["a1", "b2", "c3"].map { device in
          (
            "v3/orchard/devices/\(device)/up",
            #"{"decoded":{"temperature":\#(wave(number, 12, 6)),"humidity":\#(wave(number, 70, 20)),"battery_mv":\#(3_300 - number),"door":\#(number % 7 == 0)},"f_cnt":\#(100 + number),"rssi":\#(-97 - number % 9),"snr":\#(wave(number, 6, 3))}"#
          )
        }
      },
      truth: """
        decoded.temperature number gauge Cel
        decoded.humidity number gauge %
        decoded.battery_mv number gauge mV
        decoded.door boolean state -
        rssi number gauge dB{mW}
        snr number gauge dB
        """),
    MappingCase(
      name: "an inverter, units in the names",
      messages: series { number in
        [
          (
            "solar/roof/inverter/data",
            #"{"ac_power_w":\#(wave(number, 2_400, 900, decimals: 0)),"dc_voltage_v":\#(wave(number, 610, 8)),"grid_frequency_hz":\#(wave(number, 50, 0.02, decimals: 2)),"yield_total_kwh":\#(18_211.4 + Double(number) / 10),"heatsink_temp_c":\#(wave(number, 47, 6)),"status":"\#(number < 50 ? "mppt" : "derating")","efficiency_pct":\#(wave(number, 96, 1))}"#
          )
        ]
      },
      truth: """
        ac_power_w number gauge W
        dc_voltage_v number gauge V
        grid_frequency_hz number gauge Hz
        yield_total_kwh number counter kW.h
        heatsink_temp_c number gauge Cel
        status text state -
        efficiency_pct number gauge %
        """),
    MappingCase(
      name: "a host in line protocol",
      messages: series { number in
        [
          (
            "telegraf/gw7",
            "system load1=\(wave(number, 0.8, 0.4, decimals: 2)),uptime=\(90_000 + number * 10)i,temp_c=\(wave(number, 51, 4))"
          )
        ]
      },
      truth: "temp_c number gauge Cel\nuptime number gauge s"),
  ]

  @Test(
    "Nine of ten metrics get the right type, kind and unit, and the others are marked as guesses")
  func cases() throws {
    var (right, total) = (0, 0)
    for sender in MappingTests.senders {
      let (rightHere, totalHere) = try judge(sender)
      print("map: \(sender.name): \(rightHere) of \(totalHere) right")
      right += rightHere
      total += totalHere
    }
    print("map: \(right) of \(total) right")
    #expect(right * 10 >= total * 9)
  }

  /// Metrics whose type, kind and unit are right, of all; a wrong one must say that it is a guess.
  private func judge(_ value: MappingCase) throws -> (right: Int, total: Int) {
    let proposal = MappingProposal(try value.messages(), configuration: DeviceConfiguration())
    let guesses = proposal.profiles.flatMap(\.metrics)
    let lines = value.truth.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    var right = 0
    for line in lines {
      let found = guesses.filter { $0.metric == line[0] || $0.metric.hasSuffix("." + line[0]) }
      let match = try #require(found.first, "\(line[0]) was not seen")
      let unit = match.unit.isEmpty ? "-" : match.unit
      if [match.type.name, match.kind.name, unit] == Array(line[1...]) {
        right += 1
      } else {
        #expect(match.isGuess, "\(line) was read as \(match) without a doubt")
      }
    }
    return (right, lines.count)
  }

  @Test(
    "What is proposed is a devices file that loads and stores under the proposed names",
    arguments: MappingTests.senders)
  func roundTrip(_ value: MappingCase) throws {
    let messages = try value.messages()
    let proposal = MappingProposal(messages, configuration: DeviceConfiguration())
    let yaml = proposal.yaml(source: value.name)
    let (configuration, diagnostics) = DeviceConfiguration.load(
      files: [ConfigurationFile(name: "mapped.yaml", content: yaml)])
    #expect(diagnostics.isEmpty, "\(diagnostics)\n\(yaml)")
    let again = MappingProposal(messages, configuration: try #require(configuration))
    #expect(again.isEmpty, "mapped once, everything is known: \(again.yaml(source: "again"))")
    let names = Set(proposal.profiles.flatMap(\.devices))
    #expect(Set(again.profiles.flatMap(\.devices)) == names)
  }

  @Test("Topics that differ in one level become one route with a capture for the device")
  func groups() {
    let shapes: [String: String?] = [
      "plant/line1/press1/telemetry": "a,b", "plant/line1/press2/telemetry": "a,b",
      "plant/line2/press3/telemetry": "a,b", "plant/line1/mill1/telemetry": "a,c",
      "rooms/office/temperature": nil, "rooms/office/humidity": nil,
      "rooms/hall/temperature": nil,
    ]
    let groups = TopicGroup.groups(shapes)
    #expect(
      groups.map(\.pattern) == [
        "plant/line1/mill1/telemetry", "plant/{level2}/{device}/telemetry",
        "rooms/{device}/{metric}",
      ])
    #expect(groups.map(\.device) == ["mill1", "{device}", "{device}"])
  }
}
