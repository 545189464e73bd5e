import Operations
import Telemetry

/// Follows the state of each machine as its samples come, for events, rules and the live page.
///
/// Reports do not read it: they are made from the store, by the same tracker, so that late data counts there.
struct MachineStage: Sendable {
  struct Change {
    var machine: MachineDefinition
    var change: StateChange
  }

  private struct Machine: Sendable {
    var definition: MachineDefinition
    var tracker: MachineStateTracker
    /// Index of the state series; `nil`: not known yet.
    var series: UInt32?
    var device: UInt32?
    /// When it was last heard, in elapsed µs: a backlog that arrives now tells of the past, and is no silence.
    var heard = Int64.min
  }

  private var machines: [Machine] = []
  /// Machine by index of device; −1: none. One device is one machine.
  private var machineOfDevice: [Int32] = []
  /// Machine by index of series; −1: none.
  private var machineOfSeries: [Int32] = []
  /// States by word of the dictionary, per machine; looked up once per word.
  private var states: [[UInt32: MachineState]] = []

  /// Puts other machines in force; the trackers of those that stay go on.
  mutating func configure(_ definitions: [MachineDefinition], catalog: Catalog) {
    let known = machines
    machines = definitions.filter { $0.stateSeries != nil }.map { definition in
      var machine = Machine(definition: definition, tracker: definition.tracker)
      if let before = known.first(where: { $0.definition.id == definition.id }) {
        machine.tracker = before.tracker
        machine.tracker.timeoutMicroseconds = definition.telemetryTimeoutMicroseconds
        machine.heard = before.heard
      }
      return machine
    }
    states = machines.map { _ in [:] }
    machineOfDevice = []
    machineOfSeries = []
    for series in catalog.series { define(series, catalog: catalog) }
  }

  mutating func define(_ series: SeriesDefinition, catalog: Catalog) {
    let device = Int(series.device)
    while machineOfDevice.count <= device { machineOfDevice.append(-1) }
    while machineOfSeries.count <= Int(series.index) { machineOfSeries.append(-1) }
    guard device < catalog.devices.count else { return }
    let id = catalog.devices[device].id
    guard let place = machines.firstIndex(where: { $0.definition.device == id }) else { return }
    machineOfDevice[device] = Int32(place)
    machineOfSeries[Int(series.index)] = Int32(place)
    machines[place].device = series.device
    if machines[place].definition.stateSeries?.metric == series.metric {
      machines[place].series = series.index
    }
  }

  /// Cost: one array look-up for a series of no machine.
  mutating func observe(
    _ sample: Sample, at moment: RecordMoment, catalog: Catalog, into changes: inout [Change]
  ) {
    let index = Int(sample.series)
    guard index < machineOfSeries.count, machineOfSeries[index] >= 0 else { return }
    let place = Int(machineOfSeries[index])
    machines[place].heard = moment.elapsedMicroseconds
    let found: StateChanges
    if machines[place].series == sample.series {
      found = machines[place].tracker.observe(
        state(of: sample, place: place, catalog: catalog), at: sample.time, quality: sample.quality)
    } else {
      found = machines[place].tracker.sawLife(at: sample.time)
    }
    note(found.lapse, place, &changes)
    note(found.change, place, &changes)
  }

  private mutating func state(of sample: Sample, place: Int, catalog: Catalog) -> MachineState {
    let series = catalog.series[Int(sample.series)]
    guard series.type == .text, let word = UInt32(exactly: sample.bits) else {
      let value = catalog.value(sample.bits, type: series.type)
      return machines[place].definition.mapped(value)?.state ?? .unknown
    }
    if let known = states[place][word] { return known }
    let state =
      machines[place].definition.mapped(catalog.value(sample.bits, type: .text))?.state ?? .unknown
    states[place][word] = state
    return state
  }

  /// Machines that were not heard for too long are unknown from then on.
  mutating func advance(to moment: RecordMoment, into changes: inout [Change]) {
    for place in machines.indices {
      guard let due = lapse(of: machines[place]), due <= moment.elapsedMicroseconds else {
        continue
      }
      note(machines[place].tracker.advance(to: moment.wall), place, &changes)
    }
  }

  private func lapse(of machine: Machine) -> Int64? {
    guard machine.tracker.state != .unknown, machine.heard != .min else { return nil }
    let (due, isOver) = machine.heard.addingReportingOverflow(machine.tracker.timeoutMicroseconds)
    return isOver ? nil : due + 1
  }

  /// When the next machine may lapse, in elapsed µs; `nil`: none.
  var nextDeadline: Int64? {
    var soonest: Int64?
    for machine in machines {
      guard let due = lapse(of: machine) else { continue }
      soonest = min(soonest ?? due, due)
    }
    return soonest
  }

  private func note(_ change: StateChange?, _ place: Int, _ changes: inout [Change]) {
    guard let change else { return }
    changes.append(Change(machine: machines[place].definition, change: change))
  }

  // MARK: - Saved state

  /// The trackers; which machines there are is configuration.
  func encode(into out: inout ByteWriter) {
    out.varint(UInt64(machines.count))
    for machine in machines {
      out.text(machine.definition.id)
      machine.tracker.encode(into: &out)
      out.fixed(machine.heard)
    }
  }

  init() {}

  init(
    _ definitions: [MachineDefinition], catalog: Catalog, from input: inout ByteReader
  ) throws(ByteReader.Truncated) {
    configure(definitions, catalog: catalog)
    for _ in 0..<(try input.length()) {
      let id = try input.text()
      let place = machines.firstIndex { $0.definition.id == id }
      let timeout = place.map { machines[$0].tracker.timeoutMicroseconds } ?? .max
      let tracker = try MachineStateTracker(from: &input, timeoutMicroseconds: timeout)
      let heard = try input.fixed(Int64.self)
      guard let place else { continue }
      machines[place].tracker = tracker
      machines[place].heard = heard
    }
  }
}

/// Changes of machines as rows.
enum MachineRecords {
  static let kind = "machine"

  static func add(
    _ change: MachineStage.Change, at moment: RecordMoment, to output: inout StageOutput
  ) {
    let properties = JSONValue.object([
      ("machine", .string(change.machine.id)), ("asset", .string(change.machine.asset)),
      ("from", .string(change.change.old.name)), ("to", .string(change.change.new.name)),
    ])
    output.add(
      "MachineStateChanged", at: moment, time: change.change.time, device: change.machine.device,
      properties: properties)
    output.standings.append(
      Standing(
        kind: kind, key: change.machine.id, time: change.change.time,
        body: JSONValue.object([
          ("machine", .string(change.machine.id)), ("device", .string(change.machine.device)),
          ("asset", .string(change.machine.asset)), ("state", .string(change.change.new.name)),
          ("since", .string(change.change.time.rfc3339)),
        ]).encoded))
  }
}
