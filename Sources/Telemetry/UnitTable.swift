/// The units the gateway knows: UCUM code, symbol, dimension, scale to the base unit, other spellings.
///
/// Scales are ratios of whole numbers where the definition is one: 1 psi is 4.4482216152605 N over
/// 6.4516 cm². Codes that UCUM lacks are written with an annotation, which UCUM allows (`dB{A}`);
/// `var` and its multiples are IEC 80000-6 names. Base units are the coherent SI unit, kVAh and kvarh
/// for the two energies that only meters count, and the byte.
enum UnitTable {
  struct Row: Sendable {
    var code: String
    var symbol: String
    var dimension: Dimension
    var scale: UnitScale
    var aliases: [String]

    init(
      _ code: String, _ symbol: String, _ dimension: Dimension, _ scale: UnitScale,
      _ aliases: [String] = []
    ) {
      self.code = code
      self.symbol = symbol
      self.dimension = dimension
      self.scale = scale
      self.aliases = aliases
    }
  }

  static let rows: [Row] = [
    Row("K", "K", .temperature, UnitScale(1), ["kelvin"]),
    Row(
      "Cel", "°C", .temperature, UnitScale(1, zero: 27_315),
      ["degC", "deg C", "C", "℃", "celsius", "centigrade", "ºC"]),
    Row(
      "[degF]", "°F", .temperature, UnitScale(5, over: 9, zero: 229_835, overHundreds: 9),
      ["degF", "deg F", "℉", "fahrenheit", "ºF"]),

    Row("Pa", "Pa", .pressure, UnitScale(1), ["pascal"]),
    Row("hPa", "hPa", .pressure, UnitScale(100)),
    Row("kPa", "kPa", .pressure, UnitScale(1_000)),
    Row("MPa", "MPa", .pressure, UnitScale(1_000_000)),
    Row("mbar", "mbar", .pressure, UnitScale(100), ["millibar"]),
    Row("bar", "bar", .pressure, UnitScale(100_000), ["bars"]),
    Row(
      "[psi]", "psi", .pressure, UnitScale(44_482_216_152_605, over: 6_451_600_000),
      ["lbf/in2", "PSI"]),
    Row("atm", "atm", .pressure, UnitScale(101_325)),
    Row("mm[Hg]", "mmHg", .pressure, UnitScale(133_322_387_415, over: 1_000_000_000)),

    Row("V", "V", .voltage, UnitScale(1), ["volt", "volts"]),
    Row("mV", "mV", .voltage, UnitScale(1, over: 1_000)),
    Row("kV", "kV", .voltage, UnitScale(1_000)),

    Row("A", "A", .current, UnitScale(1), ["amp", "amps", "ampere", "amperes"]),
    Row("mA", "mA", .current, UnitScale(1, over: 1_000)),
    Row("uA", "µA", .current, UnitScale(1, over: 1_000_000)),
    Row("kA", "kA", .current, UnitScale(1_000)),

    Row("W", "W", .power, UnitScale(1), ["watt", "watts"]),
    Row("mW", "mW", .power, UnitScale(1, over: 1_000)),
    Row("kW", "kW", .power, UnitScale(1_000), ["kilowatt", "kilowatts"]),
    Row("MW", "MW", .power, UnitScale(1_000_000), ["megawatt", "megawatts"]),
    Row("[HP]", "hp", .power, UnitScale(745.69987158227022), ["HP", "horsepower"]),

    Row("V.A", "VA", .apparentPower, UnitScale(1)),
    Row("kV.A", "kVA", .apparentPower, UnitScale(1_000)),
    Row("MV.A", "MVA", .apparentPower, UnitScale(1_000_000)),

    Row("var", "var", .reactivePower, UnitScale(1), ["VAr", "VAR"]),
    Row("kvar", "kvar", .reactivePower, UnitScale(1_000), ["kVAr", "kVAR"]),
    Row("Mvar", "Mvar", .reactivePower, UnitScale(1_000_000), ["MVAr", "MVAR"]),

    Row("J", "J", .energy, UnitScale(1), ["joule", "joules"]),
    Row("kJ", "kJ", .energy, UnitScale(1_000)),
    Row("MJ", "MJ", .energy, UnitScale(1_000_000)),
    Row("GJ", "GJ", .energy, UnitScale(1_000_000_000)),
    Row("W.h", "Wh", .energy, UnitScale(3_600)),
    Row("kW.h", "kWh", .energy, UnitScale(3_600_000), ["KWh", "kilowatt hours"]),
    Row("MW.h", "MWh", .energy, UnitScale(3_600_000_000)),
    Row("GW.h", "GWh", .energy, UnitScale(3_600_000_000_000)),

    Row("kvar.h", "kvarh", .reactiveEnergy, UnitScale(1), ["kVArh", "kVARh"]),

    Row("kV.A.h", "kVAh", .apparentEnergy, UnitScale(1)),

    Row("m", "m", .length, UnitScale(1), ["metre", "metres", "meter", "meters"]),
    Row("mm", "mm", .length, UnitScale(1, over: 1_000), ["millimetre", "millimeter"]),
    Row("cm", "cm", .length, UnitScale(1, over: 100)),
    Row("um", "µm", .length, UnitScale(1, over: 1_000_000), ["micron", "microns"]),
    Row("km", "km", .length, UnitScale(1_000)),
    Row("[in_i]", "in", .length, UnitScale(254, over: 10_000), ["inch", "inches"]),
    Row("[ft_i]", "ft", .length, UnitScale(3_048, over: 10_000), ["feet"]),

    Row("m2", "m²", .area, UnitScale(1), ["sqm"]),
    Row("mm2", "mm²", .area, UnitScale(1, over: 1_000_000)),
    Row("cm2", "cm²", .area, UnitScale(1, over: 10_000)),

    Row("m/s", "m/s", .speed, UnitScale(1), ["mps", "m.s-1"]),
    Row("mm/s", "mm/s", .speed, UnitScale(1, over: 1_000), ["mm.s-1"]),
    Row("m/min", "m/min", .speed, UnitScale(1, over: 60)),
    Row("mm/min", "mm/min", .speed, UnitScale(1, over: 60_000)),
    Row("km/h", "km/h", .speed, UnitScale(5, over: 18), ["kmh", "kph"]),

    Row("m/s2", "m/s²", .acceleration, UnitScale(1), ["m/s^2", "m.s-2"]),
    Row("mm/s2", "mm/s²", .acceleration, UnitScale(1, over: 1_000), ["mm/s^2"]),
    Row("[g]", "g", .acceleration, UnitScale(980_665, over: 100_000), ["g-force", "gravity"]),
    Row("m[g]", "mg", .acceleration, UnitScale(980_665, over: 100_000_000), ["milli-g"]),

    Row("m3", "m³", .volume, UnitScale(1), ["m^3", "cbm"]),
    Row("L", "L", .volume, UnitScale(1, over: 1_000), ["l", "litre", "litres", "liter", "liters"]),
    Row("mL", "mL", .volume, UnitScale(1, over: 1_000_000), ["ml"]),
    Row("cm3", "cm³", .volume, UnitScale(1, over: 1_000_000), ["ccm"]),

    Row("m3/s", "m³/s", .volumeFlow, UnitScale(1)),
    Row("m3/min", "m³/min", .volumeFlow, UnitScale(1, over: 60)),
    Row("m3/h", "m³/h", .volumeFlow, UnitScale(1, over: 3_600), ["m^3/h", "cbm/h", "m3/hr"]),
    Row("L/s", "L/s", .volumeFlow, UnitScale(1, over: 1_000), ["l/s"]),
    Row("L/min", "L/min", .volumeFlow, UnitScale(1, over: 60_000), ["l/min", "lpm", "LPM"]),
    Row("L/h", "L/h", .volumeFlow, UnitScale(1, over: 3_600_000), ["l/h"]),
    Row("mL/min", "mL/min", .volumeFlow, UnitScale(1, over: 60_000_000), ["ml/min"]),

    Row("kg", "kg", .mass, UnitScale(1), ["kilogram", "kilograms"]),
    Row("g", "g", .mass, UnitScale(1, over: 1_000), ["gram", "grams"]),
    Row("mg", "mg", .mass, UnitScale(1, over: 1_000_000)),
    Row("t", "t", .mass, UnitScale(1_000), ["tonne", "tonnes"]),
    Row(
      "[lb_av]", "lb", .mass, UnitScale(45_359_237, over: 100_000_000), ["lbs", "pound", "pounds"]),

    Row("kg/s", "kg/s", .massFlow, UnitScale(1)),
    Row("kg/min", "kg/min", .massFlow, UnitScale(1, over: 60)),
    Row("kg/h", "kg/h", .massFlow, UnitScale(1, over: 3_600), ["kg/hr"]),
    Row("g/s", "g/s", .massFlow, UnitScale(1, over: 1_000)),
    Row("t/h", "t/h", .massFlow, UnitScale(5, over: 18)),

    Row("N", "N", .force, UnitScale(1), ["newton", "newtons"]),
    Row("kN", "kN", .force, UnitScale(1_000)),
    Row("MN", "MN", .force, UnitScale(1_000_000)),

    Row("N.m", "N·m", .torque, UnitScale(1), ["Nm", "newton metres"]),
    Row("kN.m", "kN·m", .torque, UnitScale(1_000), ["kNm"]),
    Row("mN.m", "mN·m", .torque, UnitScale(1, over: 1_000), ["mNm"]),

    Row("Hz", "Hz", .frequency, UnitScale(1), ["hertz"]),
    Row("/s", "1/s", .frequency, UnitScale(1), ["s-1", "s^-1", "cps"]),
    Row(
      "/min", "1/min", .frequency, UnitScale(1, over: 60),
      ["rpm", "RPM", "r/min", "rev/min", "U/min", "min-1", "min^-1"]),
    Row("/h", "1/h", .frequency, UnitScale(1, over: 3_600)),
    Row("kHz", "kHz", .frequency, UnitScale(1_000)),
    Row("MHz", "MHz", .frequency, UnitScale(1_000_000)),
    Row("GHz", "GHz", .frequency, UnitScale(1_000_000_000)),

    Row("s", "s", .time, UnitScale(1), ["sec", "second", "seconds"]),
    Row("ms", "ms", .time, UnitScale(1, over: 1_000), ["msec", "millisecond", "milliseconds"]),
    Row("us", "µs", .time, UnitScale(1, over: 1_000_000), ["microsecond", "microseconds"]),
    Row("ns", "ns", .time, UnitScale(1, over: 1_000_000_000)),
    Row("min", "min", .time, UnitScale(60), ["minute", "minutes"]),
    Row("h", "h", .time, UnitScale(3_600), ["hr", "hour", "hours"]),
    Row("d", "d", .time, UnitScale(86_400), ["day", "days"]),

    Row("1", "1", .ratio, UnitScale(1), ["one", "ratio"]),
    Row(
      "%", "%", .ratio, UnitScale(1, over: 100),
      ["percent", "pct", "%RH", "%rH", "%rh", "RH", "rH", "% r.F."]),
    Row("[ppth]", "‰", .ratio, UnitScale(1, over: 1_000)),
    Row("[ppm]", "ppm", .ratio, UnitScale(1, over: 1_000_000), ["PPM"]),
    Row("[ppb]", "ppb", .ratio, UnitScale(1, over: 1_000_000_000), ["PPB"]),

    Row(
      "{count}", "{count}", .count, UnitScale(1),
      ["count", "counts", "pcs", "pc", "piece", "pieces", "parts", "cycles", "items", "Stk"]),

    Row("lx", "lx", .illuminance, UnitScale(1), ["lux"]),
    Row("klx", "klx", .illuminance, UnitScale(1_000)),

    Row("lm", "lm", .luminousFlux, UnitScale(1), ["lumen"]),

    Row("dB", "dB", .soundLevel, UnitScale(1), ["decibel"]),

    Row("dB{A}", "dB(A)", .weightedSoundLevel, UnitScale(1), ["dB[A]", "dBA"]),

    Row("dB{mW}", "dBm", .signalLevel, UnitScale(1)),

    Row("rad", "rad", .angle, UnitScale(1), ["radian", "radians"]),
    Row("deg", "°", .angle, UnitScale(0.017453292519943295), ["degree", "degrees"]),

    Row("mol/L", "mol/L", .concentration, UnitScale(1), ["mol/l"]),
    Row("mmol/L", "mmol/L", .concentration, UnitScale(1, over: 1_000), ["mmol/l"]),

    Row("kg/m3", "kg/m³", .density, UnitScale(1)),
    Row("g/m3", "g/m³", .density, UnitScale(1, over: 1_000)),
    Row("mg/m3", "mg/m³", .density, UnitScale(1, over: 1_000_000)),
    Row("ug/m3", "µg/m³", .density, UnitScale(1, over: 1_000_000_000), ["ug/m^3"]),
    Row("g/L", "g/L", .density, UnitScale(1), ["g/l"]),
    Row("mg/L", "mg/L", .density, UnitScale(1, over: 1_000), ["mg/l"]),

    Row("bit", "bit", .data, UnitScale(1, over: 8), ["bits"]),
    Row("By", "B", .data, UnitScale(1), ["byte", "bytes"]),
    Row("kBy", "kB", .data, UnitScale(1_000), ["KB"]),
    Row("MBy", "MB", .data, UnitScale(1_000_000)),
    Row("GBy", "GB", .data, UnitScale(1_000_000_000)),
    Row("KiBy", "KiB", .data, UnitScale(1_024)),
    Row("MiBy", "MiB", .data, UnitScale(1_048_576)),
    Row("GiBy", "GiB", .data, UnitScale(1_073_741_824)),

    Row("By/s", "B/s", .dataRate, UnitScale(1)),
    Row("bit/s", "bit/s", .dataRate, UnitScale(1, over: 8), ["bps"]),
    Row("Mbit/s", "Mbit/s", .dataRate, UnitScale(125_000), ["Mbps"]),

    Row("Ohm", "Ω", .resistance, UnitScale(1), ["ohm", "ohms"]),
    Row("mOhm", "mΩ", .resistance, UnitScale(1, over: 1_000)),
    Row("kOhm", "kΩ", .resistance, UnitScale(1_000)),
    Row("MOhm", "MΩ", .resistance, UnitScale(1_000_000)),

    Row("S", "S", .conductance, UnitScale(1), ["siemens"]),

    Row("S/m", "S/m", .conductivity, UnitScale(1)),
    Row("mS/cm", "mS/cm", .conductivity, UnitScale(1, over: 10)),
    Row("uS/cm", "µS/cm", .conductivity, UnitScale(1, over: 10_000)),

    Row("F", "F", .capacitance, UnitScale(1), ["farad"]),
    Row("uF", "µF", .capacitance, UnitScale(1, over: 1_000_000)),
    Row("nF", "nF", .capacitance, UnitScale(1, over: 1_000_000_000)),

    Row("H", "H", .inductance, UnitScale(1), ["henry"]),
    Row("mH", "mH", .inductance, UnitScale(1, over: 1_000)),

    Row("A.h", "Ah", .charge, UnitScale(3_600)),
    Row("mA.h", "mAh", .charge, UnitScale(18, over: 5)),

    Row("T", "T", .magneticFluxDensity, UnitScale(1), ["tesla"]),
    Row("mT", "mT", .magneticFluxDensity, UnitScale(1, over: 1_000)),
    Row("uT", "µT", .magneticFluxDensity, UnitScale(1, over: 1_000_000)),

    Row("[pH]", "pH", .acidity, UnitScale(1), ["PH"]),

    Row("{NTU}", "NTU", .turbidity, UnitScale(1), ["FNU"]),

    Row("W/m2", "W/m²", .irradiance, UnitScale(1), ["W/m^2"]),

    Row("Pa.s", "Pa·s", .dynamicViscosity, UnitScale(1)),
    Row("mPa.s", "mPa·s", .dynamicViscosity, UnitScale(1, over: 1_000), ["cP"]),

    Row("m2/s", "m²/s", .kinematicViscosity, UnitScale(1)),
    Row("mm2/s", "mm²/s", .kinematicViscosity, UnitScale(1, over: 1_000_000), ["cSt"]),
  ]

