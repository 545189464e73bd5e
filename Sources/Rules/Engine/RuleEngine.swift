import Telemetry

/// Watches samples by compiled rules and keeps the alarms: a deterministic reducer without clock
/// and I/O.
///
/// For each record, in this order: definitions (`define`), what else happened (`wentStale`,
/// `eventHappened`, `command`), samples
/// (`observe`), then `advance(to:)`. When nothing comes, a tick at `nextDeadline()` carries timers
/// on. The same records give the
/// same output, however they are cut into calls, and after `restore` as if the engine had never
/// stopped.
///
/// Time is elapsed time throughout; only schedules ask the wall clock. A sample stands for the
/// moment of its source, brought onto
/// our clock, so that a minute of values that arrives at once is judged second by second; one that
/// is older than the newest of
/// its series changes nothing. Absence is judged by arrival.
///
/// Cost: a series without rules one array lookup; one with rules a pass over the instructions of
/// each, without allocation,
/// dictionary or text. Texts are made only for transitions and effects.
public struct RuleEngine: Sendable {
  public internal(set) var rules: RuleSet
  public internal(set) var zone: LocalOffset

  // What was defined:
  var devices: [DeviceDefinition] = []
  var series: [SeriesDefinition] = []
  var words: [String] = []
  var isOffline: [Bool] = []
  var offlineCount = 0

  // Made from rules and definitions:
  var compiled: [CompiledRule] = []
  var matchers: [ScopeMatcher] = []
  var instances: [RuleInstance] = []
  var keys: [AlarmKey] = []
  var instanceOfKey: [AlarmKey: Int32] = [:]
  var instancesOfDevice: [[Int32]] = []
  /// Instances whose activity silences each one, and the other way round.
  var causes: [[Int32]] = []
  var dependents: [[Int32]] = []
  /// Properties of the event that came last, of instances whose texts show them; else empty.
  var lastEvents: [String] = []
  /// First binding of each series; −1: none.
  var heads: [Int32] = []
  var bindings: [Binding] = []
  /// Inputs that wait for a series of a known device.
  var awaiting: [SignalKey: [InputPlace]] = [:]
  /// Inputs whose device is not known yet.
  var unresolved: [InputPlace] = []
  /// Inputs of assets that took a device by its profile or place.
  var resolvedBelow: [InputPlace] = []
  var eventInputs: [String: [InputPlace]] = [:]
  var wordPlaces: [String: [Int32]] = [:]
  var openings: [ScheduleOpening] = []
  var needsRebuild = false
  var isCompiling = false
  /// Hashes of the conditions, by rule.
  var hashes: [UInt64] = []
  /// Instances that have had their first look.
  var started = 0

  // State:
  var pool = RulePool()
  var alarmRecords: [AlarmRecord] = []
  var consoles: [AlarmConsole] = []
  var transitions: UInt64 = 0
  /// Elapsed time of the first record: figures count from there.
  var began: Int64?
  var heap: [HeapEntry] = []
  /// Samples that came later than a newer one of their series.
  public internal(set) var lateSamples: UInt64 = 0
  /// Signals that rules cannot use, by instance in order of discovery; at most 1,000.
  public internal(set) var problems: [RuleProblem] = []

  struct Binding: Sendable {
    var instance: Int32
    var input: Int32
    var next: Int32
  }

  struct SignalKey: Hashable, Sendable {
    var device: UInt32
    var metric: String
  }

  struct InputPlace: Hashable, Sendable {
    var instance: Int32
    var input: Int32
  }

  /// - Parameter zone: seconds east of Greenwich at a moment in UTC, for schedules.
  public init(rules: RuleSet, zone: @escaping LocalOffset = { _ in 0 }) {
    self.rules = rules
    self.zone = zone
    compile()
  }

  // MARK: - Records

  /// Takes samples in their order.
  public mutating func observe(
    _ samples: ArraySlice<Sample>, at moment: RecordMoment, into output: inout RuleOutput
  ) {
    for sample in samples { observe(sample, at: moment, into: &output) }
  }

