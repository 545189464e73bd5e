/// What the unit of a SenML record says beyond its UCUM code.
///
/// Most names of the SenML registries (RFC 8428 section 12.1, RFC 8798) are UCUM codes or spellings
/// that `Telemetry.Unit` reads in the same meaning. Listed here are those that are neither, and the
/// name of the metric that a unit gives to a record whose name is the device alone: the example of
/// RFC 8428 section 5.1.3 has humidity, battery, latitude and longitude under one name.
struct SenMLUnit {
  /// How the unit is written for `Telemetry.Unit`; `nil`: as it came.
  var ucum: StaticString?
  var metric: StaticString

  private struct Row {
    var name: StaticString
    var unit: SenMLUnit

    init(_ name: StaticString, _ metric: StaticString, ucum: StaticString? = nil) {
      self.name = name
      self.unit = SenMLUnit(ucum: ucum, metric: metric)
    }
  }

  /// `nil` for a unit that is read as it stands and gives no name: the metric is `value`.
  static func named(_ name: UnsafeRawBufferPointer) -> SenMLUnit? {
    rows.first {
      $0.name.utf8CodeUnitCount == name.count
        && name.elementsEqual(
          UnsafeRawBufferPointer(start: $0.name.utf8Start, count: $0.name.utf8CodeUnitCount))
    }?.unit
  }

  private static let rows: [Row] = [
    Row("Cel", "temperature"), Row("K", "temperature"),
    Row("%RH", "humidity", ucum: "%"),
    Row("%EL", "battery", ucum: "%"), Row("EL", "battery_life", ucum: "s"),
    Row("lat", "latitude", ucum: "deg"), Row("lon", "longitude", ucum: "deg"),
    Row("/", "value", ucum: "1"), Row("/100", "value", ucum: "%"),
    Row("/1000", "value", ucum: "[ppth]"),
    Row("count", "count", ucum: "{count}"),
    Row("beats", "beats", ucum: "{count}"), Row("beat/min", "pulse", ucum: "{count}/min"),
    // Elsewhere C is read as degrees Celsius.
    Row("C", "charge", ucum: "A.s"), Row("Ah", "charge"),
    Row("V", "voltage"), Row("mV", "voltage"), Row("A", "current"), Row("mA", "current"),
    Row("W", "power"), Row("kW", "power"), Row("VA", "apparent_power"),
    Row("var", "reactive_power"), Row("kvar", "reactive_power"),
    Row("J", "energy"), Row("Wh", "energy"), Row("kWh", "energy"),
    Row("Pa", "pressure"), Row("hPa", "pressure"), Row("Hz", "frequency"), Row("lx", "illuminance"),
    Row("pH", "ph"), Row("m/s", "speed"), Row("km/h", "speed"), Row("m/s2", "acceleration"),
    Row("m3", "volume"), Row("m3/s", "flow"), Row("kg", "mass"), Row("m", "length"),
    Row("dB", "level"), Row("dBm", "signal"), Row("dBW", "signal"),
    Row("Bspl", "sound_level", ucum: "B[SPL]"),
  ]
}