  /// Codes first, then symbols and aliases: the order in which suggestions are tried.
  static let names: [String] =
    rows.map(\.code) + rows.flatMap { [$0.symbol] + $0.aliases }.filter { !$0.isEmpty }

  /// Every exact spelling. A code wins over a symbol or alias of the same letters (`g`, `mg`).
  private static let exact: [String: Int] = {
    var rowsByName: [String: Int] = [:]
    for (index, row) in rows.enumerated() { rowsByName[row.code] = index }
    for (index, row) in rows.enumerated() {
      for name in [row.symbol] + row.aliases where !name.isEmpty && rowsByName[name] == nil {
        rowsByName[name] = index
      }
    }
    return rowsByName
  }()

  /// The same in plain spelling, and words of four and more letters in lower case.
  private static let plain: [String: Int] = {
    var rowsByName: [String: Int] = [:]
    for name in names {
      guard let row = exact[name] else { continue }
      let spelling = plainSpelling(name)
      if rowsByName[spelling] == nil { rowsByName[spelling] = row }
    }
    return rowsByName
  }()

  private static let words: [String: Int] = {
    var rowsByName: [String: Int] = [:]
    for (index, row) in rows.enumerated() {
      for alias in row.aliases where alias.count > 3 && alias == alias.lowercased() {
        rowsByName[plainSpelling(alias)] = index
      }
    }
    return rowsByName
  }()

  static func row(named name: String) -> Int? {
    if let row = exact[name] { return row }
    guard name.utf8.count <= 64 else { return nil }
    let spelling = plainSpelling(name)
    return exact[spelling] ?? plain[spelling] ?? words[spelling.lowercased()]
  }

  /// Without spaces, and with ASCII for the micro sign, small exponents and the product dot.
  private static func plainSpelling(_ name: String) -> String {
    var spelling = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case " ", "\t", "\u{A0}", "\u{202F}": continue
      case "\u{B5}", "\u{3BC}": spelling.append("u")
      case "\u{B2}": spelling.append("2")
      case "\u{B3}": spelling.append("3")
      case "\u{B7}", "\u{22C5}", "*": spelling.append(".")
      default: spelling.unicodeScalars.append(scalar)
      }
    }
    return spelling
  }
}
