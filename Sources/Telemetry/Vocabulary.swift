/// What the values of a series are; fixed when the series is first seen.
public enum ValueType: UInt8, Sendable, Hashable, CaseIterable {
  /// An IEEE 754 double; every bit pattern is kept.
  case number = 0
  /// 0 or 1.
  case boolean = 1
  /// A word out of the store's dictionary (machine states, recipe names, error texts).
  case text = 2

  public var name: String { ["number", "boolean", "text"][Int(rawValue)] }

  public init?(name: String) {
    guard let match = ValueType.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }
}

/// What a metric means over time, in the words of OpenMetrics and ISA-95.
public enum MetricKind: UInt8, Sendable, Hashable, CaseIterable {
  /// A quantity that goes up and down: temperature, pressure, speed.
  case gauge = 0
  /// A total that only grows until it is reset or rolls over: parts, kWh.
  case counter = 1
  /// A condition that holds until the next sample: running, mode, recipe.
  case state = 2
  /// Something that happened; each sample counts, also with the same time and value.
  case event = 3

  public var name: String { ["gauge", "counter", "state", "event"][Int(rawValue)] }

  public init?(name: String) {
    guard let match = MetricKind.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }
}

/// The value of one sample as people and programs meet it outside the hot path.
public enum Value: Hashable, Sendable {
  case number(Double)
  case boolean(Bool)
  case text(String)

  public var type: ValueType {
    switch self {
    case .number: .number
    case .boolean: .boolean
    case .text: .text
    }
  }
}

/// One quantity of one device: the name under which its samples are stored and asked for.
///
/// Written `device/metric`; device ids hold no slash, metric names may.
public struct SeriesKey: Hashable, Sendable, Comparable, CustomStringConvertible {
  public var device: String
  public var metric: String

  public init(device: String, metric: String) {
    self.device = device
    self.metric = metric
  }

  /// Splits `device/metric` at the first slash; `nil` without a slash or with an empty side.
  public init?(_ text: String) {
    guard let slash = text.firstIndex(of: "/"), slash != text.startIndex else { return nil }
    let metric = text[text.index(after: slash)...]
    guard !metric.isEmpty else { return nil }
    self.init(device: String(text[..<slash]), metric: String(metric))
  }

  public var description: String { "\(device)/\(metric)" }

  public static func < (a: SeriesKey, b: SeriesKey) -> Bool {
    (a.device, a.metric) < (b.device, b.metric)
  }
}

/// A place in the ISA-95 equipment hierarchy: enterprise, site, area, line, cell, unit.
public struct AssetPath: Hashable, Sendable, CustomStringConvertible {
  public var levels: [String]

  /// - Returns: `nil` when a level is empty or holds an MQTT wildcard.
  public init?(_ text: String) {
    let levels = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard levels.allSatisfy({ !$0.isEmpty && !$0.contains("+") && !$0.contains("#") }) else {
      return nil
    }
    self.levels = levels
  }

  public var description: String { levels.joined(separator: "/") }
}
