import Telemetry
import Testing

@Suite struct UnitTests {
  static func convert(_ value: Double, _ source: String, _ target: String) throws -> Double {
    let from = try #require(Unit(source))
    let to = try #require(Unit(target))
    return try #require(Unit.conversion(from: from, to: to)).apply(value)
  }

  @Test(
    "Published conversions come out to the last bit",
    arguments: [
      (0, "°C", "K", 273.15), (212, "°F", "°C", 100), (32, "°F", "°C", 0), (-40, "°F", "°C", -40),
      (100, "°C", "°F", 212), (273.15, "K", "°C", 0), (1013, "mbar", "bar", 1.013),
      (1.5, "bar", "mbar", 1500), (1, "kWh", "MJ", 3.6), (3.6, "MJ", "kWh", 1),
      (1500, "rpm", "Hz", 25), (25, "Hz", "1/min", 1500), (36, "km/h", "m/s", 10),
      (1, "m³/h", "L/min", 1000.0 / 60), (60, "l/min", "m3/h", 3.6), (1, "[g]", "m/s2", 9.80665),
      (1, "in", "mm", 25.4), (1, "lb", "kg", 0.45359237), (760, "mmHg", "Pa", 101_325.0144354),
      (1, "KiB", "B", 1024), (8, "bit", "B", 1), (50, "%", "1", 0.5), (420, "ppm", "%", 0.042),
      (1, "d", "h", 24), (0.1, "kW", "W", 100), (2.31, "mm/s", "m/s", 0.00231),
      (1, "[in_i]", "cm", 2.54), (1, "[mi_i]/h", "m/s", 0.44704), (0, "°F", "[degRe]", -128.0 / 9),
      (80, "[degRe]", "°C", 100), (491.67, "[degR]", "°C", 0), (1, "nmi", "km", 1.852),
      (1, "kn", "km/h", 1.852), (1, "gal", "L", 3.785411784), (1, "ft³", "L", 28.316846592),
      (1, "bbl", "gal", 42), (1, "at", "Pa", 98_066.5), (1, "PS", "W", 735.49875),
      (1, "BTU", "J", 1_055.05585262), (1, "kcal", "kJ", 4.184), (1, "oz", "g", 28.349523125),
      (1, "lbf", "N", 4.4482216152605), (30, "dBm", "dBW", 0), (0, "dBW", "dBm", 30),
      (1, "inHg", "Pa", 3_386.388640341), (1, "mmol/L", "mol/m3", 1), (1, "Ci", "GBq", 37),
    ] as [(Double, String, String, Double)])
  func published(value: Double, source: String, target: String, expected: Double) throws {
    #expect(try Self.convert(value, source, target) == expected)
  }

  @Test("One psi is 6894.757 Pa (NIST SP 811) and one degree 0.01745 rad")
  func inexact() throws {
    #expect(abs(try Self.convert(1, "psi", "Pa") - 6_894.757293168361) < 1e-9)
    #expect(abs(try Self.convert(14.503773773, "psi", "bar") - 1) < 1e-9)
    #expect(try Self.convert(180, "deg", "rad") == .pi)
    #expect(abs(try Self.convert(1, "hp", "W") - 745.6998715822702) < 1e-9)
    #expect(abs(try Self.convert(1, "lbf·ft", "N.m") - 1.3558179483314004) < 1e-12)
    #expect(try Self.convert(400, "gon", "deg") == 360)
    #expect(abs(try Self.convert(1, "ac", "ha") - 0.4046872609874252) < 1e-12)
  }

  @Test("A conversion to the same unit keeps every bit pattern")
  func identity() throws {
    for value in [-0.0, .nan, .infinity, 0.1, .leastNonzeroMagnitude] as [Double] {
      #expect(try Self.convert(value, "bar", "bar").bitPattern == value.bitPattern)
    }
    #expect(try Self.convert(-0.0, "Hz", "/s").bitPattern == (-0.0).bitPattern)
  }

