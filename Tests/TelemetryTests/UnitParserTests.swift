import TestSupport
import Testing

@testable import Telemetry

@Suite struct UnitParserTests {
  @Test(
    "Compound units are read as UCUM reads them, and convert",
    arguments: [
      ("kW.h/d", "W", 1_000.0 / 24), ("m3/h", "L/min", 1_000.0 / 60), ("W.s", "J", 1),
      ("kg.m/s2", "N", 1), ("kg/(m.s2)", "Pa", 1), ("kg/m/s2", "Pa", 1),
      ("J/(kg.K)", "m2/(s2.K)", 1),
      ("bar/s", "kPa/min", 6_000), ("Cel/min", "K/h", 60), ("kV.A.h/d", "V.A", 1_000.0 / 24),
      ("/(5.min)", "/h", 12), ("10.L/min", "m3/h", 0.6), ("{count}/min", "{count}/h", 60),
      ("[in_i]2", "cm2", 6.4516), ("uSv/h", "mSv/a", 8.766),
      ("[lb_av]/[in_i]2", "kg/m2", 703.069579639159),
      ("TW.h", "GW.h", 1_000), ("kBq/m3", "Bq/L", 1), ("MHz", "kHz", 1_000), ("L/m2", "mm", 1),
      ("m3{gas}/h", "m3/h", 1), ("g/kW.h", "g.h/kW", 1),
    ] as [(String, String, Double)])
  func compounds(_ source: String, _ target: String, _ factor: Double) throws {
    let converted = try UnitTests.convert(1, source, target)
    #expect(abs(converted / factor - 1) < 1e-12, "1 \(source) = \(converted) \(target)")
  }

  @Test(
    "The spellings of devices lead to compound codes as well",
    arguments: [
      ("kWh/d", "kW.h/d"), ("mg/kWh", "mg/(kW.h)"), ("W/(m²·K)", "W/(m2.K)"),
      ("m s-1", "m/s"), ("m s⁻²", "m/s2"), ("rad s-1", "rad.s-1"), ("kg m^-3", "kg.m-3"),
      ("°C/min", "Cel/min"),
      ("l/100", "L/100"), ("kWh / m²", "kW.h/m2"), ("BTU/(h·ft²)", "[Btu_IT]/(h.[ft_i]2)"),
      ("pcs/min", "{count}/min"), ("TB", "TBy"), ("GΩ", "GOhm"), ("mi²", "[mi_i]2"),
      ("gal/d", "[gal_us]/d"), ("pCi/L", "pCi/L"), ("kN/mm2", "kN/mm2"), ("µW/cm²", "uW/cm2"),
      ("1/m", "1/m"), ("m6", "m6"), ("(m3)2", "(m3)2"),
    ] as [(String, String)])
  func spellings(_ text: String, _ code: String) {
    #expect(Unit(text)?.code == code)
  }

  @Test(
    "What is no unit is refused, whatever its length or nesting",
    arguments: [
      "/", ".", "m..s", "m/", "(m", "m)", "()", "m10", "m+", "m0", "10*3/uL", "10^3/uL", "mm[",
      "m{", "kkg",
      "mBAR", "k", "kft", "YmYm", "Pm9.Pm9.Pm9.Pm9.Pm9.Pm9", "1000000000.m", "-1", "m.-2", "°/°°",
      "OPEN",
      "m.m.m.m.m.m.m.m.m.m.m.m.m.m.m.m.m", "(((((m)))))", "mKi", "Kim",
      "12:30", "W/m²K", "M3/H", "M/S/S", "kg/(cm2)", "[", "]", "{", "}", "µ", "\u{0}", "m\u{0}",
      "é",
    ])
  func refused(_ text: String) {
    #expect(Unit(text) == nil)
  }

