import Telemetry

/// How large the plant is and how often its devices speak.
public struct PlantSettings: Sendable, Hashable {
  /// Lines of a press, a mill and a conveyor each.
  public var lines = 1
  /// Time between two telemetry messages of a device, milliseconds.
  public var intervalMilliseconds = 1_000
  /// Time between two messages of a room sensor, seconds.
  public var roomSeconds = 30
  /// Whether the plant of devices/demo-line.yaml speaks.
  public var hasPlant = true
  /// What else speaks.
  public var families: Set<DeviceFamily> = []
  public var faults: Set<SimulatedFault> = []
  public var life = PlantLife.lively
  /// Faults of machines, at their times.
  public var machineFaults: [MachineFault] = []
  /// Whether `Plant.truth` is kept; it grows with every tick.
  public var keepsTruth = false

  public init() {}

  /// Enough lines, speaking often enough, for about `rate` messages a second.
  ///
  /// Messages of one device stay at least 10 ms apart, so that their times in milliseconds differ.
  /// 5 a second is the plain plant: three machines, pump and meter, each once a second.
  public init(messagesPerSecond rate: Double) {
    precondition(rate > 0, "a rate is above 0")
    var devices = 5
    while Double(devices) / rate < 0.01 {
      lines += 1
      devices += 3
    }
    intervalMilliseconds = max(10, Int((Double(devices) * 1_000 / rate).rounded()))
  }
}

/// A small factory that makes the same messages from the same seed, on every machine.
///
/// Pure: time comes in, messages come out. Topics and payloads are those of devices/demo-line.yaml.
public struct Plant: Sendable {
  public let settings: PlantSettings
  /// When the next messages are due.
  public private(set) var next: Timestamp
  private var lines: [[Machine]]
  private var pump: Pump
  private var meter: Meter
  private var rooms: [Room]
  private var panel: Panel
  private var nextRooms: Timestamp
  private var families: Families
  private var faults: FaultInjector
  private var machineFaults: PlantFaults
  private var steady: [SteadyLine] = []
  /// What really happened, one entry a machine; empty unless the settings ask for it.
  public private(set) var truth: [MachineTruth] = []

  public init(seed: UInt64, start: Timestamp, settings: PlantSettings = PlantSettings()) {
    self.settings = settings
    next = start
    nextRooms = start
    lines = (1...max(1, settings.lines)).map { line in
      [MachineKind.press, .mill, .conveyor].map { Machine(kind: $0, line: line, seed: seed) }
    }
    pump = Pump(seed: seed)
    meter = Meter(seed: seed)
    rooms = [
      Room(name: "office", mean: 21.5, swing: 1.5, people: 520, seed: seed),
      Room(name: "hall1", mean: 22, swing: 3.5, people: 180, seed: seed),
    ]
    panel = Panel(seed: seed)
    families = Families(
      settings.families, seed: seed, reconnects: settings.faults.contains(.reconnect))
    faults = FaultInjector(settings.faults, seed: seed)
    machineFaults = PlantFaults(settings.machineFaults, seed: seed)
    if case .steady(let week) = settings.life {
      steady = lines.indices.map {
        SteadyLine(week, machines: lines[$0].count, line: $0 + 1, seed: seed)
      }
    }
    if settings.keepsTruth { truth = lines.joined().map { MachineTruth(device: $0.id) } }
  }

  /// Faults so far and to come, with the times at which they really end.
  public var injectedFaults: [MachineFault] { machineFaults.all }

  /// The machines that faults can befall.
  public var machineNames: [String] { lines.joined().map(\.id) }

  public mutating func inject(_ fault: MachineFault) { machineFaults.inject(fault) }

  /// Repairs everything.
  public mutating func clearFaults() { machineFaults.clear(at: next) }

  /// From here on as another seed would have it; what machines are and did stays.
  public mutating func reseed(_ seed: UInt64) {
    for line in lines.indices {
      for place in lines[line].indices { lines[line][place].reseed(seed) }
    }
    for line in steady.indices { steady[line].reseed(seed, line: line + 1) }
    pump.reseed(seed)
    meter.reseed(seed)
    machineFaults.reseed(seed)
  }

