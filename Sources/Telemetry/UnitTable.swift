/// The units the gateway knows: UCUM code, symbol, dimension, scale to the base unit, other spellings.
///
/// Scales are ratios of whole numbers where the definition is one: 1 psi is 4.4482216152605 N over
/// 6.4516 cm². Sources: UCUM 2.1, NIST SP 811 appendix B, the SI brochure. Codes that UCUM lacks are
/// written with an annotation, which UCUM allows (`dB{A}`, `bar{g}`), or as a multiple (`75.kgf.m/s`);
/// `var` and its multiples are IEC 80000-6 names. The base unit of a dimension is the coherent SI unit,
/// and the byte for data.
///
/// Other spellings come from Home Assistant, Zigbee2MQTT, Tasmota, the SenML registry (RFC 8428, RFC
/// 8798) and from controllers. `docs/units.md` is printed from this table.
enum UnitTable {
  struct Row: Sendable {
    var code: String
    var symbol: String
    var dimension: Dimension
    var scale: UnitScale
    var aliases: [String]
    /// Takes prefixes: `mbar`, `TW`.
    var isMetric: Bool

    init(
      _ code: String, _ symbol: String, _ dimension: Dimension, _ scale: UnitScale,
      _ aliases: [String] = [], isMetric: Bool = false
    ) {
      self.code = code
      self.symbol = symbol
      self.dimension = dimension
      self.scale = scale
      self.aliases = aliases
      self.isMetric = isMetric
    }
  }

