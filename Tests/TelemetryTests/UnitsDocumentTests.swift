import Foundation
import Telemetry
import Testing

// Foundation has both names as well.
private typealias Unit = Telemetry.Unit
private typealias Dimension = Telemetry.Dimension

/// `docs/units.md` is printed from the table of units.
@Suite struct UnitsDocumentTests {
  private static let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("docs/units.md")

  @Test("docs/units.md says what the table of units says")
  func agrees() throws {
    let text = UnitsDocument.text
    if ProcessInfo.processInfo.environment["MILLWRIGHT_RECORD_GOLDEN"] == "1" {
      return try text.write(to: Self.url, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: Self.url, encoding: .utf8) == text)
  }

  @Test("The examples of compound units in docs/units.md are read")
  func examples() {
    for (text, code) in UnitsDocument.examples { #expect(Unit(text)?.code == code) }
    for text in ["NM", "ton", "G", "gr"] { #expect(Unit(text) == nil, "\(text)") }
    #expect(Unit("kt")?.code == "kt")
  }
}

private enum UnitsDocument {
  static let examples = [
    ("kWh/d", "kW.h/d"), ("°C/min", "Cel/min"), ("W/(m²·K)", "W/(m2.K)"), ("kg m-3", "kg.m-3"),
    ("10.L/min", "10.L/min"), ("pcs/min", "{count}/min"), ("µSv/h", "uSv/h"),
  ]

  static var text: String {
    ([head] + Dimension.allCases.map(section)).joined(separator: "\n") + "\n"
  }

  private static let head = """
    # Units

    Units are stored by their [UCUM](https://ucum.org/ucum) code. Payloads, profiles and mappings may write the code, the symbol or another spelling of the tables below. Symbols are case sensitive (`mW` is not `MW`); words of four and more letters, such as `Celsius`, are not. Blanks do not matter; `µ` is `u`, `²` is `2`, `·` is `.`, and `^` may be left out.

    Two units convert when they measure the same, and never otherwise: active, reactive and apparent power are three quantities here, as are torque and energy, absolute and gauge pressure, volume and norm volume of a gas, pieces and ratios.

    ## Compound units

    Units are multiplied with `.` or a blank and divided with `/`, from left to right: `a/b.c` is `(a/b).c`. Exponents stand behind a unit (`m2`, `s-1`), parentheses group, a whole number is a factor, text in braces means nothing unless it is listed below. Metric units take the prefixes p n u m c d h k M G T P, bits and bytes also Ki Mi Gi Ti. A temperature within a compound is a difference.

    | written | stored as |
    |---|---|
    \(examples.map { "| `\($0.0)` | `\($0.1)` |" }.joined(separator: "\n"))

    ## Ambiguous letters

    | letters | read as | else write |
    |---|---|---|
    | `C` | degrees Celsius; in SenML the coulomb | `A.s` for the coulomb |
    | `F` | farad | `[degF]` or `°F` for degrees Fahrenheit |
    | `g`, `mg` | gram, milligram | `[g]`, `m[g]` for the acceleration of free fall |
    | `t` | tonne (1000 kg) | `[ston_av]` for the short ton |
    | `B`, `kB`, `MB`, `GB` | bytes | `bit` for bits |
    | `ppt` | parts per trillion | `[ppth]` or `‰` for parts per thousand |
    | `Nm3`, `NL` | norm cubic metre, norm litre | `N.m3` for newton times cubic metre |
    | `kg/cm2` | kilogram-force per square centimetre | – |
    | `kt` | kilotonne | `kn` for the knot |
    | `hp` | mechanical horsepower (745.7 W) | `PS` for the metric one (735.5 W) |

    Not read, because nobody can tell: `NM`, `ton`, `G`, `gr`.

    """

  private static func section(_ dimension: Dimension) -> String {
    let units = Unit.all.filter { $0.dimension == dimension }
    let rows = units.map { unit in
      let aliases = unit.aliases.map { "`\($0)`" }.joined(separator: ", ")
      return "| `\(unit.code)` | \(unit.symbol) | \(factor(unit, to: units[0])) | \(aliases) |"
    }
    return """
      ## \(title(dimension))

      | code | symbol | in \(units[0].symbol) | also written |
      |---|---|---|---|
      \(rows.joined(separator: "\n"))

      """
  }

  /// `weightedSoundLevel` → `Weighted sound level`.
  private static func title(_ dimension: Dimension) -> String {
    var words = ""
    for letter in dimension.rawValue {
      words += letter.isUppercase ? " \(letter.lowercased())" : String(letter)
    }
    return words.prefix(1).uppercased() + words.dropFirst()
  }

  private static func factor(_ unit: Unit, to first: Unit) -> String {
    guard let conversion = Unit.conversion(from: unit, to: first) else { return "–" }
    let scale = shortest(conversion.scale)
    guard conversion.addend != 0 else { return scale }
    let sign = conversion.offset < 0 ? "−" : "+"
    return "\(scale) × value \(sign) \(shortest(conversion.offset.magnitude))"
  }

  private static func shortest(_ number: Double) -> String {
    number == number.rounded() && number.magnitude < 1e15 ? "\(Int(number))" : "\(number)"
  }
}
