import Telemetry

/// From all time down to the time that made good parts, step by step, in whole µs that sum exactly.
///
/// ```
/// calendar_time − not_scheduled − break − planned_stop                  = planned_busy_time
///   − breakdowns − setup_and_adjustment − idle − starved − blocked − unknown = production_time
///   − small_stops − reduced_speed                                       = ideal_time
///   − start_up_rejects − production_rejects                             = fully_productive_time
/// ```
/// What is fractional (ideal times) is rounded to the µs once, where it becomes a level; the losses are the
/// differences of levels. `reduced_speed` is negative when the ideal cycle is slower than the machine.
public struct LossWaterfall: Hashable, Sendable {
  public struct Loss: Hashable, Sendable {
    /// Snake case.
    public var name: String
    /// One of Nakajima's six big losses.
    public var isBig: Bool
    /// The level of which it is taken.
    public var level: Level
    public var microseconds: Int64
    /// Share of the planned busy time, in points of OEE: 0.01 is one percent. `nil`: it lies outside, or there is none.
    public var points: Double?
    /// Parts of the ideal cycle that fit into it; `nil`: no cycle is known.
    public var parts: Double?
  }

  public enum Level: String, Sendable, Hashable, CaseIterable {
    case calendar = "calendar_time"
    case planned = "planned_busy_time"
    case production = "production_time"
    case ideal = "ideal_time"
    case productive = "fully_productive_time"
  }

  /// In the order above.
  public private(set) var losses: [Loss] = []
  /// Levels that are known, from the top; in µs.
  public private(set) var levels: [(level: Level, microseconds: Int64)] = []
  /// Why the lower levels are not known.
  public private(set) var missing: String?

  /// The ideal cycle by which time became parts, in µs.
  public let cycle: Fraction?
  private let plannedBusyTime: Int64

  public init(_ figures: ProductionFigures) {
    let time = figures.time
    cycle = figures.meanIdealCycle
    plannedBusyTime = time.plannedBusyTime
    levels.append((.calendar, time.calendarTime))
    let outside: [MachineState] = [.notScheduled, .break, .plannedStop]
    for state in outside + MachineState.allCases.filter({ !outside.contains($0) }) {
      add(state.name, .calendar, time.outside(state), isAlwaysShown: outside.contains(state))
    }
    levels.append((.planned, time.plannedBusyTime))
    add("breakdowns", .planned, time.lost(.unplannedStop), isBig: true)
    add("setup_and_adjustment", .planned, time.lost(.setup), isBig: true)
    let shown: [MachineState] = [.idle, .starved, .blocked, .unknown]
    for state in shown { add(state.name, .planned, time.lost(state)) }
    for state in MachineState.allCases
    where !shown.contains(state) && state != .unplannedStop && state != .setup {
      add(state.name, .planned, time.lost(state), isAlwaysShown: false)
    }
    levels.append((.production, time.productionTime))
    add("small_stops", .production, time.smallStopTime, isBig: true)
    addSpeedAndRejects(figures)
  }

  private mutating func addSpeedAndRejects(_ figures: ProductionFigures) {
    guard case .known(let idealTime) = figures.idealTime else {
      if case .missing(let why) = figures.idealTime { missing = why }
      return
    }
    let ideal = idealTime.rounded
    add(
      "reduced_speed", .production,
      figures.time.productionTime - figures.time.smallStopTime - ideal, isBig: true)
    levels.append((.ideal, ideal))
    guard case .known(let productiveTime) = figures.fullyProductiveTime else {
      if case .missing(let why) = figures.fullyProductiveTime { missing = why }
      return
    }
    let rejects = ideal - productiveTime.rounded
    var startUp: Int64 = 0
    if let made = figures.made.fraction, !made.isZero, let parts = figures.startUpRejected.fraction
    {
      startUp = min(max(0, (idealTime * parts / made).rounded), max(0, rejects))
    }
    add("start_up_rejects", .ideal, startUp, isBig: true)
    add("production_rejects", .ideal, rejects - startUp, isBig: true)
    levels.append((.productive, productiveTime.rounded))
  }

  private mutating func add(
    _ name: String, _ level: Level, _ microseconds: Int64, isBig: Bool = false,
    isAlwaysShown: Bool = true
  ) {
    guard isAlwaysShown || microseconds != 0 else { return }
    let isInside = level != .calendar && plannedBusyTime > 0
    losses.append(
      Loss(
        name: name, isBig: isBig, level: level, microseconds: microseconds,
        points: isInside
          ? Fraction(Int128(microseconds), over: Int128(plannedBusyTime)).value : nil,
        parts: cycle.map { (Fraction(microseconds) / $0).value }))
  }

  public subscript(name: String) -> Loss? { losses.first { $0.name == name } }

  public func microseconds(_ level: Level) -> Int64? {
    levels.first { $0.level == level }?.microseconds
  }

  public static func == (a: LossWaterfall, b: LossWaterfall) -> Bool {
    a.losses == b.losses && a.missing == b.missing && a.cycle == b.cycle
      && a.levels.map(\.level) == b.levels.map(\.level)
      && a.levels.map(\.microseconds) == b.levels.map(\.microseconds)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(losses)
    hasher.combine(missing)
  }

  public var json: JSONValue {
    var steps: [JSONValue] = []
    for level in Level.allCases {
      guard let length = microseconds(level) else { break }
      steps.append(
        .object([
          ("step", .string(level.rawValue)), ("kind", .string("level")),
          ("duration_seconds", .seconds(length)),
        ]))
      steps += losses.filter { $0.level == level }.map(\.json)
    }
    var members: [(String, JSONValue)] = [("steps", .array(steps))]
    if let missing { members.append(("reason", .string(missing))) }
    return .object(members)
  }

  /// The six big losses by name; `null` for those that are not known.
  public var sixBigLosses: JSONValue {
    let names = [
      "breakdowns", "setup_and_adjustment", "small_stops", "reduced_speed", "start_up_rejects",
      "production_rejects",
    ]
    return .object(names.map { ($0, self[$0]?.json ?? .null) })
  }
}

extension LossWaterfall.Loss {
  public var json: JSONValue {
    .object([
      ("step", .string(name)), ("kind", .string("loss")),
      ("duration_seconds", .seconds(microseconds)),
      ("oee_points", points.map(JSONValue.double) ?? .null),
      ("parts", parts.map(JSONValue.double) ?? .null),
    ])
  }
}
