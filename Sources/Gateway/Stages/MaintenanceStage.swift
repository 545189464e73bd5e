import Devices
import Scoring
import Telemetry

/// Follows the maintenance of each machine that has an entry under `maintenance:`: its usage, its severity, what is
/// due, and what should be done.
///
/// Per sample: an array look-up for series of no machine, some arithmetic for others. Forecasts are made when a zone
/// changes, a period of readings closes, a service falls due, or something is told: not for each sample.
struct MaintenanceStage: Sendable {
  /// How often services are looked at, on the wall clock, in µs.
  private static let everyMicroseconds: Int64 = 60_000_000

  struct Machine: Sendable {
    var device: UInt32
    var definition: MaintainedMachine
    var condition: MachineCondition
    /// The recommendation that was told last.
    var told = ""
    /// It follows from a forecast.
    var isForecast = false
    /// Services that are due, as told.
    var due: [String] = []
    /// Those and what falls due soon, as looked at last.
    var pressing: [String] = []
  }

  /// What is to be told.
  struct Advice {
    var device: UInt32
    var outlook: MaintenanceOutlook
    /// Became due beside what is recommended; `nil`: the recommendation itself is told.
    var service: ServiceStatus?
  }

  /// What a series is to a machine.
  private struct Role: Sendable {
    var machine: Int32 = -1
    var roles: MaintainedMachine.Roles = []
    var signal: Int32 = -1
  }

  private(set) var machines: [Machine] = []
  private(set) var registry = ModelRegistry()
  /// The set in force of each scope, by name.
  private(set) var sets: [MaintenanceModelSet] = []
  private var configuration = MaintenanceConfiguration()
  /// By index of series.
  private var roles: [Role] = []
  /// Whether a word means running, per machine; looked up once per word.
  private var running: [[UInt64: Bool]] = []
  private var lookedAt = Timestamp.distantPast
  /// Machines whose recommendation may have changed.
  private var doubtful: [Int] = []

  // MARK: - Configuration and definitions

  mutating func configure(_ new: MaintenanceConfiguration, catalog: Catalog) {
    configuration = new
    let before = machines
    machines = []
    running = []
    roles = []
    for device in catalog.devices { add(device, catalog: catalog) }
    for place in machines.indices {
      guard let old = before.first(where: { $0.device == machines[place].device }) else { continue }
      let definition = machines[place].definition
      machines[place] = old
      machines[place].definition = definition
      machines[place].condition = old.condition.adapted(from: old.definition, to: definition)
    }
    for series in catalog.series { define(series, catalog: catalog) }
    doubtful = Array(machines.indices)
  }

  /// A device that is new, or has another name or profile.
  mutating func define(_ device: DeviceDefinition, catalog: Catalog) {
    guard !configuration.isEmpty else { return }
    let entry = configuration.machine(device: device.id, profile: device.profile)
    let known = machines.first { $0.device == device.index }
    guard entry != known?.definition else { return }
    configure(configuration, catalog: catalog)
  }

  private mutating func add(_ device: DeviceDefinition, catalog: Catalog) {
    guard
      let entry = configuration.machine(device: device.id, profile: device.profile)
    else { return }
    machines.append(
      Machine(device: device.index, definition: entry, condition: MachineCondition(entry)))
    running.append([:])
  }

  mutating func define(_ series: SeriesDefinition, catalog: Catalog) {
    let index = Int(series.index)
    while roles.count <= index { roles.append(Role()) }
    guard let place = machines.firstIndex(where: { $0.device == series.device }) else { return }
    let definition = machines[place].definition
    roles[index] = Role(
      machine: Int32(place), roles: definition.roles(of: series.metric),
      signal: Int32(
        series.type == .number
          ? definition.signals.firstIndex { $0.name == series.metric } ?? -1 : -1))
  }

  /// Whether maintenance events come on this topic.
  func hears(_ topic: UnsafeRawBufferPointer) -> Bool {
    configuration.topics.contains { $0.matches(topic) }
  }

  // MARK: - What happens

  /// Cost: one array look-up for a series of no machine.
  @inline(__always)
  mutating func observe(_ sample: Sample, catalog: Catalog) {
    let index = Int(sample.series)
    guard index < roles.count, roles[index].machine >= 0 else { return }
    take(sample, roles[index], catalog: catalog)
  }

