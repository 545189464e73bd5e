import Telemetry

/// Where time went, in whole µs by state: sums, so that accounts of hours, shifts or machines add up.
///
/// ```
/// calendar time = outside + planned busy time (PBT)
/// PBT           = lost (availability) + production time (APT)
/// APT           = small stops + production
/// ```
public struct TimeAccount: Hashable, Sendable {
  /// Indexed by `MachineState.rawValue`.
  public private(set) var outside = [Int64](repeating: 0, count: MachineState.count)
  public private(set) var lost = [Int64](repeating: 0, count: MachineState.count)
  public private(set) var small = [Int64](repeating: 0, count: MachineState.count)
  public private(set) var production = [Int64](repeating: 0, count: MachineState.count)
  /// Of `lost` and `small`: caused by the neighbours in the line.
  public private(set) var externalLost: Int64 = 0
  public private(set) var externalSmall: Int64 = 0
  /// Of `outside`: planned stops for preventive maintenance.
  public internal(set) var preventive: Int64 = 0

  public init() {}

  public mutating func add(
    _ microseconds: Int64, in state: MachineState, isSmallStop: Bool, _ factors: StateFactors
  ) {
    precondition(microseconds >= 0, "time cannot be negative")
    let index = Int(state.rawValue)
    switch factors[state] {
    case .outside: outside[index] += microseconds
    case .production: production[index] += microseconds
    case .availability where isSmallStop:
      small[index] += microseconds
      if factors.isExternal(state) { externalSmall += microseconds }
    case .availability:
      lost[index] += microseconds
      if factors.isExternal(state) { externalLost += microseconds }
    }
  }

  public static func + (a: TimeAccount, b: TimeAccount) -> TimeAccount {
    var sum = a
    for index in 0..<MachineState.count {
      sum.outside[index] += b.outside[index]
      sum.lost[index] += b.lost[index]
      sum.small[index] += b.small[index]
      sum.production[index] += b.production[index]
    }
    sum.externalLost += b.externalLost
    sum.externalSmall += b.externalSmall
    sum.preventive += b.preventive
    return sum
  }

  public func outside(_ state: MachineState) -> Int64 { outside[Int(state.rawValue)] }
  public func lost(_ state: MachineState) -> Int64 { lost[Int(state.rawValue)] }

  /// All time in a state, wherever it counts.
  public func total(_ state: MachineState) -> Int64 {
    let index = Int(state.rawValue)
    return outside[index] + lost[index] + small[index] + production[index]
  }

  public var calendarTime: Int64 { outside.reduce(0, +) + plannedBusyTime }
  /// PBT.
  public var plannedBusyTime: Int64 { lost.reduce(0, +) + productionTime }
  /// APT, small stops included.
  public var productionTime: Int64 { smallStopTime + production.reduce(0, +) }
  public var smallStopTime: Int64 { small.reduce(0, +) }
  /// ASUT, wherever setup counts.
  public var setupTime: Int64 { total(.setup) }
  /// AUPT: setup and production.
  public var processingTime: Int64 {
    let setupInProduction = production[Int(MachineState.setup.rawValue)]
    return productionTime + setupTime - setupInProduction
  }
  /// ADET: standing still when it should have worked, small stops included, setup and unknown not.
  public var delayTime: Int64 {
    MachineState.allCases.filter(\.isStop).reduce(smallStopTime) { $0 + lost($1) }
  }
}