  @Test("Every thousandth of a power of ten is the nearest double")
  func powersOfTen() throws {
    for whole in 0..<20_000 {
      let value = Double(whole)
      let literal = try #require(Double("\(whole)e-3"))
      #expect(try Self.convert(value, "mbar", "bar") == literal)
    }
  }

  @Test("Units of different dimensions do not convert")
  func dimensions() throws {
    for (a, b) in [("°C", "bar"), ("kW", "kVA"), ("N.m", "J"), ("kWh", "kvarh"), ("1", "{count}")] {
      let from = try #require(Unit(a))
      let to = try #require(Unit(b))
      #expect(Unit.conversion(from: from, to: to) == nil)
    }
  }

  @Test("Any two units of one dimension convert there and back")
  func thereAndBack() throws {
    for a in Unit.all {
      for b in Unit.all where b.dimension == a.dimension {
        let there = try #require(Unit.conversion(from: a, to: b))
        let back = try #require(Unit.conversion(from: b, to: a))
        let result = back.apply(there.apply(20.5))
        #expect(abs(result - 20.5) < 1e-6, "\(a) → \(b)")
        #expect(
          abs(there.apply(1) - (there.scale + there.offset)) <= 1e-9 * there.apply(1).magnitude)
      }
    }
  }

  @Test(
    "Usual spellings lead to the code",
    arguments: [
      ("°C", "Cel"), ("degC", "Cel"), ("C", "Cel"), ("celsius", "Cel"), ("Celsius", "Cel"),
      ("Cel", "Cel"), ("°F", "[degF]"), ("% rH", "%"), ("%RH", "%"), ("rpm", "/min"),
      ("1/min", "/min"), ("kWh", "kW.h"), ("m³/h", "m3/h"), ("m^3/h", "m3/h"), ("l/min", "L/min"),
      ("µm", "um"), ("μm", "um"), ("m/s²", "m/s2"), ("Nm", "N.m"), ("N·m", "N.m"),
      ("dB[A]", "dB{A}"),
      ("dBA", "dB{A}"), ("ppm", "[ppm]"), ("kB", "kBy"), ("Ω", "Ohm"), ("pH", "[pH]"), ("F", "F"),
      ("psi", "[psi]"), ("Percent", "%"), ("pcs", "{count}"), ("VA", "V.A"), ("g", "g"),
      ("mg", "mg"),
      (" bar ", "bar"), ("kW h", "kW.h"),
    ])
  func aliases(text: String, code: String) {
    #expect(Unit(text)?.code == code)
  }

  @Test("Every code names itself, and every symbol a unit that it is a symbol of")
  func codes() {
    for unit in Unit.all {
      #expect(Unit(unit.code) == unit)
      if !unit.symbol.isEmpty { #expect(Unit(unit.symbol) != nil) }
    }
    #expect(Set(Unit.all.map(\.code)).count == Unit.all.count)
  }

  @Test("Symbols are case sensitive and nonsense is no unit")
  func unknown() {
    #expect(Unit("mW")?.code == "mW")
    #expect(Unit("MW")?.code == "MW")
    for text in ["", "furlong", "BAR", "kw", "°", "\u{0}"] where text != "°" {
      #expect(Unit(text) == nil, "\(text)")
    }
  }

  @Test("A misspelt unit is answered with the nearest name")
  func suggestions() {
    #expect(Unit.suggestion(for: "BAR") == "bar")
    #expect(Unit.suggestion(for: "kw") == "kW")
    #expect(Unit.suggestion(for: "celsus") == "celsius")
    #expect(Unit.suggestion(for: "bananas") == nil)
  }

  @Test("The nearest name counts a swap of neighbours as one edit")
  func nearest() {
    #expect(nearestName(to: "uint", among: ["kind", "unit", "type"]) == "unit")
    #expect(nearestName(to: "metrcis", among: ["metric", "metrics"]) == "metrics")
    #expect(nearestName(to: "zebra", among: ["unit", "type"]) == nil)
    #expect(nearestName(to: "", among: ["unit"]) == nil)
    #expect(nearestName(to: "Press", among: ["presa", "press"]) == "press")
  }
}
