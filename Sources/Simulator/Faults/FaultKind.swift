/// What can go wrong with the machines of the plant, with a truth that is known.
///
/// Not to be mixed up with `SimulatedFault`, which spoils messages on their way.
public enum FaultKind: String, Sendable, CaseIterable {
  /// Vibration grows with the square of the life that is used up, temperature and power a little; at the end
  /// of life the machine stops with a fault.
  case bearingWear = "bearing_wear"
  /// The machine gets hotter; above its trip temperature it stops with a fault.
  case overheating
  /// A sensor goes on sending its last value.
  case stuckSensor = "stuck_sensor"
  /// A sensor shows more and more too much; the machine is well.
  case drift
  /// The supply voltage falls, and with it the power of all machines; below nine tenths they drop out.
  case powerDip = "power_dip"
  /// The machine stops for some twenty seconds again and again.
  case microStops = "micro_stops"
  /// A tool gets blunt: more scrap, more load on the spindle, more vibration.
  case toolWear = "tool_wear"
  /// Nothing arrives from the machine before it for minutes, each hour.
  case starvedLine = "starved_line"
  /// The clocks of all devices are behind by so much.
  case clockJump = "clock_jump"
  /// Messages are sent twice.
  case doublePublishing = "double_publishing"

  /// It befalls all devices at once.
  public var isOfPlant: Bool {
    switch self {
    case .powerDip, .clockJump, .doublePublishing: true
    default: false
    }
  }

  /// Where it happens unless somebody says otherwise; empty: everywhere.
  public var usualDevice: String {
    switch self {
    case .bearingWear, .overheating, .drift, .stuckSensor: "press1"
    case .toolWear, .starvedLine, .microStops: "mill1"
    case .powerDip, .clockJump, .doublePublishing: ""
    }
  }

  /// The signal that a multiple of noise refers to; `nil`: its severity is no such multiple.
  public var usualMetric: String? {
    switch self {
    case .bearingWear: "vibration"
    case .overheating, .drift, .stuckSensor: "temperature"
    case .toolWear: "spindle_load"
    case .powerDip: "voltage"
    case .microStops, .starvedLine, .clockJump, .doublePublishing: nil
    }
  }

  /// The signals that may be named for it.
  public var metrics: [String] {
    switch self {
    case .stuckSensor, .drift: ["temperature", "vibration", "power"]
    default: usualMetric.map { [$0] } ?? []
    }
  }

  /// What its severity counts.
  public var severityUnit: String {
    switch self {
    case .bearingWear, .overheating, .drift, .toolWear, .powerDip: "× noise"
    case .stuckSensor: "messages"
    case .microStops: "stops an hour"
    case .starvedLine: "minutes an hour"
    case .clockJump: "seconds"
    case .doublePublishing: "of 1"
    }
  }

  /// The severity that a word stands for.
  public func severity(_ level: FaultLevel) -> Double {
    let levels: (low: Double, medium: Double, high: Double) =
      switch self {
      case .bearingWear: (5, 15, 50)
      case .overheating: (2, 5, 9)
      case .stuckSensor: (30, 120, 480)
      case .drift: (2, 4, 8)
      case .powerDip: (5, 15, 60)
      case .microStops: (6, 20, 80)
      case .toolWear: (2, 5, 12)
      case .starvedLine: (3, 10, 30)
      case .clockJump: (60, 600, 3_600)
      case .doublePublishing: (0.05, 0.3, 1)
      }
    return level == .low ? levels.low : level == .medium ? levels.medium : levels.high
  }

  /// How long it takes, in seconds, from the begin to its full extent: for bearing wear the life that is left.
  /// A severe one comes within the minute, so that somebody who tries it out sees it.
  public func growthSeconds(_ level: FaultLevel) -> Double {
    switch self {
    case .bearingWear: level == .low ? 3_600 : level == .medium ? 600 : 40
    case .overheating: level == .low ? 1_800 : level == .medium ? 300 : 15
    case .drift, .toolWear: level == .low ? 3_600 : level == .medium ? 600 : 30
    default: 0
    }
  }
}

/// How bad a fault is, in a word.
public enum FaultLevel: String, Sendable, CaseIterable {
  case low
  case medium
  case high
}