  @Test("Kilovolt-amperes, newton metres and gauge pressures keep their meaning in a compound")
  func meanings() throws {
    for (a, b) in [
      ("kV.A/m2", "kW/m2"), ("N.m/K", "J/K"), ("bar(g)/s", "bar/s"), ("Nm³/d", "m3/d"),
      ("kvarh/d", "W"), ("pcs/h", "/h"), ("rad/s", "Hz"), ("Bq", "Hz"), ("Sv", "Gy"),
      ("lx", "cd/m2"),
    ] {
      let from = try #require(Unit(a), "\(a)")
      let to = try #require(Unit(b), "\(b)")
      #expect(Unit.conversion(from: from, to: to) == nil, "\(a) → \(b)")
    }
  }

  @Test("The scale of every row is that of the units its code is put together of")
  func rowsAreConsistent() throws {
    var count = 0
    for row in UnitTable.rows where row.code.contains(where: { "./123".contains($0) }) {
      // Parentheses keep the parser from taking several of them for one row.
      let parts = row.code.replacing(/([^.\/\d{}]+({.*?})?)(\d?)/) { "(\($0.1))\($0.3)" }
      guard row.code != "1", let unit = Unit(parts) else { continue }
      count += 1
      let ratio = Conversion(from: unit.scale, to: row.scale).scale
      #expect(abs(ratio - 1) < 1e-12, "\(row.code): \(parts) is \(ratio) times as much")
    }
    #expect(count > 90)
  }

  @Test("The scale of every row with a prefix is that of the row without it")
  func prefixesAreConsistent() {
    var count = 0
    for (prefix, factor) in UnitPrefix.all {
      for metric in UnitTable.rows where metric.isMetric {
        guard let row = UnitTable.rows.first(where: { $0.code == prefix + metric.code }),
          row.dimension == metric.dimension
        else { continue }
        count += 1
        let scale = metric.scale.times(factor, toThe: 1)
        #expect(abs(Conversion(from: scale, to: row.scale).scale - 1) < 1e-12, "\(row.code)")
      }
    }
    #expect(count > 60)
  }

  @Test("The code of any two rows multiplied or divided reads back as the same unit")
  func readsBack() throws {
    var count = 0
    for a in Unit.all {
      for b in Unit.all {
        for text in ["\(a.code).\(b.code)", "\(a.code)/(\(b.code))"] {
          guard let unit = Unit(text) else { continue }
          count += 1
          let again = Unit(unit.code)
          #expect(
            again?.code == unit.code && again?.vector == unit.vector && again?.scale == unit.scale,
            "\(text) → \(unit.code)")
        }
      }
    }
    #expect(count > 100_000)
  }

  @Test("Texts made of names, operators and noise end in a unit that reads back, or in none")
  func survives() {
    let seed: UInt64 = 20_261_121
    var generator = SeededGenerator(seed: seed)
    let pieces =
      UnitTable.names + [".", "/", "(", ")", "2", "-1", "{x}", " ", "k", "µ", "^", "[", "}"]
    var count = 0
    for round in 0..<20_000 {
      let text = (0...Int.random(in: 0...5, using: &generator)).map { _ in
        pieces.randomElement(using: &generator) ?? ""
      }.joined(separator: Bool.random(using: &generator) ? "" : ".")
      guard let unit = Unit(text) else { continue }
      count += 1
      let again = Unit(unit.code)
      guard again == unit, let conversion = again.flatMap({ Unit.conversion(from: $0, to: unit) }),
        abs(conversion.scale - 1) < 1e-12, conversion.addend == 0
      else {
        Issue.record("seed \(seed), round \(round): `\(text)` is `\(unit.code)`, which differs")
        return
      }
    }
    #expect(count > 5_000)
  }

  @Test("Units of any two different dimensions do not convert")
  func mismatches() {
    for a in Unit.all {
      for b in Unit.all where b.dimension != a.dimension {
        #expect(Unit.conversion(from: a, to: b) == nil, "\(a) → \(b)")
      }
    }
  }

  @Test("Dimensions have vectors of their own")
  func vectors() {
    #expect(Set(Dimension.allCases.map(\.vector)).count == Dimension.allCases.count)
    for dimension in Dimension.allCases {
      #expect(Unit.all.contains { $0.dimension == dimension }, "\(dimension)")
    }
  }
}