  /// Takes one sample.
  public mutating func observe(
    _ sample: Sample, at moment: RecordMoment, into output: inout RuleOutput
  ) {
    begin(moment, &output)
    let index = Int(sample.series)
    guard index < heads.count else { return }
    if offlineCount > 0 { noteLife(sample, moment, &output) }
    var binding = heads[index]
    while binding >= 0 {
      let place = bindings[Int(binding)]
      take(sample, Int(place.instance), Int(place.input), moment, &output)
      binding = place.next
    }
  }

  public mutating func observe(
    _ samples: [Sample], at moment: RecordMoment, into output: inout RuleOutput
  ) {
    observe(samples[...], at: moment, into: &output)
  }

  private mutating func take(
    _ sample: Sample, _ index: Int, _ input: Int, _ moment: RecordMoment,
    _ output: inout RuleOutput
  ) {
    let place = Int(instances[index].firstInput) + input
    guard let time = pool.inputs[place].place(sample, at: moment) else {
      lateSamples += 1
      return
    }
    // What ran out before this sample did so with the values from before it.
    if instances[index].deadline < time { catchUp(index, to: time, moment, &output) }
    pool.inputs[place].take(
      sample, for: time, at: moment.elapsedMicroseconds, pool.conversions)
    let isPulse = pool.inputs[place].isPulse
    trigger(index, UInt64(1) << UInt64(input), isPulse, time, moment, &output)
  }

  private mutating func trigger(
    _ index: Int, _ mask: UInt64, _ isPulse: Bool, _ time: Int64, _ moment: RecordMoment,
    _ output: inout RuleOutput
  ) {
    evaluate(index, at: time, mask, moment, &output)
    if isPulse || compiled[Int(instances[index].rule)].hasPulses {
      evaluate(index, at: time, 0, moment, &output)
    }
    schedule(index)
  }

  /// Bytes of properties that are kept for texts.
  private static let shownPropertiesMax = 4_096

  /// An event with a name that rules wait for; it must be of a device that the rule watches, or of
  /// none.
  public mutating func eventHappened(
    _ event: Event, at moment: RecordMoment, into output: inout RuleOutput
  ) {
    begin(moment, &output)
    guard let places = eventInputs[event.name] else { return }
    for place in places {
      let index = Int(place.instance)
      let device = instances[index].device
      if let id = event.device, device >= 0, devices[Int(device)].id != id { continue }
      // What clears an active rule does not replace what it is about.
      if compiled[Int(instances[index].rule)].showsEvent, !isActive(index) {
        let isShown = event.properties.utf8.count <= Self.shownPropertiesMax
        lastEvents[index] = isShown ? event.properties : ""
      }
      catchUp(index, to: moment.elapsedMicroseconds, moment, &output)
      trigger(
        index, UInt64(1) << UInt64(place.input), true, moment.elapsedMicroseconds, moment, &output)
    }
  }

  /// A device, or some of its series, have no live value any more.
  public mutating func wentStale(
    _ staleness: Staleness, at moment: RecordMoment, into output: inout RuleOutput
  ) {
    begin(moment, &output)
    let device = Int(staleness.device)
    guard device < devices.count else { return }
    let list =
      staleness.series.isEmpty
      ? seriesOfDevice(staleness.device) : staleness.series.filter { Int($0) < heads.count }
    let now = moment.elapsedMicroseconds
    if staleness.series.isEmpty, !isOffline[device] {
      isOffline[device] = true
      offlineCount += 1
      // First the alarm that tells why, so that it silences the others.
      lookAgain(atDevice: device, now, moment, &output)
    }
    for index in list {
      var binding = heads[Int(index)]
      while binding >= 0 {
        let place = bindings[Int(binding)]
        let instance = Int(place.instance)
        catchUp(instance, to: now, moment, &output)
        pool.inputs[Int(instances[instance].firstInput + place.input)].flags.insert(.gone)
        evaluate(instance, at: now, 0, moment, &output)
        schedule(instance)
        binding = place.next
      }
    }
  }

  private func seriesOfDevice(_ device: UInt32) -> [UInt32] {
    series.filter { $0.device == device && Int($0.index) < heads.count }.map(\.index)
  }

