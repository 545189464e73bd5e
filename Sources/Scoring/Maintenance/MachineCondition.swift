import Statistics
import Telemetry

/// Everything the gateway keeps of one machine to say how long it will last: bounded, O(1) a sample.
///
/// A function of the samples and maintenance events given to it, in their order: the stage behind the commit feeds it
/// live, training feeds it from the store, so that a model is asked with the features it was trained on. Samples of
/// severity and signals count while the machine runs. Their means over a period are one row of `LifeFeatures`.
public struct MachineCondition: Sendable {
  static let eventsMax = 1_000
  /// Work that is told of later than this is history: detectors have learned the machine anew meanwhile.
  public static let lateMicroseconds: Int64 = 7 * 86_400_000_000
  private static let formatVersion: UInt8 = 1

  public private(set) var severity = SeverityWatch()
  public private(set) var usage: UsageMeter
  var log = UsageLog()
  /// What was told, oldest first; work on other components is not here.
  private(set) var events: [MaintenanceEvent] = []
  /// When and at which usage the present life began; `nil` usage: nobody knows.
  public private(set) var birth: Timestamp?
  public private(set) var birthUsage: Double?
  private var life: LifeFeatures
  private var sums: [Double]
  private var counts: [Int]
  private var periodStart: Timestamp?
  /// Per service: when it was last done, and what the meters showed then.
  private(set) var serviced: [UsageLog.Mark?]
  /// Newest values of the signals; NaN before the first.
  private(set) var latest: [Double]

  public init(_ machine: MaintainedMachine) {
    usage = UsageMeter(initial: machine.usage.initial ?? 0, hasState: machine.running != nil)
    life = LifeFeatures(sensorCount: machine.signals.count)
    sums = [Double](repeating: 0, count: machine.signals.count)
    counts = [Int](repeating: 0, count: machine.signals.count)
    latest = [Double](repeating: .nan, count: machine.signals.count)
    serviced = [UsageLog.Mark?](repeating: nil, count: machine.services.count)
  }

  // MARK: - Samples

