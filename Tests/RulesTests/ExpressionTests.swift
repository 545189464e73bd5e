import Telemetry
import TestSupport
import Testing

@testable import Rules

@Suite struct ExpressionTests {
  /// Fully parenthesised, for reading precedence.
  static func rendered(_ syntax: Syntax) -> String {
    switch syntax.form {
    case .number(let value, let unit): shownNumber(value) + (unit.map { "[\($0.code)]" } ?? "")
    case .samples(let count): "\(count) samples"
    case .boolean(let flag): "\(flag)"
    case .text(let text): "\"\(text)\""
    case .signal(let reference): reference.description
    case .call(let name, let arguments):
      "\(name)(\(arguments.map(rendered).joined(separator: ", ")))"
    case .negative(let inner): "-(\(rendered(inner)))"
    case .not(let inner): "not(\(rendered(inner)))"
    case .binary(let op, let a, let b): "(\(rendered(a)) \(op.rawValue) \(rendered(b)))"
    case .membership(let subject, let members, let isNegated):
      "\(rendered(subject))\(isNegated ? " not" : "") in {\(members.map(rendered).joined(separator: ", "))}"
    case .sequence(let a, let b, let span):
      "<\(rendered(a)) then \(rendered(b)) within \(rendered(span))>"
    }
  }

  @Test(
    "Operators bind as in school: not, products, sums, comparisons, and, or, then",
    arguments: [
      ("a + b * c > 3", "((a + (b * c)) > 3)"),
      ("a - b - c > 0", "(((a - b) - c) > 0)"),
      ("a / b / 2 < 1", "(((a / b) / 2) < 1)"),
      ("a > 1 and b < 2 or not c > 3", "(((a > 1) and (b < 2)) or not((c > 3)))"),
      ("a > 1 or b < 2 and c", "((a > 1) or ((b < 2) and c))"),
      ("not a and b", "(not(a) and b)"),
      ("-a * 2 > -3", "((-(a) * 2) > -3)"),
      ("(a or b) and c", "((a or b) and c)"),
      ("s in {idle, \"off\"} and x", "(s in {\"idle\", \"off\"} and x)"),
      ("s not in {running}", "s not in {\"running\"}"),
      ("a then b within 30 s", "<a then b within 30[s]>"),
      ("a and b then c or d within 1 min", "<(a and b) then (c or d) within 1[min]>"),
      ("a then b within 5 s then c within 9 s", "<<a then b within 5[s]> then c within 9[s]>"),
      ("t > 80 °C", "(t > 80[Cel])"), ("f<2L/min", "(f < 2[L/min])"),
      ("n > 1450 1/min", "(n > 1450[/min])"), ("p ≥ 3bar", "(p >= 3[bar])"),
      ("mean(t, 20 samples) > 5", "(mean(t, 20 samples) > 5)"),
      ("voltage.l1 > 2.5e2 V", "(voltage.l1 > 250[V])"),
      ("press1/temperature > ./pump/temperature", "(press1/temperature > ./pump/temperature)"),
      ("`room-office/co2` > 5", "(room-office/co2 > 5)"), ("`odd name` == 1", "(odd name == 1)"),
      ("good / cycles < 0.9", "((good / cycles) < 0.9)"),
    ])
  func precedence(_ text: String, _ expected: String) throws {
    #expect(Self.rendered(try ExpressionParser.parse(text)) == expected)
  }

  @Test(
    "A mistake is told where it is",
    arguments: [
      ("", 0, "empty"), ("temperature >", 13, "expected a value here, found the end"),
      ("a > c b", 6, "expected an operator"), ("a < b < c", 6, "do not chain"),
      ("(a > 1", 6, "expected `)`"), ("a = 1", 2, "written `==`"), ("a && b", 2, "`and`"),
      ("!a", 0, "`not`"), ("a > 80 °Z", 7, "unknown unit `°Z`"),
      ("a > 8 kwh", 6, "did you mean `kWh`"), ("s in running", 5, "after `in`"),
      ("a then b", 8, "expected `within`"), ("x == \"open", 5, "no closing quote"),
      ("a > 1 and", 9, "expected a value"), ("a $ b", 2, "no meaning"),
      ("./press > 1", 0, "./path/metric"), ("mean(a, 0 samples)", 8, "above 0"),
      ("`open > 1", 0, "backquote"),
    ])
  func mistakes(_ text: String, _ offset: Int, _ part: String) {
    let error = #expect(throws: ExpressionError.self) { try ExpressionParser.parse(text) }
    #expect(error?.offset == offset)
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
  }

  @Test("Deep nesting and endless text are refused, not crashed on")
  func bounds() {
    let deep = String(repeating: "(", count: 5_00) + "a"
    #expect(throws: ExpressionError.self) { try ExpressionParser.parse(deep) }
    let nots = String(repeating: "not ", count: 900) + "a"
    #expect(throws: ExpressionError.self) { try ExpressionParser.parse(nots) }
    let signs = String(repeating: "-", count: 3_000) + "1 > 0"
    #expect(throws: ExpressionError.self) { try ExpressionParser.parse(signs) }
    let long = String(repeating: "a + ", count: 2_000) + "a > 1"
    #expect(throws: ExpressionError.self) { try ExpressionParser.parse(long) }
  }

  @Test("No text makes the reader trap", arguments: 0..<20)
  func fuzz(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let pieces = [
      "a", "b/c", "./x/y", "3", "5 °C", "2 {count}/min", "(", ")", "{", "}", ",", "in", "then",
      "within", "and", "or", "not", "-", "+", "*", "/", "<", ">=", "==", "\"t\"", "`", "mean(",
      "20 samples", ".", "1/", "%", "[", "é",
    ]
    for _ in 0..<500 {
      let text = (0..<Int.random(in: 1...12, using: &random)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }.joined(separator: Bool.random(using: &random) ? " " : "")
      _ = try? ExpressionParser.parse(text)  // What is wrong with it is tested above.
    }
  }
}
