import Telemetry

/// The body of the command `twin.desire`:
/// `{"patch": {"speed": 1.2, "mode": null}, "if_match": 3, "not_after": "2026-05-01T12:00:00Z"}`.
///
/// `patch` is a JSON Merge Patch (RFC 7396) of what is desired: a value in the property's unit,
/// `{"value": 4.3, "unit": "km/h"}`, or null to take the desire back. `if_match` is the version that the
/// person saw; null or absent: whatever it is. After `not_after` the command is refused.
struct DesirePatch {
  var members: [(name: String, value: JSONValue)]
  var version: UInt64?
  var notAfter: Timestamp?

  static let membersMax = 100

  init(_ text: String) throws(CommandRefusal) {
    let body: JSONValue
    do throws(JSONReader.Failure) {
      body = try JSONReader.read(Array(text.utf8))
    } catch {
      throw Self.refusal("the body is no JSON: \(error.detail)")
    }
    guard let patch = body["patch"]?.members else {
      throw Self.refusal("`patch` is a JSON object of properties and their desired values")
    }
    guard patch.count <= Self.membersMax else {
      throw Self.refusal("`patch` has more than \(Self.membersMax) properties")
    }
    members = []
    for (name, value) in patch {
      guard !members.contains(where: { $0.name == name }) else {
        throw Self.refusal("`\(name)` stands twice in the patch")
      }
      members.append((name, value))
    }
    switch body["if_match"] {
    case nil, .null?: break
    case .number(let digits)?:
      guard let number = UInt64(digits) else { fallthrough }
      version = number
    default: throw Self.refusal("`if_match` is the version of the desired state, or null")
    }
    switch body["not_after"] {
    case nil, .null?: break
    case .string(let text)?:
      guard let time = Timestamp(rfc3339: text) else { fallthrough }
      notAfter = time
    default: throw Self.refusal("`not_after` is a time such as 2026-05-01T12:00:00Z")
    }
  }

  private static func refusal(_ detail: String) -> CommandRefusal {
    CommandRefusal(code: "bad_body", detail: detail)
  }
}

extension DesiredProperty {
  /// The value that a member of a patch asks for, in `unit`.
  ///
  /// - Parameter present: what is desired now; an object is merged with it.
  /// - Throws: `wrong_type`, `wrong_unit` or `out_of_range`.
  func value(of wish: JSONValue, present: Value?) throws(CommandRefusal) -> Value {
    var wish = wish
    if let members = wish.members {
      // Merged with the value of before, a new unit alone would silently mean another quantity.
      guard wish["value"].map({ !$0.isNull }) == true,
        members.allSatisfy({ $0.0 == "value" || $0.0 == "unit" })
      else {
        throw CommandRefusal(
          code: "wrong_type",
          detail: "`\(name)` is a value or an object of `value` and `unit`, nothing else")
      }
      wish = JSONValue.object([
        ("value", present.map(JSONValue.init) ?? .null), ("unit", .string(unit?.code ?? "")),
      ]).merging(wish)
    }
    let value = try converted(typed(wish["value"] ?? wish), from: wish["unit"])
    try check(value)
    return value
  }

  private func typed(_ wish: JSONValue) throws(CommandRefusal) -> Value {
    switch (type, wish) {
    case (.number, .number(let digits)):
      if let number = Double(digits), number.isFinite { return .number(number) }
    case (.boolean, .bool(let flag)): return .boolean(flag)
    case (.text, .string(let text)): return .text(text)
    default: break
    }
    let wanted = [
      "a number" + (unit.map { " in \($0.symbol)" } ?? ""), "true or false", "a text",
    ][Int(type.rawValue)]
    throw CommandRefusal(
      code: "wrong_type", detail: "`\(name)` is \(wanted), not \(wish.encoded.prefix(80))")
  }

  private func converted(_ value: Value, from given: JSONValue?) throws(CommandRefusal) -> Value {
    guard let given, !given.isNull else { return value }
    guard let text = given.text else {
      throw CommandRefusal(
        code: "wrong_unit",
        detail: "the unit of `\(name)` is a text, not \(given.encoded.prefix(80))")
    }
    guard text != unit?.code ?? "" else { return value }
    guard let unit else {
      throw CommandRefusal(code: "wrong_unit", detail: "`\(name)` has no unit, so not `\(text)`")
    }
    guard let source = Telemetry.Unit(text) else {
      let hint = Telemetry.Unit.suggestion(for: text).map { ", did you mean `\($0)`?" } ?? ""
      throw CommandRefusal(code: "wrong_unit", detail: "unknown unit `\(text)`\(hint)")
    }
    guard case .number(let number) = value,
      let conversion = Telemetry.Unit.conversion(from: source, to: unit)
    else {
      throw CommandRefusal(
        code: "wrong_unit",
        detail: "`\(name)` is set in \(unit.symbol), which `\(text)` cannot be converted to")
    }
    return .number(conversion.apply(number))
  }

  private func check(_ value: Value) throws(CommandRefusal) {
    let suffix = unit.map { " \($0.symbol)" } ?? ""
    if case .number(let number) = value, let range, !range.contains(number) {
      throw CommandRefusal(
        code: "out_of_range",
        detail: "`\(name)` may be set from \(shortest(range.lowerBound)) to "
          + "\(shortest(range.upperBound))\(suffix), not to \(shortest(number))\(suffix)")
    }
    if !allowed.isEmpty, !allowed.contains(value) {
      throw CommandRefusal(
        code: "out_of_range",
        detail: "`\(name)` may be set to \(allowed.map(\.shown).joined(separator: ", "))\(suffix), "
          + "not to \(value.shown.prefix(80))\(suffix)")
    }
  }
}