  static let rows: [Row] = [
    Row("K", "K", .temperature, UnitScale(1), ["kelvin", "Kelvin"], isMetric: true),
    Row(
      "Cel", "°C", .temperature, UnitScale(1, zero: 27_315),
      ["degC", "deg C", "C", "℃", "celsius", "centigrade", "ºC", "DegC", "DEGC", "GradC", "°c"]),
    Row(
      "[degF]", "°F", .temperature, UnitScale(5, over: 9, zero: 229_835, overHundreds: 9),
      ["degF", "deg F", "℉", "fahrenheit", "ºF", "DegF", "DEGF"]),
    Row("[degR]", "°R", .temperature, UnitScale(5, over: 9), ["degR", "rankine"]),
    Row("[degRe]", "°Ré", .temperature, UnitScale(5, over: 4, zero: 27_315), ["degRe", "reaumur"]),

    Row("Pa", "Pa", .pressure, UnitScale(1), ["pascal", "N/m2"], isMetric: true),
    Row("hPa", "hPa", .pressure, UnitScale(100)),
    Row("kPa", "kPa", .pressure, UnitScale(1_000)),
    Row("MPa", "MPa", .pressure, UnitScale(1_000_000)),
    Row("mbar", "mbar", .pressure, UnitScale(100), ["millibar"]),
    Row(
      "bar", "bar", .pressure, UnitScale(100_000), ["bars", "bara", "bar(a)", "bar abs"],
      isMetric: true),
    Row(
      "[psi]", "psi", .pressure, UnitScale(44_482_216_152_605, over: 6_451_600_000),
      ["lbf/in2", "PSI", "psia", "psi(a)"]),
    Row("atm", "atm", .pressure, UnitScale(101_325)),
    Row(
      "mm[Hg]", "mmHg", .pressure, UnitScale(133_322_387_415, over: 1_000_000_000),
      ["Torr", "torr"]),
    Row(
      "[in_i'Hg]", "inHg", .pressure, UnitScale(33_863_886_403_410, over: 10_000_000_000), ["in Hg"]
    ),
    Row("m[H2O]", "mH₂O", .pressure, UnitScale(980_665, over: 100), ["mH2O", "mWS", "mWC"]),
    Row(
      "mm[H2O]", "mmH₂O", .pressure, UnitScale(980_665, over: 100_000), ["mmH2O", "mmWS", "mmWC"]),
    Row(
      "[in_i'H2O]", "inH₂O", .pressure, UnitScale(24_908_891, over: 100_000),
      ["inH2O", "inWC", "inWG"]),
    Row("att", "at", .pressure, UnitScale(980_665, over: 10), ["kgf/cm2", "kg/cm2"]),
    Row("cbar", "cbar", .pressure, UnitScale(1_000)),

    Row("Pa{g}", "Pa(g)", .gaugePressure, UnitScale(1), ["Pag"]),
    Row("mbar{g}", "mbar(g)", .gaugePressure, UnitScale(100), ["mbarg", "mbarü", "mbar(ü)"]),
    Row("kPa{g}", "kPa(g)", .gaugePressure, UnitScale(1_000), ["kPag"]),
    Row("bar{g}", "bar(g)", .gaugePressure, UnitScale(100_000), ["barg", "barü", "bar(ü)"]),
    Row("MPa{g}", "MPa(g)", .gaugePressure, UnitScale(1_000_000), ["MPag"]),
    Row(
      "[psi]{g}", "psi(g)", .gaugePressure, UnitScale(44_482_216_152_605, over: 6_451_600_000),
      ["psig"]),

    Row("V", "V", .voltage, UnitScale(1), ["volt", "volts"], isMetric: true),
    Row("mV", "mV", .voltage, UnitScale(1, over: 1_000)),
    Row("uV", "µV", .voltage, UnitScale(1, over: 1_000_000)),
    Row("kV", "kV", .voltage, UnitScale(1_000)),

    Row(
      "A", "A", .current, UnitScale(1), ["amp", "amps", "ampere", "amperes", "Amp", "AMP", "Amps"],
      isMetric: true),
    Row("mA", "mA", .current, UnitScale(1, over: 1_000)),
    Row("uA", "µA", .current, UnitScale(1, over: 1_000_000)),
    Row("kA", "kA", .current, UnitScale(1_000)),

    Row("W", "W", .power, UnitScale(1), ["watt", "watts"], isMetric: true),
    Row("mW", "mW", .power, UnitScale(1, over: 1_000)),
    Row("kW", "kW", .power, UnitScale(1_000), ["kilowatt", "kilowatts", "KW"]),
    Row("MW", "MW", .power, UnitScale(1_000_000), ["megawatt", "megawatts"]),
    Row("GW", "GW", .power, UnitScale(1_000_000_000)),
    Row("[HP]", "hp", .power, UnitScale(745.69987158227022), ["HP", "horsepower", "hp_I"]),
    Row(
      "75.kgf.m/s", "PS", .power, UnitScale(73_549_875, over: 100_000), ["metric horsepower"]),
    Row(
      "[Btu_IT]/h", "BTU/h", .power, UnitScale(105_505_585_262, over: 360_000_000_000), ["Btu/h"]),

    Row("V.A", "VA", .apparentPower, UnitScale(1), ["voltampere"]),
    Row("mV.A", "mVA", .apparentPower, UnitScale(1, over: 1_000)),
    Row("kV.A", "kVA", .apparentPower, UnitScale(1_000)),
    Row("MV.A", "MVA", .apparentPower, UnitScale(1_000_000)),

    Row("var", "var", .reactivePower, UnitScale(1), ["VAr", "VAR", "Var"], isMetric: true),
    Row("kvar", "kvar", .reactivePower, UnitScale(1_000), ["kVAr", "kVAR", "KVAR"]),
    Row("Mvar", "Mvar", .reactivePower, UnitScale(1_000_000), ["MVAr", "MVAR"]),

    Row("J", "J", .energy, UnitScale(1), ["joule", "joules"], isMetric: true),
    Row("kJ", "kJ", .energy, UnitScale(1_000)),
    Row("MJ", "MJ", .energy, UnitScale(1_000_000)),
    Row("GJ", "GJ", .energy, UnitScale(1_000_000_000)),
    Row("mW.h", "mWh", .energy, UnitScale(18, over: 5)),
    Row("W.h", "Wh", .energy, UnitScale(3_600)),
    Row("kW.h", "kWh", .energy, UnitScale(3_600_000), ["KWh", "kilowatt hours", "KWH", "Kwh"]),
    Row("MW.h", "MWh", .energy, UnitScale(3_600_000_000)),
    Row("GW.h", "GWh", .energy, UnitScale(3_600_000_000_000)),
    Row("TW.h", "TWh", .energy, UnitScale(3_600_000_000_000_000)),
    Row(
      "cal_th", "cal", .energy, UnitScale(4_184, over: 1_000), ["calorie", "calories"],
      isMetric: true),
    Row("[Btu_IT]", "BTU", .energy, UnitScale(105_505_585_262, over: 100_000_000), ["Btu", "btu"]),
    Row("eV", "eV", .energy, UnitScale(1.602176634e-19), isMetric: true),

    Row("kvar.h", "kvarh", .reactiveEnergy, UnitScale(3_600_000), ["kVArh", "kVARh"]),
    Row("var.h", "varh", .reactiveEnergy, UnitScale(3_600)),
    Row("Mvar.h", "Mvarh", .reactiveEnergy, UnitScale(3_600_000_000)),
    Row("var.s", "vars", .reactiveEnergy, UnitScale(1)),

    Row("kV.A.h", "kVAh", .apparentEnergy, UnitScale(3_600_000)),
    Row("V.A.h", "VAh", .apparentEnergy, UnitScale(3_600)),
    Row("MV.A.h", "MVAh", .apparentEnergy, UnitScale(3_600_000_000)),
    Row("V.A.s", "VAs", .apparentEnergy, UnitScale(1)),

    Row("m", "m", .length, UnitScale(1), ["metre", "metres", "meter", "meters"], isMetric: true),
    Row("mm", "mm", .length, UnitScale(1, over: 1_000), ["millimetre", "millimeter"]),
    Row("cm", "cm", .length, UnitScale(1, over: 100)),
    Row("dm", "dm", .length, UnitScale(1, over: 10)),
    Row("um", "µm", .length, UnitScale(1, over: 1_000_000), ["micron", "microns"]),
    Row("km", "km", .length, UnitScale(1_000)),
    Row("[in_i]", "in", .length, UnitScale(254, over: 10_000), ["inch", "inches"]),
    Row("[ft_i]", "ft", .length, UnitScale(3_048, over: 10_000), ["feet"]),
    Row("[yd_i]", "yd", .length, UnitScale(9_144, over: 10_000), ["yard", "yards"]),
    Row("[mi_i]", "mi", .length, UnitScale(1_609_344, over: 1_000), ["mile", "miles"]),
    Row("[nmi_i]", "nmi", .length, UnitScale(1_852), ["nautical mile", "nautical miles"]),
    Row("[mil_i]", "mil", .length, UnitScale(254, over: 10_000_000), ["thou"]),

    Row("m2", "m²", .area, UnitScale(1), ["sqm"]),
    Row("mm2", "mm²", .area, UnitScale(1, over: 1_000_000)),
    Row("cm2", "cm²", .area, UnitScale(1, over: 10_000)),
    Row("km2", "km²", .area, UnitScale(1_000_000)),
    Row("har", "ha", .area, UnitScale(10_000), ["hectare", "hectares"]),
    Row("[acr_us]", "ac", .area, UnitScale(4_046.872609874252), ["acre", "acres"]),

    Row("m/s", "m/s", .speed, UnitScale(1), ["mps", "m.s-1"]),
    Row("mm/s", "mm/s", .speed, UnitScale(1, over: 1_000), ["mm.s-1"]),
    Row("m/min", "m/min", .speed, UnitScale(1, over: 60)),
    Row("mm/min", "mm/min", .speed, UnitScale(1, over: 60_000)),
    Row("km/h", "km/h", .speed, UnitScale(5, over: 18), ["kmh", "kph", "KPH", "kmph"]),
    Row("cm/s", "cm/s", .speed, UnitScale(1, over: 100)),
    Row("[mi_i]/h", "mph", .speed, UnitScale(44_704, over: 100_000), ["MPH", "mi/h"]),
    Row("[kn_i]", "kn", .speed, UnitScale(463, over: 900), ["kts", "knot", "knots"]),
    Row("[ft_i]/s", "ft/s", .speed, UnitScale(3_048, over: 10_000), ["fps"]),
    Row("[ft_i]/min", "ft/min", .speed, UnitScale(3_048, over: 600_000), ["fpm"]),
    Row("mm/h", "mm/h", .speed, UnitScale(1, over: 3_600_000)),
    Row("mm/d", "mm/d", .speed, UnitScale(1, over: 86_400_000)),
    Row("[in_i]/h", "in/h", .speed, UnitScale(254, over: 36_000_000)),

    Row("m/s2", "m/s²", .acceleration, UnitScale(1), ["m/s^2", "m.s-2", "m/s/s"]),
    Row("mm/s2", "mm/s²", .acceleration, UnitScale(1, over: 1_000), ["mm/s^2"]),
    Row(
      "[g]", "g", .acceleration, UnitScale(980_665, over: 100_000),
      ["g-force", "gravity", "gn", "g0"], isMetric: true),
    Row("m[g]", "mg", .acceleration, UnitScale(980_665, over: 100_000_000), ["milli-g"]),

    Row("m3", "m³", .volume, UnitScale(1), ["m^3", "cbm"]),
    Row(
      "L", "L", .volume, UnitScale(1, over: 1_000), ["l", "litre", "litres", "liter", "liters"],
      isMetric: true),
    Row("mL", "mL", .volume, UnitScale(1, over: 1_000_000), ["ml", "cc"]),
    Row("cm3", "cm³", .volume, UnitScale(1, over: 1_000_000), ["ccm"]),
    Row("cL", "cL", .volume, UnitScale(1, over: 100_000), ["cl"]),
    Row("dL", "dL", .volume, UnitScale(1, over: 10_000), ["dl"]),
    Row("hL", "hL", .volume, UnitScale(1, over: 10), ["hl"]),
    Row(
      "[gal_us]", "gal", .volume, UnitScale(3_785_411_784, over: 1_000_000_000_000),
      ["gallon", "gallons"]),
    Row("[gal_br]", "gal (UK)", .volume, UnitScale(454_609, over: 100_000_000), ["imp gal"]),
    Row("[foz_us]", "fl. oz.", .volume, UnitScale(29.5735295625e-6), ["fl oz"]),
    Row(
      "[bbl_us]", "bbl", .volume, UnitScale(158_987_294_928, over: 1_000_000_000_000),
      ["barrel", "barrels"]),
    Row(
      "[ft_i]3", "ft³", .volume, UnitScale(28_316_846_592, over: 1_000_000_000_000),
      ["cu ft"]),
    Row("100.[ft_i]3", "CCF", .volume, UnitScale(28_316_846_592, over: 10_000_000_000)),
    Row("1000.[ft_i]3", "MCF", .volume, UnitScale(28_316_846_592, over: 1_000_000_000)),
    Row("[in_i]3", "in³", .volume, UnitScale(16_387_064, over: 1_000_000_000_000), ["cu in"]),

    Row("m3/s", "m³/s", .volumeFlow, UnitScale(1)),
    Row("m3/min", "m³/min", .volumeFlow, UnitScale(1, over: 60)),
    Row(
      "m3/h", "m³/h", .volumeFlow, UnitScale(1, over: 3_600), ["m^3/h", "cbm/h", "m3/hr", "CMH"]),
    Row("L/s", "L/s", .volumeFlow, UnitScale(1, over: 1_000), ["l/s"]),
    Row("L/min", "L/min", .volumeFlow, UnitScale(1, over: 60_000), ["l/min", "lpm", "LPM"]),
    Row("L/h", "L/h", .volumeFlow, UnitScale(1, over: 3_600_000), ["l/h"]),
    Row("mL/min", "mL/min", .volumeFlow, UnitScale(1, over: 60_000_000), ["ml/min"]),
    Row("m3/d", "m³/d", .volumeFlow, UnitScale(1, over: 86_400)),
    Row("mL/s", "mL/s", .volumeFlow, UnitScale(1, over: 1_000_000), ["ml/s"]),
    Row(
      "[gal_us]/min", "gal/min", .volumeFlow, UnitScale(3_785_411_784, over: 60_000_000_000_000),
      ["gpm", "GPM"]),
    Row(
      "[gal_us]/h", "gal/h", .volumeFlow, UnitScale(3_785_411_784, over: 3_600_000_000_000_000),
      ["gph"]),
    Row(
      "[ft_i]3/min", "ft³/min", .volumeFlow, UnitScale(28_316_846_592, over: 60_000_000_000_000),
      ["CFM", "cfm"]),

    Row("m3{norm}", "Nm³", .normVolume, UnitScale(1), ["m3(n)"]),
    Row("L{norm}", "NL", .normVolume, UnitScale(1, over: 1_000), ["Nl"]),

    Row("m3{norm}/h", "Nm³/h", .normVolumeFlow, UnitScale(1, over: 3_600), ["m3(n)/h"]),
    Row("L{norm}/min", "NL/min", .normVolumeFlow, UnitScale(1, over: 60_000), ["Nl/min"]),

    Row("kg", "kg", .mass, UnitScale(1), ["kilogram", "kilograms"]),
    Row("g", "g", .mass, UnitScale(1, over: 1_000), ["gram", "grams"], isMetric: true),
    Row("mg", "mg", .mass, UnitScale(1, over: 1_000_000)),
    Row("ug", "µg", .mass, UnitScale(1, over: 1_000_000_000)),
    Row("t", "t", .mass, UnitScale(1_000), ["tonne", "tonnes"], isMetric: true),
    Row(
      "[lb_av]", "lb", .mass, UnitScale(45_359_237, over: 100_000_000), ["lbs", "pound", "pounds"]),
    Row(
      "[oz_av]", "oz", .mass, UnitScale(28_349_523_125, over: 1_000_000_000_000),
      ["ounce", "ounces"]),
    Row("[stone_av]", "st", .mass, UnitScale(635_029_318, over: 100_000_000), ["stone"]),
    Row("[ston_av]", "short ton", .mass, UnitScale(90_718_474, over: 100_000)),

    Row("kg/s", "kg/s", .massFlow, UnitScale(1)),
    Row("kg/min", "kg/min", .massFlow, UnitScale(1, over: 60)),
    Row("kg/h", "kg/h", .massFlow, UnitScale(1, over: 3_600), ["kg/hr"]),
    Row("g/s", "g/s", .massFlow, UnitScale(1, over: 1_000)),
    Row("t/h", "t/h", .massFlow, UnitScale(5, over: 18)),
    Row("g/h", "g/h", .massFlow, UnitScale(1, over: 3_600_000)),
    Row("g/min", "g/min", .massFlow, UnitScale(1, over: 60_000)),
    Row("t/d", "t/d", .massFlow, UnitScale(5, over: 432)),
    Row("[lb_av]/h", "lb/h", .massFlow, UnitScale(45_359_237, over: 360_000_000_000)),

    Row("N", "N", .force, UnitScale(1), ["newton", "newtons"], isMetric: true),
    Row("kN", "kN", .force, UnitScale(1_000)),
    Row("MN", "MN", .force, UnitScale(1_000_000)),
    Row("daN", "daN", .force, UnitScale(10)),
    Row("gf", "gf", .force, UnitScale(980_665, over: 100_000_000), isMetric: true),
    Row("kgf", "kgf", .force, UnitScale(980_665, over: 100_000), ["kp"]),
    Row("[lbf_av]", "lbf", .force, UnitScale(44_482_216_152_605, over: 10_000_000_000_000)),

    Row("N.m", "N·m", .torque, UnitScale(1), ["Nm", "newton metres"]),
    Row("kN.m", "kN·m", .torque, UnitScale(1_000), ["kNm"]),
    Row("mN.m", "mN·m", .torque, UnitScale(1, over: 1_000), ["mNm"]),
    Row("N.cm", "N·cm", .torque, UnitScale(1, over: 100), ["Ncm"]),
    Row(
      "[lbf_av].[ft_i]", "lbf·ft", .torque, UnitScale(1.3558179483314004),
      ["ft-lb", "lb-ft", "ft lbf"]),

    Row("Hz", "Hz", .frequency, UnitScale(1), ["hertz", "HZ"], isMetric: true),
    Row("/s", "1/s", .frequency, UnitScale(1), ["s-1", "s^-1", "cps"]),
    Row(
      "/min", "1/min", .frequency, UnitScale(1, over: 60),
      [
        "rpm", "RPM", "r/min", "rev/min", "U/min", "min-1", "min^-1", "{rpm}", "{rev}/min", "u/min",
        "Upm", "bpm", "BPM", "spm",
      ]),
    Row("/h", "1/h", .frequency, UnitScale(1, over: 3_600)),
    Row("/d", "1/d", .frequency, UnitScale(1, over: 86_400)),
    Row("kHz", "kHz", .frequency, UnitScale(1_000)),
    Row("MHz", "MHz", .frequency, UnitScale(1_000_000)),
    Row("GHz", "GHz", .frequency, UnitScale(1_000_000_000)),

    Row(
      "s", "s", .time, UnitScale(1), ["sec", "second", "seconds", "Sec", "secs"], isMetric: true),
    Row("ms", "ms", .time, UnitScale(1, over: 1_000), ["msec", "millisecond", "milliseconds"]),
    Row("us", "µs", .time, UnitScale(1, over: 1_000_000), ["microsecond", "microseconds"]),
    Row("ns", "ns", .time, UnitScale(1, over: 1_000_000_000)),
    Row("min", "min", .time, UnitScale(60), ["minute", "minutes", "mins"]),
    Row("h", "h", .time, UnitScale(3_600), ["hr", "hour", "hours", "hrs"]),
    Row("d", "d", .time, UnitScale(86_400), ["day", "days"]),
    Row("wk", "wk", .time, UnitScale(604_800), ["week", "weeks"]),
    Row("mo", "mo", .time, UnitScale(2_629_800), ["month", "months"]),
    Row("a", "a", .time, UnitScale(31_557_600), ["yr", "year", "years"]),

    Row(
      "1", "1", .ratio, UnitScale(1),
      ["one", "ratio", "cosφ", "cos φ", "cos(φ)", "cosphi", "cos phi", "PF"]),
    Row(
      "%", "%", .ratio, UnitScale(1, over: 100),
      [
        "percent", "pct", "%RH", "%rH", "%rh", "RH", "rH", "% r.F.", "Pct", "PCT", "Vol%", "vol%",
        "% v/v",
      ]),
    Row("[ppth]", "‰", .ratio, UnitScale(1, over: 1_000)),
    Row("[ppm]", "ppm", .ratio, UnitScale(1, over: 1_000_000), ["PPM"]),
    Row("[ppb]", "ppb", .ratio, UnitScale(1, over: 1_000_000_000), ["PPB"]),
    Row("[pptr]", "ppt", .ratio, UnitScale(1, over: 1_000_000_000_000)),

    Row(
      "{count}", "{count}", .count, UnitScale(1),
      [
        "count", "counts", "pcs", "pc", "piece", "pieces", "parts", "cycles", "items", "Stk",
        "Stck", "Stück", "ea", "pulses", "Imp", "impulses", "{#}",
      ]),

    Row("lx", "lx", .illuminance, UnitScale(1), ["lux", "Lux", "LUX"], isMetric: true),
    Row("klx", "klx", .illuminance, UnitScale(1_000)),

    Row("lm", "lm", .luminousFlux, UnitScale(1), ["lumen"], isMetric: true),
    Row("klm", "klm", .luminousFlux, UnitScale(1_000)),

    Row("cd", "cd", .luminousIntensity, UnitScale(1), ["candela"], isMetric: true),
    Row("cd/m2", "cd/m²", .luminance, UnitScale(1), ["nits"]),

    Row("dB", "dB", .soundLevel, UnitScale(1), ["decibel"]),

    Row("dB{A}", "dB(A)", .weightedSoundLevel, UnitScale(1), ["dB[A]", "dBA"]),

    Row("dB[SPL]", "dB SPL", .soundPressureLevel, UnitScale(1), ["dBspl"]),
    Row("B[SPL]", "B SPL", .soundPressureLevel, UnitScale(10), ["Bspl"]),

    Row("dB{mW}", "dBm", .signalLevel, UnitScale(1)),
    Row("dB[W]", "dBW", .signalLevel, UnitScale(1, zero: 3_000)),

    Row("rad", "rad", .angle, UnitScale(1), ["radian", "radians"], isMetric: true),
    Row(
      "deg", "°", .angle, UnitScale(0.017453292519943295), ["degree", "degrees", "°deg"]),
    Row("gon", "gon", .angle, UnitScale(0.015707963267948967), ["grade"]),
    Row("circ", "turn", .angle, UnitScale(6.283185307179586), ["turns"]),

    Row("sr", "sr", .solidAngle, UnitScale(1), ["steradian"]),

    Row("mol", "mol", .amount, UnitScale(1), ["mole", "moles"], isMetric: true),

    Row("kat", "kat", .catalyticActivity, UnitScale(1), isMetric: true),

    Row("Bq", "Bq", .activity, UnitScale(1), ["becquerel"], isMetric: true),
    Row("Ci", "Ci", .activity, UnitScale(37_000_000_000), ["curie"], isMetric: true),

    Row("Gy", "Gy", .absorbedDose, UnitScale(1), isMetric: true),

    Row("Sv", "Sv", .doseEquivalent, UnitScale(1), ["sievert"], isMetric: true),
    Row("mSv", "mSv", .doseEquivalent, UnitScale(1, over: 1_000)),
    Row("uSv", "µSv", .doseEquivalent, UnitScale(1, over: 1_000_000)),

    Row("{count}/m3", "p/m³", .numberDensity, UnitScale(1)),

    Row("mol/L", "mol/L", .concentration, UnitScale(1_000), ["mol/l"]),
    Row("mmol/L", "mmol/L", .concentration, UnitScale(1), ["mmol/l"]),
    Row("mol/m3", "mol/m³", .concentration, UnitScale(1)),

    Row("kg/m3", "kg/m³", .density, UnitScale(1)),
    Row("g/m3", "g/m³", .density, UnitScale(1, over: 1_000)),
    Row("mg/m3", "mg/m³", .density, UnitScale(1, over: 1_000_000)),
    Row("ug/m3", "µg/m³", .density, UnitScale(1, over: 1_000_000_000), ["ug/m^3"]),
    Row("g/L", "g/L", .density, UnitScale(1), ["g/l"]),
    Row("mg/L", "mg/L", .density, UnitScale(1, over: 1_000), ["mg/l"]),
    Row("g/cm3", "g/cm³", .density, UnitScale(1_000), ["g/ml", "g/mL"]),
    Row("ug/L", "µg/L", .density, UnitScale(1, over: 1_000_000), ["ug/l"]),
    Row("mg/dL", "mg/dL", .density, UnitScale(1, over: 100), ["mg/dl"]),
    Row("kg/L", "kg/L", .density, UnitScale(1_000), ["kg/l"]),

    Row("bit", "bit", .data, UnitScale(1, over: 8), ["bits"], isMetric: true),
    Row("kbit", "kbit", .data, UnitScale(125)),
    Row("Mbit", "Mbit", .data, UnitScale(125_000)),
    Row("Gbit", "Gbit", .data, UnitScale(125_000_000)),
    Row("By", "B", .data, UnitScale(1), ["byte", "bytes"], isMetric: true),
    Row("kBy", "kB", .data, UnitScale(1_000), ["KB"]),
    Row("MBy", "MB", .data, UnitScale(1_000_000)),
    Row("GBy", "GB", .data, UnitScale(1_000_000_000)),
    Row("TBy", "TB", .data, UnitScale(1_000_000_000_000)),
    Row("KiBy", "KiB", .data, UnitScale(1_024), ["KiByte"]),
    Row("MiBy", "MiB", .data, UnitScale(1_048_576)),
    Row("GiBy", "GiB", .data, UnitScale(1_073_741_824)),
    Row("TiBy", "TiB", .data, UnitScale(1_099_511_627_776)),

    Row("By/s", "B/s", .dataRate, UnitScale(1)),
    Row("kBy/s", "kB/s", .dataRate, UnitScale(1_000), ["KB/s"]),
    Row("MBy/s", "MB/s", .dataRate, UnitScale(1_000_000)),
    Row("GBy/s", "GB/s", .dataRate, UnitScale(1_000_000_000)),
    Row("KiBy/s", "KiB/s", .dataRate, UnitScale(1_024)),
    Row("MiBy/s", "MiB/s", .dataRate, UnitScale(1_048_576)),
    Row("bit/s", "bit/s", .dataRate, UnitScale(1, over: 8), ["bps"]),
    Row("kbit/s", "kbit/s", .dataRate, UnitScale(125), ["kbps", "Kbps"]),
    Row("Mbit/s", "Mbit/s", .dataRate, UnitScale(125_000), ["Mbps"]),
    Row("Gbit/s", "Gbit/s", .dataRate, UnitScale(125_000_000), ["Gbps"]),

    Row("Ohm", "Ω", .resistance, UnitScale(1), ["ohm", "ohms", "Ohms"], isMetric: true),
    Row("mOhm", "mΩ", .resistance, UnitScale(1, over: 1_000)),
    Row("kOhm", "kΩ", .resistance, UnitScale(1_000)),
    Row("MOhm", "MΩ", .resistance, UnitScale(1_000_000)),

    Row("S", "S", .conductance, UnitScale(1), ["siemens"], isMetric: true),
    Row("mS", "mS", .conductance, UnitScale(1, over: 1_000)),
    Row("uS", "µS", .conductance, UnitScale(1, over: 1_000_000)),

    Row("S/m", "S/m", .conductivity, UnitScale(1)),
    Row("S/cm", "S/cm", .conductivity, UnitScale(100)),
    Row("mS/cm", "mS/cm", .conductivity, UnitScale(1, over: 10)),
    Row("uS/cm", "µS/cm", .conductivity, UnitScale(1, over: 10_000)),

    Row("F", "F", .capacitance, UnitScale(1), ["farad"], isMetric: true),
    Row("uF", "µF", .capacitance, UnitScale(1, over: 1_000_000)),
    Row("nF", "nF", .capacitance, UnitScale(1, over: 1_000_000_000)),
    Row("pF", "pF", .capacitance, UnitScale(1, over: 1_000_000_000_000)),

    Row("H", "H", .inductance, UnitScale(1), ["henry"], isMetric: true),
    Row("mH", "mH", .inductance, UnitScale(1, over: 1_000)),
    Row("uH", "µH", .inductance, UnitScale(1, over: 1_000_000)),

    Row("A.h", "Ah", .charge, UnitScale(3_600), ["Amp hours"]),
    Row("A.s", "As", .charge, UnitScale(1), ["coulomb", "coulombs"]),
    Row("mA.h", "mAh", .charge, UnitScale(18, over: 5)),

    Row("T", "T", .magneticFluxDensity, UnitScale(1), ["tesla"], isMetric: true),
    Row("mT", "mT", .magneticFluxDensity, UnitScale(1, over: 1_000)),
    Row("uT", "µT", .magneticFluxDensity, UnitScale(1, over: 1_000_000)),

    Row("Wb", "Wb", .magneticFlux, UnitScale(1), ["weber"], isMetric: true),

    Row("[pH]", "pH", .acidity, UnitScale(1), ["PH"]),

    Row("{NTU}", "NTU", .turbidity, UnitScale(1), ["FNU", "FTU"]),

    Row("W/m2", "W/m²", .irradiance, UnitScale(1), ["W/m^2"]),
    Row("kW/m2", "kW/m²", .irradiance, UnitScale(1_000)),

    Row("Pa.s", "Pa·s", .dynamicViscosity, UnitScale(1)),
    Row("mPa.s", "mPa·s", .dynamicViscosity, UnitScale(1, over: 1_000), ["cP"]),

    Row("m2/s", "m²/s", .kinematicViscosity, UnitScale(1)),
    Row("mm2/s", "mm²/s", .kinematicViscosity, UnitScale(1, over: 1_000_000), ["cSt"]),
  ]
}
