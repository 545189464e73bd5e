import Telemetry

/// What somebody tells a running simulator: to break something, or to repair everything.
///
/// A JSON object on the fault topic:
/// ```
/// {"fault":"bearing_wear","device":"press1","severity":"high","seconds":300}
/// {"fault":"drift","device":"mill1","metric":"temperature","severity":12}
/// {"clear":true}
/// ```
/// `device`, `metric` and `seconds` may be left out; `severity` is a level or a number.
public struct FaultCommand: Sendable, Hashable {
  /// Where the simulator listens unless it is told otherwise.
  public static let defaultTopic = "millwright-simulator/faults"
  /// How long a fault lasts when nobody says.
  public static let usualSeconds = 300.0

  public enum Severity: Sendable, Hashable {
    case level(FaultLevel)
    case number(Double)
  }

  /// `nil`: repair everything.
  public var kind: FaultKind?
  public var device: String?
  public var metric: String?
  public var severity = Severity.level(.high)
  public var seconds = usualSeconds

  public init(_ kind: FaultKind?) { self.kind = kind }

  /// Why a command cannot be carried out, for whoever sent it.
  public struct Refusal: Error, Hashable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
  }

  public init(payload: [UInt8]) throws(Refusal) {
    guard let json = try? JSONReader.read(payload) else {  // What is wrong with it does not matter.
      throw Refusal(
        "a fault is a JSON object like {\"fault\":\"bearing_wear\",\"severity\":\"high\"}")
    }
    if case .bool(true)? = json["clear"] {
      self.init(nil)
      return
    }
    guard let word = Self.text(json["fault"]) else {
      throw Refusal("`fault` says what goes wrong, `clear` repairs everything")
    }
    self.init(try Self.kind(word))
    device = Self.text(json["device"])
    metric = Self.text(json["metric"])
    if let given = json["severity"] { severity = try Self.severity(given) }
    if let given = json["seconds"] {
      guard case .number(let digits) = given, let value = Double(digits) else {
        throw Refusal("`seconds` is a number")
      }
      seconds = value
    }
    try check()
  }

  public static func kind(_ word: String) throws(Refusal) -> FaultKind {
    guard let kind = FaultKind(rawValue: word) else {
      let names = FaultKind.allCases.map(\.rawValue)
      let nearest = nearestName(to: word, among: names).map { ", did you mean \($0)?" } ?? ""
      throw Refusal("'\(word)' is not one of \(names.joined(separator: ", "))\(nearest)")
    }
    return kind
  }

  /// `low`, `medium`, `high` or a number above 0.
  public static func severity(_ word: String) throws(Refusal) -> Severity {
    if let level = FaultLevel(rawValue: word) { return .level(level) }
    guard let number = Double(word), number > 0, number.isFinite else {
      throw Refusal("a severity is low, medium, high or a number above 0, not '\(word)'")
    }
    return .number(number)
  }

  private static func severity(_ value: JSONValue) throws(Refusal) -> Severity {
    switch value {
    case .string(let word), .number(let word): try severity(word)
    default: throw Refusal("`severity` is low, medium, high or a number")
    }
  }

  private static func text(_ value: JSONValue?) -> String? {
    guard case .string(let text)? = value else { return nil }
    return text
  }

  /// What can be told without the plant.
  public func check() throws(Refusal) {
    guard let kind else { return }
    if let device, kind.isOfPlant, !device.isEmpty {
      throw Refusal("\(kind.rawValue) befalls the whole plant; leave the device out")
    }
    if let metric, !kind.metrics.contains(metric) {
      let names = kind.metrics.joined(separator: ", ")
      throw Refusal(
        names.isEmpty
          ? "\(kind.rawValue) has no metric to choose"
          : "'\(metric)' is none of the metrics of \(kind.rawValue): \(names)")
    }
    guard seconds > 0, seconds <= 366 * 86_400 else {
      throw Refusal("a fault lasts more than 0 s and at most a year")
    }
  }

  /// The fault that follows from it at `time`; `nil` when everything is to be repaired.
  /// - Throws: when the plant has no such machine.
  public func fault(at time: Timestamp, machines: [String]) throws(Refusal) -> MachineFault? {
    guard let kind else { return nil }
    try check()
    let device = kind.isOfPlant ? "" : device ?? kind.usualDevice
    if !kind.isOfPlant, !machines.contains(device) {
      let nearest = nearestName(to: device, among: machines).map { ", did you mean \($0)?" } ?? ""
      throw Refusal(
        "there is no machine '\(device)' among \(machines.joined(separator: ", "))\(nearest)")
    }
    let (amount, growth): (Double, Double) =
      switch severity {
      case .level(let level): (kind.severity(level), kind.growthSeconds(level))
      case .number(let number): (number, min(seconds, kind.growthSeconds(.medium)))
      }
    var fault = MachineFault(
      kind, device: device, metric: metric, severity: amount, begin: time, seconds: seconds,
      growthSeconds: growth)
    // Who breaks something wants to see it.
    fault.keepsRunning = [.bearingWear, .overheating, .toolWear, .drift, .stuckSensor].contains(
      kind)
    return fault
  }

  public var payload: [UInt8] {
    guard let kind else { return Array(JSONValue.object([("clear", .bool(true))]).encoded.utf8) }
    var members: [(String, JSONValue)] = [("fault", .string(kind.rawValue))]
    if let device { members.append(("device", .string(device))) }
    if let metric { members.append(("metric", .string(metric))) }
    switch severity {
    case .level(let level): members.append(("severity", .string(level.rawValue)))
    case .number(let number): members.append(("severity", .double(number)))
    }
    members.append(("seconds", .double(seconds)))
    return Array(JSONValue.object(members).encoded.utf8)
  }
}

extension MachineFault: CustomStringConvertible {
  /// `bearing_wear of press1, 50 × noise of vibration, until 2026-11-21T12:05:00Z`.
  public var description: String {
    let place = device.isEmpty ? "the plant" : device
    let whole = severity == severity.rounded() && severity.magnitude < 1e15
    let amount = whole ? "\(Int64(severity))" : "\(severity)"
    let signal = kind.severityUnit == "× noise" && !metric.isEmpty ? " of \(metric)" : ""
    return
      "\(kind.rawValue) of \(place), \(amount) \(kind.severityUnit)\(signal), until \(end.rfc3339)"
  }
}
