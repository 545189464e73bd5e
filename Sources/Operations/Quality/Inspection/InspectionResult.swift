import Telemetry

/// What an inspection found, from an event called `InspectionResult`.
///
/// ```json
/// {"characteristic": "bore", "value": 12.01, "unit": "mm", "order": "4711"}
/// {"characteristic": "bore", "values": [12.01, 12.00], "unit": "mm"}
/// {"characteristic": "paint", "result": "fail", "defects": {"scratch": 2}}
/// {"characteristic": "paint", "inspected": 80, "defective": 3, "defects": {"scratch": 2, "dent": 1},
///  "lot": "L-17", "lot_size": 1000}
/// ```
/// Values are turned into the unit of the characteristic; without `unit` they are taken to be in it.
/// `part`, `order`, `lot` and `product` are kept where given; other members are left to others.
public struct InspectionResult: Sendable, Hashable {
  public enum Finding: Sendable, Hashable {
    /// In the unit of the characteristic, at least one.
    case measured([Double])
    case attributes(inspected: Int, defective: Int, defects: [DefectCount])
  }

  public static let eventName = "InspectionResult"
  /// Values in one event at most.
  public static let valuesMax = 1_000

  public var characteristic: String
  public var time: Timestamp
  public var device: String?
  public var finding: Finding
  public var part: String?
  public var order: String?
  public var lot: String?
  public var lotSize: Int?
  public var product: String?

  /// - Returns: `nil` for events of another name.
  /// - Throws: `InspectionRefusal`: the first field that does not fit, and why.
  public init?(
    _ event: Event, characteristics: [Characteristic]
  ) throws(InspectionRefusal) {
    guard event.name == Self.eventName else { return nil }
    let properties: JSONValue
    do { properties = try JSONReader.read(Array(event.properties.utf8)) } catch {
      throw InspectionRefusal(
        "properties", "they are not JSON: \(error.detail) at byte \(error.offset)")
    }
    let fields = InspectionFields(properties)
    guard let id = try fields.text("characteristic") else {
      throw InspectionRefusal("characteristic", "it is missing: which characteristic was inspected?")
    }
    guard let definition = characteristics.first(where: { $0.id == id }) else {
      let near = nearestName(to: id, among: characteristics.map(\.id))
      throw InspectionRefusal(
        "characteristic",
        "there is no characteristic `\(id)`" + (near.map { ", did you mean `\($0)`?" } ?? ""))
    }
    characteristic = id
    time = event.time
    device = event.device ?? definition.device
    part = try fields.text("part")
    order = try fields.text("order")
    lot = try fields.text("lot")
    lotSize = try fields.count("lot_size")
    product = try fields.text("product")
    finding =
      definition.chart.type.isAttribute
      ? try fields.attributes() : .measured(try fields.values(in: definition.unit))
  }

  /// What the chart of `type` counts: defectives (p, np) or defects (c, u).
  ///
  /// A unit that failed without a defect named counts as one defect.
  func count(_ type: ChartType) -> (count: Int, inspected: Int)? {
    guard case .attributes(let inspected, let defective, let defects) = finding else { return nil }
    let named = defects.reduce(0) { $0 + $1.count }
    return (type == .p || type == .np ? defective : max(defective, named), inspected)
  }
}

/// Why an inspection result cannot be used.
public struct InspectionRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  /// Member of the event's properties.
  public var field: String
  public var reason: String

  public init(_ field: String, _ reason: String) {
    self.field = field
    self.reason = reason
  }

  public var description: String { "InspectionResult, `\(field)`: \(reason)" }
}

/// Reads members one by one, each with its own refusal.
private struct InspectionFields {
  let object: JSONValue

  init(_ object: JSONValue) { self.object = object }

  /// A member that is absent or null is not there.
  private func member(_ name: String) -> JSONValue? {
    object[name].flatMap { $0.isNull ? nil : $0 }
  }

  func text(_ name: String) throws(InspectionRefusal) -> String? {
    guard let value = member(name) else { return nil }
    guard let text = value.text, !text.isEmpty, text.utf8.count <= 256 else {
      throw InspectionRefusal(name, "it must be a text of 1 to 256 bytes, not \(shown(value))")
    }
    return text
  }

