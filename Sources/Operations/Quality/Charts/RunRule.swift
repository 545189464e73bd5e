/// A pattern of points that chance alone rarely makes.
///
/// Nelson, Journal of Quality Technology 16 (1984); Western Electric, Statistical Quality Control Handbook (1956).
/// "Beyond" and "within" are strict: a point on a line is neither. Zone rules (2 of 3, 4 of 5) fire at a point
/// that is itself in the zone, also when fewer than 3 or 5 points exist yet.
public enum RunRule: UInt8, Sendable, Hashable, CaseIterable {
  case nelson1, nelson2, nelson3, nelson4, nelson5, nelson6, nelson7, nelson8
  case westernElectric1, westernElectric2, westernElectric3, westernElectric4

  public var name: String {
    rawValue < 8 ? "nelson_\(rawValue + 1)" : "western_electric_\(rawValue - 7)"
  }

  public init?(name: String) {
    guard let rule = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = rule
  }

  /// Points it looks at.
  public var span: Int {
    switch self {
    case .nelson1, .westernElectric1: 1
    case .nelson2: 9
    case .nelson3: 6
    case .nelson4: 14
    case .nelson5, .westernElectric2: 3
    case .nelson6, .westernElectric3: 5
    case .nelson7: 15
    case .nelson8, .westernElectric4: 8
    }
  }

  static let spanMax = 15

  /// What it says to a person, after the name of the side.
  public func sentence(_ side: RunSide) -> String {
    let above = side == .lower ? "below" : "above"
    switch self {
    case .nelson1, .westernElectric1: return "One point is more than 3σ \(above) the centre line."
    case .nelson2: return "Nine points in a row are \(above) the centre line."
    case .nelson3:
      return "Six points in a row \(side == .lower ? "fall" : "rise") steadily."
    case .nelson4: return "Fourteen points in a row alternate up and down."
    case .nelson5, .westernElectric2:
      return "Two of three points in a row are more than 2σ \(above) the centre line."
    case .nelson6, .westernElectric3:
      return "Four of five points in a row are more than 1σ \(above) the centre line."
    case .nelson7:
      return "Fifteen points in a row are within 1σ of the centre line: less scatter than the limits say."
    case .nelson8:
      return "Eight points in a row are more than 1σ from the centre line, on both sides of it."
    case .westernElectric4: return "Eight points in a row are \(above) the centre line."
    }
  }
}

/// Where the points of a signal lie.
public enum RunSide: UInt8, Sendable, Hashable, CaseIterable {
  /// Above the centre line, or rising.
  case upper
  /// Below the centre line, or falling.
  case lower
  /// On both sides, or on none.
  case both

  public var name: String { ["upper", "lower", "both"][Int(rawValue)] }
}

/// A set of rules, each switchable on its own.
public struct RunRules: OptionSet, Sendable, Hashable {
  public var rawValue: UInt16

  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public init(_ rules: [RunRule]) {
    self.init(rawValue: rules.reduce(0) { $0 | 1 << UInt16($1.rawValue) })
  }

  public static let nelson = RunRules(rawValue: 0x0FF)
  public static let westernElectric = RunRules(rawValue: 0xF00)
  /// A point beyond the limits and nothing else.
  public static let limitsOnly = RunRules([.nelson1])

  public func contains(_ rule: RunRule) -> Bool { rawValue & 1 << UInt16(rule.rawValue) != 0 }

  public var list: [RunRule] { RunRule.allCases.filter { contains($0) } }
}