  /// A sample of a device that was offline: it is back.
  private mutating func noteLife(
    _ sample: Sample, _ moment: RecordMoment, _ output: inout RuleOutput
  ) {
    guard Int(sample.series) < series.count else { return }
    let device = Int(series[Int(sample.series)].device)
    guard device < isOffline.count, isOffline[device], !sample.isCurrentOnly,
      !sample.quality.contains(.stale)
    else { return }
    isOffline[device] = false
    offlineCount -= 1
    // What has not come since it is back is not missing yet.
    for index in instancesOfDevice[device] {
      let rule = compiled[Int(instances[Int(index)].rule)]
      let first = Int(instances[Int(index)].firstInput)
      for input in first..<first + Int(rule.inputs) {
        pool.inputs[input].rest(until: moment.elapsedMicroseconds)
      }
    }
    lookAgain(atDevice: device, moment.elapsedMicroseconds, moment, &output)
  }

  private mutating func lookAgain(
    atDevice device: Int, _ now: Int64, _ moment: RecordMoment, _ output: inout RuleOutput
  ) {
    let list = instancesOfDevice[device]
    for isCommunication in [true, false] {
      for index in list
      where compiled[Int(instances[Int(index)].rule)].isCommunication == isCommunication {
        evaluate(Int(index), at: now, 0, moment, &output)
        schedule(Int(index))
      }
    }
  }

  /// Carries timers on; after everything else of a record, and for ticks.
  public mutating func advance(to moment: RecordMoment, into output: inout RuleOutput) {
    begin(moment, &output)
    let now = moment.elapsedMicroseconds
    while let top = settledTop(), top.time <= now {
      let index = Int(top.instance)
      let due = instances[index].deadline
      evaluate(index, at: due <= now ? due : now, 0, moment, &output)
      schedule(index)
    }
    for console in consoles.indices where consoles[console].advance(to: now) != nil {
      output.floods.append(
        FloodNotice(
          console: consoles[console].name, isBeginning: false, time: moment.wall,
          count: consoles[console].recent.count))
    }
  }

  /// The elapsed time, in µs, at which something may happen without any sample; `nil`: never.
  ///
  /// Write a tick record then and call `advance`. It may come earlier than needed, never later.
  public mutating func nextDeadline() -> Int64? {
    if needsRebuild { return began }
    let timers = settledTop()?.time
    let floods = consoles.compactMap(\.deadline).min()
    switch (timers, floods) {
    case (let timer?, let flood?): return min(timer, flood)
    case (let timer?, nil): return timer
    case (nil, let flood): return flood
    }
  }

  /// The gateway started again: data that did not arrive meanwhile is missing from now on.
  public mutating func restarted(at moment: RecordMoment) { rest(until: moment) }

  /// The broker was away and is back: the same.
  public mutating func reconnected(at moment: RecordMoment) { rest(until: moment) }

  private mutating func rest(until moment: RecordMoment) {
    for index in pool.inputs.indices { pool.inputs[index].rest(until: moment.elapsedMicroseconds) }
    for index in pool.windows.indices { pool.windows[index].lose() }
  }

  mutating func begin(_ moment: RecordMoment, _ output: inout RuleOutput) {
    if began == nil { began = moment.elapsedMicroseconds }
    if needsRebuild { rebuild(at: moment, &output) }
    while started < instances.count {
      start(started, at: moment.elapsedMicroseconds)
      started += 1
    }
  }

  /// What has never come is missing from now on; the first look is at the end of the record.
  mutating func start(_ index: Int, at now: Int64) {
    let first = Int(instances[index].firstInput)
    for input in first..<first + Int(compiled[Int(instances[index].rule)].inputs) {
      pool.inputs[input].seen = now
    }
    instances[index].deadline = now
    schedule(index)
  }

  /// Timers of one instance that ran out before `time`, each at its own moment.
  mutating func catchUp(
    _ index: Int, to time: Int64, _ moment: RecordMoment, _ output: inout RuleOutput
  ) {
    while instances[index].deadline < time {
      evaluate(index, at: instances[index].deadline, 0, moment, &output)
    }
  }
}
