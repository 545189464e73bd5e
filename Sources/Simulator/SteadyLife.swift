import Telemetry

/// How the machines of the plant spend their days.
public enum PlantLife: Sendable, Hashable {
  /// Something happens every few minutes, faults among it: to look at.
  case lively
  /// Shifts, weekends, products for hours, and no machine ever fails by itself: to judge detectors with.
  case steady(WorkingWeek)
}

/// When a steady plant works: Monday to Friday between two hours (UTC), except for planned stops.
public struct WorkingWeek: Sendable, Hashable {
  public struct Stop: Sendable, Hashable {
    public var begin: Timestamp
    public var end: Timestamp

    public init(begin: Timestamp, end: Timestamp) {
      self.begin = begin
      self.end = end
    }
  }

  public var fromHour = 5
  public var toHour = 21
  /// Maintenance: all machines are off.
  public var plannedStops: [Stop] = []

  public init() {}

  public func isWorking(at time: Timestamp) -> Bool {
    let hour = time.microseconds.flooredQuotient(3_600_000_000)
    let day = hour.flooredQuotient(24)
    // 1970-01-01 was a Thursday.
    let weekday = (day + 3) - (day + 3).flooredQuotient(7) * 7
    let hourOfDay = Int(hour - day * 24)
    guard weekday < 5, hourOfDay >= fromHour, hourOfDay < toHour else { return false }
    return !plannedStops.contains { $0.begin <= time && time < $0.end }
  }
}

/// What a line of a steady plant is told to do: products in turn, with a changeover before each.
struct SteadyLine: Sendable {
  private let week: WorkingWeek
  private var random: RandomSource
  private(set) var product = 0
  private var setupEnd = Timestamp.distantPast
  private var productEnd = Timestamp.distantPast
  /// Until when each machine pauses.
  private var pauses: [Timestamp]

  init(_ week: WorkingWeek, machines: Int, line: Int, seed: UInt64) {
    self.week = week
    random = RandomSource(seed: seed, name: "steady-\(line)")
    pauses = [Timestamp](repeating: .distantPast, count: machines)
  }

  mutating func reseed(_ seed: UInt64, line: Int) {
    random = RandomSource(seed: seed, name: "steady-\(line)")
  }

  /// The state each machine should be in.
  mutating func states(at time: Timestamp, seconds: Double) -> [MachineState] {
    guard week.isWorking(at: time) else { return pauses.map { _ in .off } }
    if time >= productEnd {
      product = (product + 1 + Int(random.share() * 3)) % Machine.programs.count
      setupEnd = time.advanced(byMicroseconds: 600_000_000 + Int64(random.share() * 600e6))
      productEnd = setupEnd.advanced(byMicroseconds: Int64((2 + 4 * random.share()) * 3_600e6))
    }
    guard time >= setupEnd else { return pauses.map { _ in .setup } }
    // A pause of one to three minutes about every two hours.
    for machine in pauses.indices where random.happens(seconds / 7_200) {
      pauses[machine] = time.advanced(
        byMicroseconds: 60_000_000 + Int64(random.share() * 120e6))
    }
    return pauses.map { time < $0 ? .idle : .running }
  }
}