  private mutating func take(_ sample: Sample, _ role: Role, catalog: Catalog) {
    guard sample.quality.severity != .bad, !sample.quality.contains(.stale),
      !sample.quality.contains(.correction)
    else { return }
    let place = Int(role.machine)
    machines[place].condition.saw(sample.time, machines[place].definition)
    guard !role.roles.isEmpty else { return }
    if role.roles.contains(.state) {
      machines[place].condition.setRunning(isRunning(sample, place, catalog: catalog))
    }
    guard catalog.series[Int(sample.series)].type == .number else { return }
    let change = machines[place].condition.observe(
      Double(bitPattern: sample.bits), at: sample.time, roles: role.roles, signal: Int(role.signal),
      machines[place].definition)
    if !change.isEmpty { doubt(place) }
  }

  private mutating func isRunning(_ sample: Sample, _ place: Int, catalog: Catalog) -> Bool {
    if let known = running[place][sample.bits] { return known }
    let type = catalog.series[Int(sample.series)].type
    let isRunning =
      machines[place].definition.running?.holds(catalog.value(sample.bits, type: type)) ?? true
    // There is no end of numbers.
    if type != .number { running[place][sample.bits] = isRunning }
    return isRunning
  }

  private mutating func doubt(_ place: Int) {
    if !doubtful.contains(place) { doubtful.append(place) }
  }

  /// Takes a maintenance event.
  /// - Returns: the device whose detectors begin anew; `nil`: none.
  mutating func take(_ event: Event, at moment: RecordMoment, catalog: Catalog) -> UInt32? {
    guard event.name == MaintenanceReport.eventName,
      // Whoever sent it was told; an event that came another way stays in the log alone.
      let report = try? MaintenanceReport(event),
      let device = Self.device(of: report, catalog: catalog)
    else { return nil }
    if let place = machines.firstIndex(where: { $0.device == device.index }) {
      machines[place].condition.take(report, machines[place].definition)
      doubt(place)
    }
    let age = moment.wall.microseconds(since: report.moment)
    return report.changesTheMachine && age <= MachineCondition.lateMicroseconds
      ? device.index : nil
  }

  static func device(of report: MaintenanceReport, catalog: Catalog) -> DeviceDefinition? {
    if let id = report.device {
      return catalog.devices.first { $0.id == id || $0.was.contains(id) }
    }
    let placed = catalog.devices.filter { $0.asset == report.asset }
    return placed.count == 1 ? placed[0] : nil
  }

  /// Puts models in force.
  mutating func take(_ set: MaintenanceModelSet) throws(CommandRefusal) {
    guard
      let machine = machines.first(where: { set.scope == Self.scope(of: $0) })?.definition
        ?? configuration.machines.first(where: {
          MaintenanceModelSet.scope($0.subject) == set.scope
        })
    else {
      throw CommandRefusal(
        code: "unknown_scope",
        detail: "no entry under `maintenance:` is about `\(set.scope)`"
          + (nearestName(
            to: set.scope,
            among: configuration.machines.map { MaintenanceModelSet.scope($0.subject) }
          )
          .map { "; did you mean `\($0)`?" } ?? ""))
    }
    guard set.fits(machine) else {
      throw CommandRefusal(
        code: "other_features",
        detail:
          "the models of `\(set.scope)` were trained on other signals, another period or another "
          + "usage unit than the configuration has now: train again")
    }
    guard set.labelledFailures >= FailureForecast.failuresMin, !set.models.isEmpty else {
      throw CommandRefusal(
        code: "too_few_failures",
        detail: "\(set.labelledFailures) labelled failures; models are taken from "
          + "\(FailureForecast.failuresMin) on")
    }
    if let present = sets.first(where: { $0.scope == set.scope }), set.version <= present.version {
      guard set != present else { return }
      throw CommandRefusal(
        code: "version_exists",
        detail: "version \(present.version) of `\(set.scope)` is in force; the next is "
          + "\(present.version + 1)")
    }
    do {
      var added = registry
      for model in set.models { try added.add(model) }
      added.keepNewest(3)
      registry = added
    } catch {
      throw CommandRefusal(code: "version_exists", detail: "\(error)")
    }
    sets.removeAll { $0.scope == set.scope }
    let place = sets.firstIndex { $0.scope > set.scope } ?? sets.count
    sets.insert(set, at: place)
    doubtful = Array(machines.indices)
  }

  private static func scope(of machine: Machine) -> String {
    MaintenanceModelSet.scope(machine.definition.subject)
  }