  /// What a sample changed.
  public struct Change: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let zone = Change(rawValue: 1)
    public static let period = Change(rawValue: 2)
  }

  /// Lets the machine's time pass with a sign of life; call it before the sample itself.
  public mutating func saw(_ time: Timestamp, _ machine: MaintainedMachine) {
    let isFirst = usage.lastSeen == nil
    usage.saw(
      time, source: machine.usage.source,
      timeout: machine.running?.timeoutMicroseconds ?? 86_400_000_000)
    if isFirst { begin(machine) }
    log.note(mark)
  }

  /// Age is known from the first moment where the usage before it was declared, or where calendar hours count from a
  /// day of installation.
  private mutating func begin(_ machine: MaintainedMachine) {
    guard let first = usage.firstSeen else { return }
    let told = birth ?? machine.installed
    birth = told ?? first
    if machine.usage.source == .calendarHours, let told {
      birthUsage = usage.total - Double(first.microseconds(since: told)) / 3.6e9
    } else if machine.usage.initial != nil {
      birthUsage = 0
    }
  }

  var mark: UsageLog.Mark {
    UsageLog.Mark(
      time: usage.lastSeen ?? .epoch, usage: usage.total, runningHours: usage.runningHours)
  }

  public mutating func setRunning(_ running: Bool) { usage.setRunning(running) }

  /// Takes a value of the metric with these roles; the state is told by `setRunning`.
  ///
  /// - Parameter signal: its place among the signals; −1: none.
  public mutating func observe(
    _ value: Double, at time: Timestamp, roles: MaintainedMachine.Roles, signal: Int,
    _ machine: MaintainedMachine
  ) -> Change {
    var change: Change = []
    if roles.contains(.counter), case .counter(_, let rollover) = machine.usage.source {
      usage.count(value, rollover: rollover)
    }
    guard usage.isRunning else { return change }
    if roles.contains(.severity), let zones = machine.severity,
      severity.observe(value, at: time, zones: zones.zones, hold: zones.holdMicroseconds)
    {
      change.insert(.zone)
    }
    if signal >= 0, value.isFinite {
      if let start = periodStart {
        if time.microseconds(since: start) >= machine.periodMicroseconds {
          closePeriod(at: time)
          change.insert(.period)
        }
      } else {
        periodStart = time
      }
      sums[signal] += value
      counts[signal] += 1
      latest[signal] = value
    }
    return change
  }

  private mutating func closePeriod(at time: Timestamp) {
    life.observe(sums.indices.map { counts[$0] > 0 ? sums[$0] / Double(counts[$0]) : .nan })
    for index in sums.indices { (sums[index], counts[index]) = (0, 0) }
    periodStart = time
  }

  // MARK: - Maintenance

  /// Takes what was told of the machine.
  ///
  /// - Returns: whether it is about the life that is followed here.
  @discardableResult
  public mutating func take(_ report: MaintenanceReport, _ machine: MaintainedMachine) -> Bool {
    // Never seen: usage begins with what comes.
    let then = log.mark(at: report.moment, now: mark)
    for place in machine.services.indices where report.serves(machine.services[place]) {
      guard (serviced[place]?.time ?? .distantPast) <= report.moment else { continue }
      serviced[place] =
        then
        ?? UsageLog.Mark(
          time: report.moment, usage: log.marks.first?.usage ?? usage.total,
          runningHours: log.marks.first?.runningHours ?? 0)
    }
    guard (report.component ?? machine.component) == machine.component || machine.component.isEmpty
    else { return false }
    let known = MaintenanceEvent(
      kind: report.kind, time: report.moment, usage: then?.usage ?? .nan,
      resetsLife: report.resetsLife)
    let place = events.firstIndex { $0.time > known.time } ?? events.count
    events.insert(known, at: place)
    if events.count > Self.eventsMax { events.removeFirst() }
    if report.beginsLife, report.moment >= birth ?? .distantPast {
      beginLife(at: report.moment, then?.usage, machine)
    }
    return true
  }

  private mutating func beginLife(
    at moment: Timestamp, _ shown: Double?, _ machine: MaintainedMachine
  ) {
    birth = moment
    birthUsage = shown
    if machine.usage.source == .calendarHours, let last = usage.lastSeen {
      birthUsage = usage.total - Double(last.microseconds(since: moment)) / 3.6e9
    }
    // What was measured before the work says nothing of the new part.
    severity = SeverityWatch()
    life.reset()
    for index in sums.indices { (sums[index], counts[index]) = (0, 0) }
    periodStart = nil
  }

  // MARK: - What is known now

  /// Usage since life began, in the usage unit; `nil`: nobody knows.
  public var age: Double? { birthUsage.map { max(0, usage.total - $0) } }

  /// Failures whose usage is known, and how long lives lasted.
  public var history: MaintenanceHistory {
    MaintenanceHistory(
      events: events.filter { $0.usage.isFinite }, birth: log.marks.first?.usage ?? 0,
      now: usage.total)
  }

  /// Failures that were told, each breakdown once.
  public var failures: Int { events.count { $0.kind == .failure } }

  /// Names and units of `row`.
  public static func features(of machine: MaintainedMachine) -> [Feature] {
    LifeFeatures.features(of: machine.signals, cycleUnit: machine.usage.unit)
  }

  /// The feature vector: the periods that are closed, and the age.
  public var row: [Double] {
    var row = life.values
    row[row.count - 1] = age ?? .nan
    return row
  }

  /// Periods of this life that `row` is made of.
  public var periods: Int { life.cycles }

  // MARK: - Saved state

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    severity.encode(into: &writer)
    usage.encode(into: &writer)
    log.encode(into: &writer)
    writer.varint(UInt64(events.count))
    for event in events { event.encode(into: &writer) }
    writer.zigzag(birth?.microseconds ?? .min)
    writer.double(birthUsage ?? .nan)
    life.encode(into: &writer)
    writer.varint(UInt64(sums.count))
    for index in sums.indices {
      writer.double(sums[index])
      writer.varint(UInt64(counts[index]))
      writer.double(latest[index])
    }
    writer.zigzag(periodStart?.microseconds ?? .min)
    writer.varint(UInt64(serviced.count))
    for mark in serviced {
      writer.byte(mark == nil ? 0 : 1)
      mark?.encode(into: &writer)
    }
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    severity = try SeverityWatch(from: &reader)
    usage = try UsageMeter(from: &reader)
    log = try UsageLog(from: &reader)
    for _ in 0..<(try reader.length()) { events.append(try MaintenanceEvent(from: &reader)) }
    let began = try reader.zigzag()
    birth = began == .min ? nil : Timestamp(microseconds: began)
    let known = try reader.double()
    birthUsage = known.isNaN ? nil : known
    life = try LifeFeatures(from: &reader)
    (sums, counts, latest, serviced) = ([], [], [], [])
    for _ in 0..<(try reader.length()) {
      sums.append(try reader.double())
      counts.append(try reader.count())
      latest.append(try reader.double())
    }
    let start = try reader.zigzag()
    periodStart = start == .min ? nil : Timestamp(microseconds: start)
    for _ in 0..<(try reader.length()) {
      serviced.append(try reader.byte() == 0 ? nil : try UsageLog.Mark(from: &reader))
    }
  }

  /// Another configuration of the same machine: what it does not concern goes on.
  public func adapted(
    from old: MaintainedMachine, to new: MaintainedMachine
  ) -> MachineCondition {
    guard old != new else { return self }
    var adapted = MachineCondition(new)
    adapted.events = events
    let isSameUsage = old.usage.source == new.usage.source && old.usage.unit == new.usage.unit
    if isSameUsage, old.usage.initial == new.usage.initial, old.running == new.running {
      (adapted.usage, adapted.log) = (usage, log)
      (adapted.birth, adapted.birthUsage) = (birth, birthUsage)
      if old.installed != new.installed { adapted.begin(new) }
    }
    if old.signals == new.signals, old.periodMicroseconds == new.periodMicroseconds {
      adapted.life = life
      (adapted.sums, adapted.counts, adapted.latest) = (sums, counts, latest)
      adapted.periodStart = periodStart
    }
    if old.severity == new.severity { adapted.severity = severity }
    for (place, service) in new.services.enumerated() {
      guard let before = old.services.firstIndex(where: { $0.id == service.id }),
        before < serviced.count, isSameUsage
      else { continue }
      adapted.serviced[place] = serviced[before]
    }
    return adapted
  }
}

