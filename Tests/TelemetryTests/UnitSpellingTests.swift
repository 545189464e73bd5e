import Testing

@testable import Telemetry

/// Spellings of other systems, each with the code it must lead to.
@Suite struct UnitSpellingTests {
  static let homeAssistant: [(String, String)] = [
    ("°C", "Cel"), ("°F", "[degF]"), ("K", "K"), ("%", "%"), ("lx", "lx"), ("Pa", "Pa"),
    ("hPa", "hPa"), ("kPa", "kPa"), ("mbar", "mbar"), ("cbar", "cbar"), ("bar", "bar"),
    ("mmHg", "mm[Hg]"), ("inHg", "[in_i'Hg]"), ("inH₂O", "[in_i'H2O]"), ("psi", "[psi]"),
    ("mW", "mW"), ("W", "W"), ("kW", "kW"), ("MW", "MW"), ("GW", "GW"), ("TW", "TW"),
    ("BTU/h", "[Btu_IT]/h"), ("mVA", "mV.A"), ("VA", "V.A"), ("kVA", "kV.A"), ("var", "var"),
    ("kvar", "kvar"), ("J", "J"), ("kJ", "kJ"), ("MJ", "MJ"), ("GJ", "GJ"), ("mWh", "mW.h"),
    ("Wh", "W.h"), ("kWh", "kW.h"), ("MWh", "MW.h"), ("GWh", "GW.h"), ("TWh", "TW.h"),
    ("cal", "cal_th"), ("kcal", "kcal_th"), ("Mcal", "Mcal_th"), ("Gcal", "Gcal_th"),
    ("varh", "var.h"), ("kvarh", "kvar.h"), ("VAh", "V.A.h"), ("kWh/m²", "kW.h/m2"),
    ("µV", "uV"), ("mV", "mV"), ("V", "V"), ("kV", "kV"), ("MV", "MV"), ("mA", "mA"), ("A", "A"),
    ("°", "deg"), ("µs", "us"), ("ms", "ms"), ("s", "s"), ("min", "min"), ("h", "h"), ("d", "d"),
    ("mm", "mm"), ("cm", "cm"), ("m", "m"), ("km", "km"), ("in", "[in_i]"), ("ft", "[ft_i]"),
    ("yd", "[yd_i]"), ("mi", "[mi_i]"), ("nmi", "[nmi_i]"), ("Hz", "Hz"), ("kHz", "kHz"),
    ("MHz", "MHz"), ("GHz", "GHz"), ("m³", "m3"), ("ft³", "[ft_i]3"), ("CCF", "100.[ft_i]3"),
    ("MCF", "1000.[ft_i]3"), ("L", "L"), ("mL", "mL"), ("gal", "[gal_us]"),
    ("fl. oz.", "[foz_us]"), ("m³/h", "m3/h"), ("m³/min", "m3/min"), ("m³/s", "m3/s"),
    ("ft³/min", "[ft_i]3/min"), ("L/h", "L/h"), ("L/min", "L/min"), ("L/s", "L/s"),
    ("gal/min", "[gal_us]/min"), ("gal/h", "[gal_us]/h"), ("gal/d", "[gal_us]/d"),
    ("mL/s", "mL/s"), ("m²", "m2"), ("cm²", "cm2"), ("km²", "km2"), ("mm²", "mm2"),
    ("in²", "[in_i]2"), ("ft²", "[ft_i]2"), ("yd²", "[yd_i]2"), ("mi²", "[mi_i]2"),
    ("ac", "[acr_us]"), ("ha", "har"), ("g", "g"), ("kg", "kg"), ("mg", "mg"), ("µg", "ug"),
    ("oz", "[oz_av]"), ("lb", "[lb_av]"), ("st", "[stone_av]"), ("S/cm", "S/cm"),
    ("mS/cm", "mS/cm"), ("µS/cm", "uS/cm"), ("rpm", "/min"), ("W/m²", "W/m2"),
    ("BTU/(h⋅ft²)", "[Btu_IT]/(h.[ft_i]2)"), ("mm/h", "mm/h"), ("in/h", "[in_i]/h"),
    ("mm/d", "mm/d"), ("in/d", "[in_i]/d"), ("µg/m³", "ug/m3"), ("mg/m³", "mg/m3"),
    ("g/m³", "g/m3"), ("μg/ft³", "ug/[ft_i]3"), ("p/m³", "{count}/m3"), ("ppm", "[ppm]"),
    ("ppb", "[ppb]"), ("mg/dL", "mg/dL"), ("mmol/L", "mmol/L"), ("ft/s", "[ft_i]/s"),
    ("km/h", "km/h"), ("kn", "[kn_i]"), ("m/s", "m/s"), ("mph", "[mi_i]/h"), ("mm/s", "mm/s"),
    ("in/s", "[in_i]/s"), ("m/min", "m/min"), ("dB", "dB"), ("dBA", "dB{A}"), ("dBm", "dB{mW}"),
    ("bit", "bit"), ("kbit", "kbit"), ("Mbit", "Mbit"), ("Gbit", "Gbit"), ("B", "By"),
    ("kB", "kBy"), ("MB", "MBy"), ("GB", "GBy"), ("TB", "TBy"), ("PB", "PBy"), ("KiB", "KiBy"),
    ("MiB", "MiBy"), ("GiB", "GiBy"), ("TiB", "TiBy"), ("bit/s", "bit/s"), ("kbit/s", "kbit/s"),
    ("Mbit/s", "Mbit/s"), ("Gbit/s", "Gbit/s"), ("B/s", "By/s"), ("kB/s", "kBy/s"),
    ("MB/s", "MBy/s"), ("GB/s", "GBy/s"), ("KiB/s", "KiBy/s"), ("MiB/s", "MiBy/s"),
    ("GiB/s", "GiBy/s"), ("pH", "[pH]"), ("Wh/km", "W.h/km"), ("km/kWh", "km/(kW.h)"),
    ("m/s²", "m/s2"), ("g/s", "g/s"), ("kg/h", "kg/h"), ("Bq/m³", "Bq/m3"), ("pCi/L", "pCi/L"),
  ]