  /// The models in force for a machine: its own, else those of its profile.
  func set(for place: Int, catalog: Catalog) -> MaintenanceModelSet? {
    let device = catalog.devices[Int(machines[place].device)]
    return sets.first { $0.scope == device.id }
      ?? sets.first { $0.scope == MaintenanceModelSet.scope(.profile(device.profile)) }
  }

  // MARK: - What follows

  /// Lets time pass: once a minute services are looked at.
  mutating func advance(to moment: RecordMoment) {
    guard !machines.isEmpty,
      moment.wall < lookedAt
        || moment.wall.microseconds(since: lookedAt) >= Self.everyMicroseconds
    else { return }
    lookedAt = moment.wall
    for place in machines.indices {
      let pressing = pressing(place, at: moment.wall)
      if pressing != machines[place].pressing { doubt(place) }
    }
  }

  private func pressing(_ place: Int, at now: Timestamp) -> [String] {
    machines[place].condition.services(of: machines[place].definition, at: now)
      .filter { $0.isDue || $0.isSoon }.map { $0.service.id + ($0.isDue ? " due" : " soon") }
  }

  var hasDoubts: Bool { !doubtful.isEmpty }

  /// Judges the machines of which something changed.
  mutating func settle(at moment: RecordMoment, catalog: Catalog, into advice: inout [Advice]) {
    for place in doubtful { judge(place, at: moment, catalog: catalog, &advice) }
    doubtful.removeAll(keepingCapacity: true)
  }

  private mutating func judge(
    _ place: Int, at moment: RecordMoment, catalog: Catalog, _ advice: inout [Advice]
  ) {
    let outlook = outlook(place, at: moment.wall, catalog: catalog)
    let due = outlook.services.filter(\.isDue)
    machines[place].pressing = pressing(place, at: moment.wall)
    let isFirst = machines[place].told.isEmpty
    if machines[place].told != outlook.recommendation.key {
      machines[place].told = outlook.recommendation.key
      machines[place].isForecast = outlook.recommendation.isForecast
      // That there is nothing to do is news only after there was something.
      if !isFirst || outlook.recommendation.urgency != .none {
        advice.append(Advice(device: machines[place].device, outlook: outlook))
      }
    }
    for status in due
    where !machines[place].due.contains(status.service.id)
      && outlook.recommendation.service != status.service.id
    {
      advice.append(Advice(device: machines[place].device, outlook: outlook, service: status))
    }
    machines[place].due = due.map(\.service.id)
  }

  func outlook(_ place: Int, at now: Timestamp, catalog: Catalog) -> MaintenanceOutlook {
    let machine = machines[place]
    let device = catalog.devices[Int(machine.device)]
    return MaintenanceOutlook(
      device: device.id, asset: device.asset, machine: machine.definition,
      condition: machine.condition, models: set(for: place, catalog: catalog),
      isHeld: machine.isForecast, at: now)
  }

  // MARK: - Saved state

  func encode(into out: inout ByteWriter) {
    out.zigzag(lookedAt.microseconds)
    out.varint(UInt64(machines.count))
    for machine in machines {
      out.fixed(machine.device)
      machine.condition.encode(into: &out)
      out.text(machine.told)
      out.byte(machine.isForecast ? 1 : 0)
      for list in [machine.due, machine.pressing] {
        out.varint(UInt64(list.count))
        for text in list { out.text(text) }
      }
    }
    registry.encode(into: &out)
    out.varint(UInt64(sets.count))
    for set in sets { set.encode(into: &out) }
  }

  init() {}

  init(
    _ configuration: MaintenanceConfiguration, catalog: Catalog, from input: inout ByteReader
  ) throws(ByteReader.Truncated) {
    configure(configuration, catalog: catalog)
    doubtful = []
    lookedAt = Timestamp(microseconds: try input.zigzag())
    for _ in 0..<(try input.length()) {
      let device = try input.fixed(UInt32.self)
      let condition = try MachineCondition(from: &input)
      let told = try input.text()
      let isForecast = try input.byte() != 0
      var lists: [[String]] = []
      for _ in 0..<2 {
        var list: [String] = []
        for _ in 0..<(try input.length()) { list.append(try input.text()) }
        lists.append(list)
      }
      guard let place = machines.firstIndex(where: { $0.device == device }) else { continue }
      machines[place].condition = condition
      machines[place].told = told
      machines[place].isForecast = isForecast
      (machines[place].due, machines[place].pressing) = (lists[0], lists[1])
    }
    registry = try ModelRegistry(from: &input)
    for _ in 0..<(try input.length()) { sets.append(try MaintenanceModelSet(from: &input)) }
  }
}