extension MaintenanceReport {
  /// Whether the work did this service: preventive work and replacements of its component, or of the whole machine.
  func serves(_ service: MaintainedMachine.Service) -> Bool {
    guard kind == .preventive || kind == .replacement || kind == .repair else { return false }
    if let component { return component == service.component || component == service.id }
    return kind != .repair && (service.component.isEmpty || kind == .replacement)
  }
}

extension MaintenanceEvent {
  func encode(into writer: inout ByteWriter) {
    writer.text(kind.rawValue)
    writer.zigzag(time.microseconds)
    writer.double(usage)
    writer.byte(resetsLife ? 1 : 0)
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard let kind = Kind(rawValue: try reader.text()) else { throw ByteReader.Truncated() }
    self.init(
      kind: kind, time: Timestamp(microseconds: try reader.zigzag()), usage: try reader.double(),
      resetsLife: try reader.byte() != 0)
  }
}

extension MachineCondition {
  /// Takes a value by the name of its metric: for readings that do not come by a series.
  @discardableResult
  public mutating func take(
    _ metric: String, _ value: Value, at time: Timestamp, _ machine: MaintainedMachine
  ) -> Change {
    let roles = machine.roles(of: metric)
    saw(time, machine)
    if roles.contains(.state) { setRunning(machine.running?.holds(value) ?? true) }
    guard !roles.isEmpty, case .number(let number) = value else { return [] }
    return observe(
      number, at: time, roles: roles,
      signal: machine.signals.firstIndex { $0.name == metric } ?? -1, machine)
  }
}

extension MaintainedMachine.Running {
  /// Whether a value of the state means that the machine runs.
  public func holds(_ value: Value) -> Bool {
    switch value {
    case .text(let word): values.contains(word)
    case .boolean(let flag): values.contains(flag ? "true" : "false")
    case .number(let number): values.contains(JSONText.number(number))
    }
  }
}
