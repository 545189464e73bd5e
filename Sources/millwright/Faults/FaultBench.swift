import Gateway
import Simulator
import Telemetry

/// A plant and the stages that listen to it: weeks without faults, then futures with one fault each.
struct FaultBench: Sendable {
  /// The longest fault: it begins in the first half of a shift and ends within it.
  static let hoursMax = 8.0

  /// How one injection went.
  struct Outcome: Sendable {
    /// `nil`: nobody noticed.
    var delaySeconds: Double?
    var label: String?
    /// What was told is the same as without the fault.
    var isUnchanged: Bool
  }

  /// A moment of the last week from which futures begin.
  private struct Fork: Sendable {
    var seed: UInt64
    var plant: Plant
    var stages: StageRehearsal
    /// What a future without a fault tells.
    var usual: [StageRehearsal.Told] = []
  }

  private var plant: Plant
  private var stages: StageRehearsal
  private let file: FaultBenchFile
  private let start: Timestamp
  private let seeds: Int
  private var forks: [Fork] = []
  /// What was told in the weeks that count, though nothing was wrong.
  private(set) var falseAlarms: [StageRehearsal.Told] = []
  private(set) var figures = (messages: 0, samples: 0)

  /// Monday, 2026-01-05.
  private static let monday = Timestamp(microseconds: 1_767_571_200_000_000)
  private static let day: Int64 = 86_400_000_000

  init(_ file: FaultBenchFile, configuration: LoadedConfiguration) {
    self.file = file
    seeds = file.seeds
    start = Self.monday
    var settings = PlantSettings()
    settings.intervalMilliseconds = file.intervalSeconds * 1_000
    settings.roomSeconds = 300
    var week = WorkingWeek()
    // Maintenance in the second week that counts: Wednesday from eight to noon.
    let stop = start.advanced(
      byMicroseconds: Int64(file.learningSeconds) * 1_000_000 + 9 * Self.day + 8 * 3_600_000_000)
    week.plannedStops = [
      WorkingWeek.Stop(begin: stop, end: stop.advanced(byMicroseconds: 4 * 3_600_000_000))
    ]
    settings.life = .steady(week)
    plant = Plant(seed: file.seed, start: start, settings: settings)
    stages = StageRehearsal(configuration: configuration)
  }

  private var counted: Timestamp {
    start.advanced(byMicroseconds: Int64(file.learningSeconds) * 1_000_000)
  }

  private var end: Timestamp { counted.advanced(byMicroseconds: Int64(file.weeks) * 7 * Self.day) }

  /// When fork `index` begins: working days in turn, from half an hour after the shift's begin on.
  private func moment(of index: Int) -> Timestamp {
    let slots = max(1, (seeds + 4) / 5)
    let hours = 5.5 + 7.5 * Double(index / 5) / Double(slots)
    return end.advanced(
      byMicroseconds: Int64(index % 5 - 7) * Self.day + Int64(hours * 3_600e6))
  }

  /// Runs the weeks without faults.
  mutating func runWeeks(progress: (Int, Int) -> Void) {
    var moments = (0..<seeds).map { (time: moment(of: $0), index: $0) }
    moments.sort { $0.time < $1.time }
    var nextFork = 0
    var day = 0
    let days = Int(end.microseconds(since: start) / Self.day)
    while plant.next < end {
      while nextFork < moments.count, moments[nextFork].time <= plant.next {
        var fork = Fork(
          seed: file.seed &+ 1_000 &+ UInt64(moments[nextFork].index), plant: plant, stages: stages)
        fork.plant.reseed(fork.seed)
        forks.append(fork)
        nextFork += 1
      }
      let now = plant.next
      let told = Self.step(&plant, &stages, &figures.messages)
      if now >= counted { falseAlarms += told }
      let today = Int(now.microseconds(since: start) / Self.day)
      if today != day {
        day = today
        progress(day, days)
      }
    }
    progress(days, days)
    figures.samples = stages.samples
  }

  /// Runs the futures without faults: what they tell is not due to one.
  mutating func runControls() {
    for index in forks.indices {
      var fork = forks[index]
      forks[index].usual = Self.run(&fork, seconds: Self.hoursMax * 3_600)
    }
  }

  /// One fault in each of the futures.
  func inject(_ entry: FaultBenchFile.Entry, _ level: FaultLevel) -> [Outcome] {
    let severity = entry.severities[level] ?? 1
    return forks.map { fork in
      var fork = fork
      let begin = fork.plant.next
      fork.plant.inject(
        MachineFault(
          entry.kind, device: entry.device, metric: entry.metric, severity: severity, begin: begin,
          seconds: entry.seconds, growthSeconds: entry.growthSeconds))
      let told = Self.run(&fork, seconds: entry.seconds)
      let limit = begin.advanced(byMicroseconds: Int64(entry.seconds * 1e6))
      let usual = fork.usual.filter { $0.time < limit }
      let first = told.first { one in
        (entry.kind.isOfPlant || one.device == entry.device)
          && !usual.contains {
            $0.device == one.device && $0.label == one.label && $0.metric == one.metric
          }
      }
      return Outcome(
        delaySeconds: first.map { Double($0.time.microseconds(since: begin)) / 1e6 },
        label: first?.label, isUnchanged: told == usual)
    }
  }

  private static func run(_ fork: inout Fork, seconds: Double) -> [StageRehearsal.Told] {
    let end = fork.plant.next.advanced(byMicroseconds: Int64(seconds * 1e6))
    var told: [StageRehearsal.Told] = []
    var messages = 0
    while fork.plant.next < end { told += step(&fork.plant, &fork.stages, &messages) }
    return told
  }

  private static func step(
    _ plant: inout Plant, _ stages: inout StageRehearsal, _ count: inout Int
  ) -> [StageRehearsal.Told] {
    let now = plant.next
    for message in plant.step(to: now) {
      stages.take(
        topic: message.topic, payload: message.payload, isRetained: message.isRetained, at: now)
      count += 1
    }
    return stages.commit(at: now)
  }
}
