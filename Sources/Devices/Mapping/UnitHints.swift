import Telemetry

/// What the words of a metric's name say about its unit.
///
/// Two tables: words that are units themselves (`power_kw`, `speedRpm`), which are believed, and names of
/// quantities with the unit that the range of values speaks for, which are believed when only one fits.
enum UnitHints {
  struct Hint: Hashable {
    /// UCUM code.
    var unit: String
    var isSure: Bool
    var reason: String
  }

  /// A unit and the values that are usual for a quantity in it.
  private struct Usual {
    var unit: String
    var range: ClosedRange<Double>

    init(_ unit: String, _ range: ClosedRange<Double>) {
      self.unit = unit
      self.range = range
    }
  }

  /// Last words of a name that are units.
  private static let suffixes: [String: String] = [
    "c": "Cel", "f": "[degF]", "degc": "Cel", "celsius": "Cel", "degf": "[degF]",
    "fahrenheit": "[degF]",
    "kelvin": "K", "pct": "%", "percent": "%", "rh": "%", "hpa": "hPa", "kpa": "kPa",
    "mbar": "mbar",
    "bar": "bar", "psi": "[psi]", "w": "W", "kw": "kW", "watt": "W", "watts": "W", "va": "V.A",
    "kva": "kV.A", "kwh": "kW.h", "wh": "W.h", "mwh": "MW.h", "v": "V", "volt": "V", "volts": "V",
    "mv": "mV", "a": "A", "amp": "A", "amps": "A", "ma": "mA", "hz": "Hz", "khz": "kHz",
    "rpm": "/min", "ms": "ms", "sec": "s", "secs": "s", "seconds": "s", "minutes": "min",
    "hours": "h",
    "mm": "mm", "cm": "cm", "km": "km", "kmh": "km/h", "kg": "kg", "ppm": "[ppm]", "ppb": "[ppb]",
    "lx": "lx", "lux": "lx", "dbm": "dB[mW]", "db": "dB", "m3h": "m3/h", "lpm": "L/min",
    "litres": "L", "liters": "L", "mms": "mm/s", "ms2": "m/s2", "kb": "kBy", "bytes": "By",
  ]

  private static let letters: [String: Set<String>] = [
    "c": ["t", "temp", "temperature", "dewpoint"], "f": ["t", "temp", "temperature", "dewpoint"],
    "v": ["u", "v", "voltage", "volt", "battery", "vbat"], "a": ["i", "current", "amps"],
    "w": ["p", "power"],
  ]

  private static let quantities: [(words: [String], usual: [Usual])] = [
    (
      ["temperature", "temp", "dewpoint", "tmp"], [Usual("Cel", -60...180), Usual("K", 200...500)]
    ),
    (["humidity", "hum", "moisture"], [Usual("%", 0...100)]),
    (
      ["pressure", "press", "barometer"],
      [
        Usual("bar", 0...60), Usual("hPa", 800...1_100), Usual("Pa", 80_000...110_000),
      ]
    ),
    (["powerfactor", "cosphi", "factor"], [Usual("1", -1...1)]),
    (["power"], [Usual("kW", 0...0), Usual("W", -1e7...1e7)]),
    (["apparentpower"], [Usual("V.A", 0...1e7)]), (["reactivepower"], [Usual("var", -1e7...1e7)]),
    (["energy", "consumption"], [Usual("kW.h", 0...1e9)]),
    (["voltage", "volt"], [Usual("V", -1_000...1_000), Usual("mV", 1_200...4_500)]),
    (["current"], [Usual("A", -1_000...1_000)]),
    (["frequency", "freq"], [Usual("Hz", 40...70)]),
    (
      ["battery", "soc", "level", "position", "brightness", "utilization", "load"],
      [
        Usual("%", 0...100)
      ]
    ),
    (["co2", "carbondioxide", "eco2"], [Usual("[ppm]", 300...10_000)]),
    (["tvoc", "voc"], [Usual("[ppb]", 0...60_000)]),
    (["illuminance", "lux", "light"], [Usual("lx", 0...200_000)]),
    (["pm25", "pm10", "pm1"], [Usual("ug/m3", 0...2_000)]),
    (["rssi", "signal", "dbm"], [Usual("dB[mW]", -130 ... -1)]),
    (["snr"], [Usual("dB", -30...50)]),
    (["speed", "rpm"], [Usual("/min", 100...100_000)]),
    (["vibration"], [Usual("mm/s", 0...100)]),
    (["uptime"], [Usual("s", 0...1e10)]),
    (["weight", "mass"], [Usual("kg", 0...1e6)]),
    (["distance"], [Usual("cm", 0...1_000)]),
    (["flow"], [Usual("m3/h", 0...500)]),
    (["windspeed"], [Usual("m/s", 0...60)]),
    (["winddirection", "heading"], [Usual("deg", 0...360)]),
    (["latitude", "lat"], [Usual("deg", -90...90)]),
    (["longitude", "lon", "lng"], [Usual("deg", -180...180)]),
  ]

  /// Quantities whose usual unit is so common that a fitting range settles it.
  private static let settled: Set<String> = [
    "temperature", "temp", "humidity", "voltage", "frequency", "battery", "co2", "carbondioxide",
    "illuminance", "rssi", "pm25", "pm10", "energy", "soc", "latitude", "lat", "longitude", "lon", "powerfactor",
  ]

  /// - Returns: `nil` when the name says nothing of a unit.
  static func hint(for metric: String, _ seen: SeriesObservation) -> Hint? {
    let words = nameWords(metric)
    guard let last = words.last else { return nil }
    if let unit = suffixes[last], words.count > 1 || last.utf8.count > 2,
      let before = words.dropLast().last ?? words.last
    {
      // A single letter may as well be a phase or an axis: it is a unit behind its own quantity.
      let isSure = last.utf8.count > 1 || letters[last]?.contains(before) == true
      return Hint(unit: unit, isSure: isSure, reason: "`\(last)` in its name")
    }
    for word in [words.suffix(2).joined()] + words.reversed() {
      guard
        let quantity = quantities.first(where: { quantity in
          // `apower` is a power, `heatsinktemperature` a temperature.
          quantity.words.contains { word == $0 || ($0.utf8.count >= 5 && word.hasSuffix($0)) }
        })
      else { continue }
      let fitting = quantity.usual.filter {
        $0.range.contains(seen.low) && $0.range.contains(seen.high)
      }
      guard let first = fitting.first else {
        return Hint(
          unit: quantity.usual[quantity.usual.count - 1].unit, isSure: false,
          reason: "`\(word)`, but \(seen.summary) is unusual")
      }
      // Whole numbers of energy are as often Wh as kWh.
      let isSure =
        fitting.count == 1 && settled.contains(word) && !(word == "energy" && seen.isIntegral)
      return Hint(unit: first.unit, isSure: isSure, reason: "`\(word)` of \(seen.summary)")
    }
    return nil
  }

  /// `Hydraulics/OilTemp_C` → hydraulics, oil, temp, c; `PM2.5` → pm25.
  static func nameWords(_ name: String) -> [String] {
    var words: [String] = []
    var word = ""
    var previous: Character = " "
    for character in name {
      let isBreak = "_-/ :".contains(character) || (character == "." && !previous.isNumber)
      let isHump = character.isUppercase && (previous.isLowercase || previous.isNumber)
      if isBreak || isHump, !word.isEmpty {
        words.append(word)
        word = ""
      }
      if !isBreak, character != "." { word += character.lowercased() }
      previous = character
    }
    if !word.isEmpty { words.append(word) }
    return words
  }
}