  /// A person sets the speed of a belt, in m/s.
  /// - Returns: whether there is such a machine.
  public mutating func set(speed: Double, of device: String) -> Bool {
    for line in lines.indices {
      for place in lines[line].indices
      where lines[line][place].id == device && lines[line][place].kind.name == "conveyor" {
        lines[line][place].set(speed: speed)
        return true
      }
    }
    return false
  }

  /// The topic on which a host asks the edge node for its birth; `nil` when there is no edge node.
  public var commandTopic: String? {
    settings.families.contains(.sparkplug) ? SparkplugPress.commandTopic : nil
  }

  /// A host asked the edge node for its birth.
  public mutating func rebirth() { families.rebirth() }

  /// Everything that is due up to and including `time`, in order of time.
  public mutating func step(to time: Timestamp) -> [SimulatedMessage] {
    var messages: [SimulatedMessage] = []
    while next <= time {
      var own: [SimulatedMessage] = []
      tick(at: faults.sourceTime(at: next), into: &own)
      messages += machineFaults.send(faults.spoil(own, at: next), at: next)
      next = next.advanced(byMicroseconds: Int64(settings.intervalMilliseconds) * 1_000)
    }
    return messages
  }

  private mutating func tick(at time: Timestamp, into messages: inout [SimulatedMessage]) {
    let seconds = Double(settings.intervalMilliseconds) / 1_000
    let ambient = 22 + 3.5 * Day(time).warmth
    // What the clocks of the plant's devices say.
    let lag = machineFaults.clockLag(at: next)
    let stamp = time.advanced(byMicroseconds: -lag)
    let first = messages.count
    defer {
      // They arrive now, whatever they say.
      if lag != 0 { for place in first..<messages.count { messages[place].time = next } }
    }
    messages += families.messages(at: time, seconds: seconds, ambient: ambient)
    guard settings.hasPlant else { return }
    for line in lines.indices {
      advance(line: line, at: stamp, seconds: seconds, ambient: ambient, into: &messages)
    }
    let machines = lines.joined()
    let running = machines.count { $0.state == .running }
    let demand = Double(running) / Double(machines.count)
    messages.append(pump.message(at: stamp, seconds: seconds, demand: demand))
    let load = machines.reduce(4.5 + pump.power) { $0 + $1.power }
    messages.append(
      meter.message(
        at: stamp, seconds: seconds, load: load, dip: machineFaults.voltageDip(at: next)))
    messages += panel.messages(at: stamp, seconds: seconds)
    if time >= nextRooms {
      for room in rooms.indices { messages += rooms[room].messages(at: time) }
      nextRooms = time.advanced(byMicroseconds: Int64(settings.roomSeconds) * 1_000_000)
    }
  }

  private mutating func advance(
    line: Int, at time: Timestamp, seconds: Double, ambient: Double,
    into messages: inout [SimulatedMessage]
  ) {
    let halted = lines[line].map(\.state.haltsNeighbours)
    let planned = steady.isEmpty ? [] : steady[line].states(at: next, seconds: seconds)
    for place in lines[line].indices {
      let course: MachineCourse =
        steady.isEmpty
        ? .drawn(
          StateChances(
            isUpstreamHalted: place > 0 && halted[place - 1],
            isDownstreamHalted: place + 1 < halted.count && halted[place + 1]))
        : .prescribed(planned[place], product: steady[line].product)
      let before = lines[line][place].state
      let isNewProgram = lines[line][place].advance(
        seconds: seconds, ambient: ambient, course,
        machineFaults.effects(on: lines[line][place], at: next, seconds: seconds))
      let machine = lines[line][place]
      if settings.keepsTruth { truth[line * lines[line].count + place].note(machine, at: next) }
      if machine.state == .fault, before != .fault { panel.noteFault(of: machine.id) }
      messages.append(lines[line][place].message(at: time))
      if isNewProgram, machine.kind.name == "mill" {
        messages.append(
          panel.recipeMessage(machine: machine.id, recipe: machine.program, at: time))
      }
    }
  }
}