  func count(_ name: String) throws(InspectionRefusal) -> Int? {
    guard let value = member(name) else { return nil }
    guard case .number(let digits) = value, let number = Double(digits),
      number == number.rounded(), number >= 0, number <= 1e9
    else {
      throw InspectionRefusal(name, "it must be a whole number from 0 to 10⁹, not \(shown(value))")
    }
    return Int(number)
  }

  private func number(_ value: JSONValue, _ name: String) throws(InspectionRefusal) -> Double {
    guard case .number(let digits) = value, let number = Double(digits), number.isFinite else {
      throw InspectionRefusal(name, "it must be a number, not \(shown(value))")
    }
    return number
  }

  func values(in unit: Unit?) throws(InspectionRefusal) -> [Double] {
    var values: [Double]
    if let single = member("value") {
      guard member("values") == nil else {
        throw InspectionRefusal("values", "give `value` or `values`, not both")
      }
      values = [try number(single, "value")]
    } else {
      guard let list = member("values") else {
        throw InspectionRefusal("value", "it is missing: what was measured?")
      }
      guard let elements = list.elements, !elements.isEmpty,
        elements.count <= InspectionResult.valuesMax
      else {
        throw InspectionRefusal(
          "values", "it must be a list of 1 to \(InspectionResult.valuesMax) numbers")
      }
      values = []
      for (index, element) in elements.enumerated() {
        values.append(try number(element, "values[\(index)]"))
      }
    }
    guard let conversion = try conversion(to: unit) else { return values }
    return values.map { conversion.apply($0) }
  }

  private func conversion(to unit: Unit?) throws(InspectionRefusal) -> Conversion? {
    guard let text = try text("unit") else { return nil }
    guard let given = Unit(text) else {
      let near = Unit.suggestion(for: text).map { ", did you mean `\($0)`?" } ?? ""
      throw InspectionRefusal("unit", "unknown unit `\(text)`\(near)")
    }
    guard let unit else {
      throw InspectionRefusal("unit", "the characteristic has no unit, but the value has `\(text)`")
    }
    guard let conversion = Unit.conversion(from: given, to: unit) else {
      throw InspectionRefusal("unit", "`\(text)` does not convert to `\(unit.code)`")
    }
    return conversion.isIdentity ? nil : conversion
  }

  func attributes() throws(InspectionRefusal) -> InspectionResult.Finding {
    let defects = try self.defects()
    if let result = try text("result") {
      guard result == "pass" || result == "fail" else {
        throw InspectionRefusal("result", "it must be `pass` or `fail`, not `\(result)`")
      }
      if result == "pass", !defects.isEmpty {
        throw InspectionRefusal("defects", "a unit that passed has no defects")
      }
      return .attributes(inspected: 1, defective: result == "fail" ? 1 : 0, defects: defects)
    }
    guard let inspected = try count("inspected") else {
      throw InspectionRefusal("result", "it is missing: give `result`, or `inspected` and `defective`")
    }
    guard inspected > 0 else {
      throw InspectionRefusal("inspected", "at least one unit must have been inspected")
    }
    let defective = try count("defective")
    guard defective != nil || member("defects") != nil else {
      throw InspectionRefusal("defective", "it is missing: how many of the \(inspected) were defective?")
    }
    let named = defects.reduce(0) { $0 + $1.count }
    let number = defective ?? min(named, inspected)
    guard number <= inspected else {
      throw InspectionRefusal("defective", "\(number) of \(inspected) inspected units cannot be")
    }
    return .attributes(inspected: inspected, defective: number, defects: defects)
  }

  private func defects() throws(InspectionRefusal) -> [DefectCount] {
    guard let value = member("defects") else { return [] }
    guard let members = value.members else {
      throw InspectionRefusal("defects", "it must be an object of codes and counts, not \(shown(value))")
    }
    var defects: [DefectCount] = []
    for (code, count) in members {
      guard case .number(let digits) = count, let number = Int(digits), number >= 0,
        number <= 1_000_000_000, !code.isEmpty
      else {
        throw InspectionRefusal(
          "defects.\(code)", "it must be a whole number from 0 to 10⁹, not \(shown(count))")
      }
      if number > 0 { defects.append(DefectCount(code: code, count: number)) }
    }
    return defects
  }

  private func shown(_ value: JSONValue) -> String { "\(value.encoded.prefix(60))" }
}
