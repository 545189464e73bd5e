import Foundation
import Telemetry

/// The query of a request: every name in it is one that the route knows.
struct QueryParameters: Sendable {
  private var pairs: [(name: String, value: String)] = []

  /// - Throws: `Problem` 400 that names the nearest known parameter.
  init(_ query: String?, known: [String]) throws(Problem) {
    for part in (query ?? "").split(separator: "&") {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = QueryParameters.decoded(halves[0])
      guard let name else {
        throw .badParameter(String(halves[0]), "it is not percent-encoded UTF-8")
      }
      guard known.contains(name) else { throw QueryParameters.unknown(name, known: known) }
      guard let value = QueryParameters.decoded(halves.count > 1 ? halves[1] : "") else {
        throw .badParameter(name, "its value is not percent-encoded UTF-8")
      }
      pairs.append((name, value))
    }
  }

  private static func unknown(_ name: String, known: [String]) -> Problem {
    let hint: String
    if let near = nearestName(to: name, among: known) {
      hint = "did you mean `\(near)`?"
    } else if known.isEmpty {
      hint = "no parameters are taken here"
    } else {
      hint = "known are \(known.sorted().joined(separator: ", "))"
    }
    var problem = Problem.badParameter(name, "there is no such parameter; \(hint)")
    problem.slug = "unknown-parameter"
    problem.title = "A query parameter is not known"
    return problem
  }

  /// A `+` stays a plus: it stands in times, and blanks can be written as `%20`.
  private static func decoded(_ text: Substring) -> String? { text.removingPercentEncoding }

  subscript(_ name: String) -> String? { pairs.last { $0.name == name }?.value }

  /// All values of a repeated or comma-separated parameter.
  func list(_ name: String) -> [String] {
    pairs.filter { $0.name == name }.flatMap { pair in
      pair.value.split(separator: ",").map(String.init)
    }
  }

  func integer(_ name: String, in range: ClosedRange<Int>, default standard: Int) throws(Problem)
    -> Int
  {
    guard let text = self[name] else { return standard }
    guard let number = Int(text), range.contains(number) else {
      throw .badParameter(
        name, "`\(text)` is no whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// The name of a choice; the nearest one is told when it is none.
  func choice(_ name: String, of choices: [String]) throws(Problem) -> String? {
    guard let text = self[name] else { return nil }
    guard choices.contains(text) else { throw QueryParameters.noChoice(name, text, choices) }
    return text
  }

  static func noChoice(_ name: String, _ text: String, _ choices: [String]) -> Problem {
    let near = nearestName(to: text, among: choices).map { "; did you mean `\($0)`?" } ?? ""
    return .badParameter(
      name, "`\(text)` is not among \(choices.joined(separator: ", "))\(near)")
  }
}