  static let registry: [(String, String)] = [
    ("m", "m"), ("kg", "kg"), ("g", "g"), ("s", "s"), ("A", "A"), ("K", "K"), ("cd", "cd"),
    ("mol", "mol"), ("Hz", "Hz"), ("rad", "rad"), ("sr", "sr"), ("N", "N"), ("Pa", "Pa"),
    ("J", "J"), ("W", "W"), ("V", "V"), ("F", "F"), ("Ohm", "Ohm"), ("S", "S"), ("Wb", "Wb"),
    ("T", "T"), ("H", "H"), ("Cel", "Cel"), ("lm", "lm"), ("lx", "lx"), ("Bq", "Bq"), ("Gy", "Gy"),
    ("Sv", "Sv"), ("kat", "kat"), ("m2", "m2"), ("m3", "m3"), ("l", "L"), ("m/s", "m/s"),
    ("m/s2", "m/s2"), ("m3/s", "m3/s"), ("l/s", "L/s"), ("W/m2", "W/m2"), ("cd/m2", "cd/m2"),
    ("bit", "bit"), ("bit/s", "bit/s"), ("pH", "[pH]"), ("dB", "dB"), ("dBW", "dB[W]"),
    ("Bspl", "B[SPL]"), ("count", "{count}"), ("%", "%"), ("%RH", "%"), ("1/s", "/s"),
    ("1/min", "/min"), ("S/m", "S/m"), ("B", "By"), ("VA", "V.A"), ("VAs", "V.A.s"),
    ("var", "var"), ("vars", "var.s"), ("J/m", "J/m"), ("kg/m3", "kg/m3"), ("deg", "deg"),
    ("NTU", "{NTU}"), ("ms", "ms"), ("min", "min"), ("h", "h"), ("MHz", "MHz"), ("kW", "kW"),
    ("kVA", "kV.A"), ("kvar", "kvar"), ("Ah", "A.h"), ("Wh", "W.h"), ("kWh", "kW.h"),
    ("varh", "var.h"), ("kvarh", "kvar.h"), ("kVAh", "kV.A.h"), ("Wh/km", "W.h/km"),
    ("KiB", "KiBy"), ("GB", "GBy"), ("Mbit/s", "Mbit/s"), ("B/s", "By/s"), ("MB/s", "MBy/s"),
    ("mV", "mV"), ("mA", "mA"), ("dBm", "dB{mW}"), ("ug/m3", "ug/m3"), ("mm/h", "mm/h"),
    ("m/h", "m/h"), ("ppm", "[ppm]"), ("hPa", "hPa"), ("mm", "mm"), ("cm", "cm"), ("km", "km"),
    ("km/h", "km/h"),
  ]

