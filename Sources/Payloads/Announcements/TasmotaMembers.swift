import Telemetry

/// What the members of Tasmota's telemetry mean, wherever they stand in it.
///
/// Names, units and meaning after the pages of sensors and the energy monitor in Tasmota's documentation
/// (tasmota.github.io/docs). `Power1`, or the elements of `"Power": [10, 20]`, mean what `Power` means.
enum TasmotaMembers {
  struct Member: Sendable {
    var name: String
    var unit: String
    var kind = MetricKind.gauge
    var type = ValueType.number
    /// The member of the message that tells the unit.
    var unitPath = ""
  }

  private static let temperatures = [
    "Temperature", "DewPoint", "ObjTemperature", "AmbTemperature", "ProbeTemperature", "FeelsLike",
    "HeatIndex",
  ].map { Member(name: $0, unit: "°C", unitPath: "TempUnit") }

  private static let pressures = ["Pressure", "SeaPressure"]
    .map { Member(name: $0, unit: "hPa", unitPath: "PressureUnit") }

  static let all: [Member] =
    temperatures + pressures + [
      Member(name: "Humidity", unit: "%"),
      Member(name: "Moisture", unit: "%"),
      Member(name: "Illuminance", unit: "lx"),
      Member(name: "CarbonDioxide", unit: "ppm"),
      Member(name: "eCO2", unit: "ppm"),
      Member(name: "TVOC", unit: "ppb"),
      Member(name: "PM1", unit: "µg/m³"),
      Member(name: "PM2.5", unit: "µg/m³"),
      Member(name: "PM10", unit: "µg/m³"),
      Member(name: "Distance", unit: "cm"),
      Member(name: "Power", unit: "W"),
      Member(name: "ApparentPower", unit: "VA"),
      Member(name: "ReactivePower", unit: "var"),
      Member(name: "Factor", unit: "1"),
      Member(name: "Voltage", unit: "V"),
      Member(name: "Current", unit: "A"),
      Member(name: "Frequency", unit: "Hz"),
      // Today starts again at 0 each midnight, as counters may.
      Member(name: "Total", unit: "kWh", kind: .counter),
      Member(name: "Today", unit: "kWh", kind: .counter),
      Member(name: "ExportActive", unit: "kWh", kind: .counter),
      Member(name: "Yesterday", unit: "kWh"),
      // Energy since the last message, in Wh.
      Member(name: "Period", unit: "Wh"),
      Member(name: "Speed", unit: "km/h", unitPath: "SpeedUnit"),
      Member(name: "Signal", unit: "dBm"),
      Member(name: "UptimeSec", unit: "s", kind: .counter),
      Member(name: "Heap", unit: "KiB"),
      Member(name: "LoadAvg", unit: "%"),
      Member(name: "POWER", unit: "", kind: .state, type: .boolean),
    ]

  /// Names, addresses and durations as text: no measurements, and some new in every message.
  static let ignored = [
    "Id", "SSId", "BSSId", "Hostname", "IPAddress", "Uptime", "Downtime", "TotalStartTime",
  ]

  /// `Time` is the device's local time. It has no offset unless one was configured, and the gateway cannot
  /// know the zone of each device: read as UTC it would shift every sample by hours. So it counts only with
  /// an offset (or as an epoch), else the receive time does.
  static let mapping: JSONMapping = {
    var mapping = JSONMapping()
    mapping.timePaths = ["Time"]
    mapping.passesOverBadTimes = true
    // A percentage here; the RSSI of a radio sensor is in dBm.
    mapping.metrics = [JSONMapping.Metric(path: "Wifi.RSSI", unit: "%")]
    mapping.leaves =
      all.map { member in
        JSONMapping.Leaf(
          name: member.name, unit: member.unit, unitPath: member.unitPath,
          // Alone, `F` is the farad.
          unitWords: member.unitPath == "TempUnit" ? ["F": "°F", "C": "°C"] : [:])
      } + ignored.map { JSONMapping.Leaf(name: $0, isIgnored: true) }
    return mapping
  }()

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// The meaning of a metric by the last name of its path; `nil` when the table does not have it.
  static func member(ofMetric metric: String) -> Member? {
    for name in metric.split(separator: ".").reversed() {
      if let member = byName[String(name)] { return member }
      var stem = name
      while let last = stem.last, last.isASCII, last.isNumber { stem.removeLast() }
      if stem.isEmpty { continue }
      return byName[String(stem)] ?? dotted(metric)
    }
    return nil
  }

  /// `PM2.5` is one name, though it has a dot.
  private static func dotted(_ metric: String) -> Member? {
    metric == "PM2.5" || metric.hasSuffix(".PM2.5") ? byName["PM2.5"] : nil
  }
}

extension AnnouncedMetric {
  /// What Tasmota's table says of a metric without an announcement; units come with each value.
  public init?(tasmota metric: String) {
    guard let member = TasmotaMembers.member(ofMetric: metric) else { return nil }
    self.init(name: metric, type: member.type, kind: member.kind)
  }
}
