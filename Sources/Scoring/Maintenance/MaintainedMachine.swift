import Statistics
import Telemetry

/// What is declared of a machine's maintenance; see `MaintenanceConfiguration` for the form in YAML.
public struct MaintainedMachine: Sendable, Equatable {
  /// Whom an entry is about: one device, or each device of a profile.
  public enum Subject: Sendable, Hashable {
    case device(String)
    case profile(String)
  }

  public struct Running: Sendable, Equatable {
    /// Metric of the state, and its words that mean that the machine runs.
    public var metric: String
    public var values: [String]
    /// Longer gaps between samples count neither as running nor as standing, in µs.
    public var timeoutMicroseconds: Int64
  }

  public struct Severity: Sendable, Equatable {
    public var metric: String
    /// In the unit of the metric.
    public var zones: SeverityZones
    /// How long another zone must last, in µs.
    public var holdMicroseconds: Int64
  }

  public struct Usage: Sendable, Equatable {
    public enum Source: Sendable, Equatable {
      case counter(metric: String, rollover: Double?)
      case runningHours
      case calendarHours
    }

    public var source: Source
    /// `h`, or what the counter counts: `cycles`.
    public var unit: String
    /// Usage before the gateway saw it; `nil`: nobody knows, and so nobody knows its age.
    public var initial: Double?
    /// Expected usage a day, until it was measured.
    public var perDay: Double?

    public init(source: Source, unit: String, initial: Double? = nil, perDay: Double? = nil) {
      self.source = source
      self.unit = unit
      self.initial = initial
      self.perDay = perDay
    }
  }

  /// A service that comes round.
  public struct Service: Sendable, Equatable {
    public enum Interval: Sendable, Equatable {
      case usage(Double)
      case runningHours(Double)
      case days(Double)
    }

    public var id: String
    public var interval: Interval
    /// As it is written: `250 h`.
    public var every: String
    public var text: Phrase
    /// Its component: work on another does not count; empty: the machine.
    public var component: String
  }

  public struct Costs: Sendable, Equatable {
    public var currency: String
    /// Of a failure and of planned work, downtime included.
    public var failure: Double
    public var planned: Double
  }

  /// What to do, as the integrator puts it.
  public struct Action: Sendable, Equatable {
    public var code: String
    public var text: Phrase
  }

  public enum Occasion: String, Sendable, CaseIterable {
    case zoneC = "C"
    case zoneD = "D"
    /// Remaining life is shorter than the lead time, or waiting costs more than it saves.
    case failure
  }

  public var subject: Subject
  /// What wears out and is replaced; empty: the machine as a whole.
  public var component = ""
  public var installed: Timestamp?
  public var signals: [Feature] = []
  public var running: Running?
  public var severity: Severity?
  public var usage = Usage(source: .calendarHours, unit: "h")
  /// In the usage unit.
  public var prior: Weibull?
  public var services: [Service] = []
  public var costs: Costs?
  /// From the decision to the work, in µs.
  public var leadMicroseconds: Int64?
  /// Readings of so much of the machine's time make one row of features, in µs.
  public var periodMicroseconds: Int64 = 3_600_000_000
  public var actions: [Occasion: Action] = [:]
  /// Detectors learn anew when a product comes that they have not seen.
  public var learnsProducts = true
  /// Detectors start anew whenever a setup ends.
  public var resetsAfterSetup = false

  public init(_ subject: Subject) { self.subject = subject }

  /// What a sample of a metric is for: several at once.
  public struct Roles: OptionSet, Sendable, Equatable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let state = Roles(rawValue: 1)
    public static let counter = Roles(rawValue: 2)
    public static let severity = Roles(rawValue: 4)
    public static let signal = Roles(rawValue: 8)
  }

  public func roles(of metric: String) -> Roles {
    var roles: Roles = []
    if running?.metric == metric { roles.insert(.state) }
    if case .counter(metric, _) = usage.source { roles.insert(.counter) }
    if severity?.metric == metric { roles.insert(.severity) }
    if signals.contains(where: { $0.name == metric }) { roles.insert(.signal) }
    return roles
  }

  /// All metrics that it looks at, each once.
  public var metrics: [String] {
    var names = signals.map(\.name)
    if let running { names.append(running.metric) }
    if let severity { names.append(severity.metric) }
    if case .counter(let metric, _) = usage.source { names.append(metric) }
    return names.indices.filter { names.firstIndex(of: names[$0]) == $0 }.map { names[$0] }
  }
}

/// A text in the two languages that people at machines read here.
public struct Phrase: Sendable, Equatable {
  public var english: String
  public var portuguese: String

  /// - Parameter portuguese: `nil`: as the English one.
  public init(_ english: String, _ portuguese: String? = nil) {
    self.english = english
    self.portuguese = portuguese ?? english
  }
}