  static let plants: [(String, String)] = [
    ("DegC", "Cel"), ("degC", "Cel"), ("deg C", "Cel"), ("degF", "[degF]"), ("barg", "bar{g}"),
    ("bar(g)", "bar{g}"), ("bar (g)", "bar{g}"), ("mbar(g)", "mbar{g}"), ("psig", "[psi]{g}"),
    ("bara", "bar"), ("bar(a)", "bar"), ("kg/h", "kg/h"), ("t/h", "t/h"), ("Nm3/h", "m3{norm}/h"),
    ("Nm³/h", "m3{norm}/h"), ("Nl/min", "L{norm}/min"), ("Nm", "N.m"), ("kNm", "kN.m"),
    ("mm/s", "mm/s"), ("m/s2", "m/s2"), ("g", "g"), ("[g]", "[g]"), ("U/min", "/min"),
    ("1/min", "/min"), ("{rpm}", "/min"), ("min⁻¹", "/min"), ("Ah", "A.h"), ("mAh", "mA.h"),
    ("kvar", "kvar"), ("kVAr", "kvar"), ("cosφ", "1"), ("cos φ", "1"), ("cosphi", "1"),
    ("pH", "[pH]"), ("NTU", "{NTU}"), ("FNU", "{NTU}"), ("µS/cm", "uS/cm"), ("uS/cm", "uS/cm"),
    ("mmH2O", "mm[H2O]"), ("mWS", "m[H2O]"), ("kp", "kgf"), ("PS", "75.kgf.m/s"), ("hp", "[HP]"),
    ("ccm", "cm3"), ("cbm/h", "m3/h"), ("l/h", "L/h"), ("kWh/h", "kW.h/h"), ("Stk", "{count}"),
    ("pcs/min", "{count}/min"), ("mg/l", "mg/L"), ("kgf/cm²", "att"), ("daN", "daN"),
    ("N/mm²", "N/mm2"), ("kA", "kA"), ("mOhm", "mOhm"), ("VAr", "var"), ("ug/m³", "ug/m3"),
  ]

  @Test("The units of Home Assistant, Zigbee2MQTT and Tasmota are read", arguments: homeAssistant)
  func readsHomeAssistant(_ text: String, _ code: String) {
    #expect(Unit(text)?.code == code)
  }

  @Test("The units of the SenML registry are read", arguments: registry)
  func readsRegistry(_ text: String, _ code: String) {
    #expect(Unit(text)?.code == code)
  }

  @Test("The units that controllers write are read", arguments: plants)
  func readsPlants(_ text: String, _ code: String) {
    #expect(Unit(text)?.code == code)
  }

  @Test("No two rows share a spelling, except where a code wins over a symbol")
  func unambiguous() {
    var owners: [String: String] = [:]
    let codes = Set(UnitTable.rows.map(\.code))
    for row in UnitTable.rows {
      for name in Set([row.code, row.symbol] + row.aliases) {
        if codes.contains(name), name != row.code {
          #expect(name == "g" || name == "mg", "`\(name)` of \(row.code) is a code")
          continue
        }
        #expect(owners[name] == nil, "`\(name)`: \(row.code), \(owners[name] ?? "")")
        owners[name] = row.code
      }
    }
  }
}
