import Telemetry

/// What a machine does, in the words of ISO 22400 and PackML brought down to ten.
public enum MachineState: UInt8, Sendable, Hashable, CaseIterable {
  case running = 0
  /// Able to produce, but does not.
  case idle = 1
  case setup = 2
  /// Stopped on purpose inside its shift.
  case plannedStop = 3
  case `break` = 4
  case notScheduled = 5
  case unplannedStop = 6
  /// Waits for parts from before it.
  case starved = 7
  /// Waits for room behind it.
  case blocked = 8
  /// Nothing (trustworthy) was heard: never counted as running.
  case unknown = 9

  public static let count = 10

  public var name: String { Self.names[Int(rawValue)] }

  public init?(name: String) {
    guard let index = Self.names.firstIndex(of: name) else { return nil }
    self = Self.allCases[index]
  }

  public static let names = [
    "running", "idle", "setup", "planned_stop", "break", "not_scheduled", "unplanned_stop",
    "starved", "blocked", "unknown",
  ]

  /// Standing still although it should run: what micro-stops and stop reasons are about.
  public var isStop: Bool {
    switch self {
    case .idle, .unplannedStop, .starved, .blocked: true
    default: false
    }
  }
}

/// Where the time of a state goes in the OEE.
public enum TimeFactor: UInt8, Sendable, Hashable, CaseIterable {
  /// Not part of the planned busy time (PBT).
  case outside = 0
  /// In PBT, not in the production time (APT).
  case availability = 1
  /// In APT.
  case production = 2

  public var name: String { Self.names[Int(rawValue)] }

  public init?(name: String) {
    guard let index = Self.names.firstIndex(of: name) else { return nil }
    self = Self.allCases[index]
  }

  public static let names = ["outside", "availability", "production"]
}

/// Which state counts where; printed with every answer, so that two figures can be compared.
public struct StateFactors: Hashable, Sendable {
  private var factors: [TimeFactor]
  private var external: [Bool]
  /// Stops shorter than this stay in APT and count as small stops, in µs.
  public var microStopMicroseconds: Int64 = 300_000_000

  /// Not scheduled, break and planned stop are outside; running is production; all others are lost availability;
  /// starved and blocked are external.
  public init() {
    factors = MachineState.allCases.map { state in
      switch state {
      case .running: .production
      case .notScheduled, .break, .plannedStop: .outside
      default: .availability
      }
    }
    external = MachineState.allCases.map { $0 == .starved || $0 == .blocked }
  }

  public subscript(state: MachineState) -> TimeFactor {
    get { factors[Int(state.rawValue)] }
    set {
      precondition(state != .unknown || newValue != .production, "unknown is never production")
      factors[Int(state.rawValue)] = newValue
    }
  }

  /// Caused by the neighbours in the line: left out of "OEE without line losses".
  public func isExternal(_ state: MachineState) -> Bool { external[Int(state.rawValue)] }

  public mutating func setExternal(_ states: [MachineState]) {
    external = MachineState.allCases.map(states.contains)
  }

  public var json: JSONValue {
    .object([
      ("factors", .object(MachineState.allCases.map { ($0.name, .string(self[$0].name)) })),
      ("external", .array(MachineState.allCases.filter(isExternal).map { .string($0.name) })),
      ("micro_stop_seconds", .seconds(microStopMicroseconds)),
    ])
  }
}
