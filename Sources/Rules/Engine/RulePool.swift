import Telemetry

/// A register: a number with what is known of it. Booleans are 0 and 1, words their ids.
struct Cell: Sendable {
  var value = 0.0
  var flags: UInt8 = 0

  static let unknown: UInt8 = 1
  static let uncertain: UInt8 = 2
  /// A pulse that is not now: comparisons with it are false.
  static let absent: UInt8 = 4

  @inline(__always) init(_ value: Double, _ flags: UInt8 = 0) {
    self.value = value
    self.flags = flags
  }

  @inline(__always) init(_ flag: Bool, _ flags: UInt8 = 0) {
    self.init(flag ? 1.0 : 0.0, flags)
  }

  @inline(__always) var isKnown: Bool { flags & Cell.unknown == 0 }
  @inline(__always) var isTrue: Bool { value != 0 && flags & (Cell.unknown | Cell.absent) == 0 }
  @inline(__always) var isFalse: Bool {
    flags & Cell.unknown == 0 && (value == 0 || flags & Cell.absent != 0)
  }

  var verdict: Verdict { isKnown ? (isTrue ? .yes : .no) : .unknown }
}

/// The state of all instances in flat arrays, and the machine that evaluates them.
struct RulePool: Sendable {
  var code: [Instruction] = []
  var cells: [Cell] = []
  var inputs: [InputState] = []
  var memories: [MemoryState] = []
  var windows: [Window] = []
  var conversions: [Conversion] = []
  /// Earliest time at which an instruction of the last pass gives another answer by itself.
  var deadline = Int64.max

  /// Computes all registers of an instance at `now`; `trigger` has the bits of inputs that just
  /// brought something.
  mutating func run(
    _ rule: CompiledRule, _ instance: RuleInstance, at now: Int64, trigger: UInt64
  ) {
    deadline = .max
    var register = 0
    for index in Int(rule.code.lowerBound)..<Int(rule.code.upperBound) {
      let step = code[index]
      cells[register] = evaluate(step, rule, instance, now, trigger)
      register += 1
    }
  }

  @inline(__always)
  private mutating func evaluate(
    _ step: Instruction, _ rule: CompiledRule, _ instance: RuleInstance, _ now: Int64,
    _ trigger: UInt64
  ) -> Cell {
    switch step.operation {
    case .constant: return Cell(step.x)
    case .load: return load(Int(instance.firstInput + step.place), now, trigger & step.inputs != 0)
    case .less:
      return compare(step) { $0 < $1 }
    case .lessEqual:
      return compare(step) { $0 <= $1 }
    case .equal:
      return compare(step) { $0 == $1 }
    case .notEqual:
      return compare(step) { $0 != $1 }
    case .and:
      let (a, b) = (cells[Int(step.a)], cells[Int(step.b)])
      if a.isFalse { return Cell(0, a.flags & Cell.uncertain) }
      if b.isFalse { return Cell(0, b.flags & Cell.uncertain) }
      return Cell(1, a.flags | b.flags)
    case .or:
      let (a, b) = (cells[Int(step.a)], cells[Int(step.b)])
      if a.isTrue { return Cell(1, a.flags & Cell.uncertain) }
      if b.isTrue { return Cell(1, b.flags & Cell.uncertain) }
      return Cell(0, (a.flags | b.flags) & ~Cell.absent)
    case .not:
      let a = cells[Int(step.a)]
      return Cell(!a.isTrue, a.flags & ~Cell.absent)
    case .add: return arithmetic(step) { $0 + $1 }
    case .subtract: return arithmetic(step) { $0 - $1 }
    case .multiply: return arithmetic(step) { $0 * $1 }
    case .divide: return arithmetic(step) { $0 / $1 }
    case .negate: return Cell(-cells[Int(step.a)].value, cells[Int(step.a)].flags)
    case .magnitude: return Cell(cells[Int(step.a)].value.magnitude, cells[Int(step.a)].flags)
    case .scale: return Cell(cells[Int(step.a)].value * step.x, cells[Int(step.a)].flags)
    case .shift: return Cell(cells[Int(step.a)].value + step.x, cells[Int(step.a)].flags)
    case .over: return Cell(cells[Int(step.a)].value / step.x, cells[Int(step.a)].flags)
    default: return remember(step, rule, instance, now, trigger)
    }
  }

  @inline(__always)
  private func compare(_ step: Instruction, _ test: (Double, Double) -> Bool) -> Cell {
    let (a, b) = (cells[Int(step.a)], cells[Int(step.b)])
    let flags = a.flags | b.flags
    if flags & Cell.absent != 0 { return Cell(0.0) }
    return Cell(test(a.value, b.value), flags)
  }

  @inline(__always)
  private func arithmetic(_ step: Instruction, _ combine: (Double, Double) -> Double) -> Cell {
    let (a, b) = (cells[Int(step.a)], cells[Int(step.b)])
    let result = combine(a.value, b.value)
    return Cell(result, a.flags | b.flags | (result.isFinite ? 0 : Cell.unknown))
  }

  @inline(__always)
  private mutating func load(_ index: Int, _ now: Int64, _ isTriggered: Bool) -> Cell {
    let flags = inputs[index].flags
    if inputs[index].isPulse, !isTriggered {
      return flags.contains(.gone) ? Cell(0, Cell.unknown) : Cell(0, Cell.absent)
    }
    let staleAt = inputs[index].staleAt
    var result: UInt8 = flags.contains(.uncertain) ? Cell.uncertain : 0
    if !flags.contains(.hasValue) || !flags.isDisjoint(with: [.bad, .gone]) || now >= staleAt {
      result |= Cell.unknown
    } else if staleAt < deadline {
      deadline = staleAt
    }
    return Cell(inputs[index].value, result)
  }

  // MARK: - With memory

  private mutating func remember(
    _ step: Instruction, _ rule: CompiledRule, _ instance: RuleInstance, _ now: Int64,
    _ trigger: UInt64
  ) -> Cell {
    let input = Int(instance.firstInput + step.place)
    let memory = Int(instance.firstMemory + step.place)
    switch step.operation {
    case .event: return Cell(trigger & step.inputs != 0)
    case .previous:
      let flags = inputs[input].flags
      return Cell(inputs[input].previous, flags.contains(.hasPrevious) ? 0 : Cell.unknown)
    case .changed:
      let state = inputs[input]
      return Cell(
        trigger & step.inputs != 0 && state.flags.contains([.hasValue, .hasPrevious])
          && !state.flags.contains(.bad) && state.value != state.previous)
    case .missing: return Cell(isOver(since: inputs[input].seen, step.x, now))
    case .age: return Cell(Double(max(0, now - inputs[input].seen)) / 1e6)
    case .hysteresis: return hysteresis(step, memory)
    case .deadband: return deadband(step, memory)
    case .stuck: return stuck(step, memory, now)
    case .sequence: return sequence(step, memory, now)
    case .window:
      return window(step, Int(instance.firstWindow + step.place), rule, now, trigger)
    default: preconditionFailure("an operation without evaluation")
    }
  }

  private mutating func isOver(since start: Int64, _ span: Double, _ now: Int64) -> Bool {
    let due = start + Int64(span)
    guard now < due else { return true }
    deadline = min(deadline, due)
    return false
  }

  private mutating func hysteresis(_ step: Instruction, _ memory: Int) -> Cell {
    let a = cells[Int(step.a)]
    guard a.isKnown else { return Cell(0, a.flags) }
    if a.flags & Cell.absent == 0 {
      if a.value > step.y { memories[memory].flags = MemoryState.result }
      if a.value < step.x { memories[memory].flags = 0 }
    }
    return Cell(memories[memory].flags != 0, a.flags & Cell.uncertain)
  }

  private mutating func deadband(_ step: Instruction, _ memory: Int) -> Cell {
    let a = cells[Int(step.a)]
    guard a.flags & (Cell.unknown | Cell.absent) == 0 else { return a }
    if memories[memory].flags == 0 || (a.value - memories[memory].value).magnitude > step.x {
      memories[memory].value = a.value
      memories[memory].flags = MemoryState.result
    }
    return Cell(memories[memory].value, a.flags)
  }

  private mutating func stuck(_ step: Instruction, _ memory: Int, _ now: Int64) -> Cell {
    let a = cells[Int(step.a)]
    guard a.flags & (Cell.unknown | Cell.absent) == 0 else { return Cell(0, Cell.unknown) }
    if memories[memory].flags == 0 || (a.value - memories[memory].value).magnitude > step.y {
      memories[memory].value = a.value
      memories[memory].time = now
      memories[memory].flags = MemoryState.result
    }
    return Cell(isOver(since: memories[memory].time, step.x, now), a.flags)
  }

  /// True from the moment `b` becomes true, when `a` was true before, at most `x` earlier; until
  /// `b` is false.
  private mutating func sequence(_ step: Instruction, _ memory: Int, _ now: Int64) -> Cell {
    let (a, b) = (cells[Int(step.a)], cells[Int(step.b)])
    var state = memories[memory]
    if state.flags & MemoryState.first != 0 { state.time = now }
    if b.isKnown {
      let wasTrue = state.flags & MemoryState.second != 0
      if b.isTrue, !wasTrue, state.time != .min, now - state.time <= Int64(step.x) {
        state.flags |= MemoryState.result
      }
      if b.isTrue {
        state.flags |= MemoryState.second
      } else {
        state.flags &= ~(MemoryState.second | MemoryState.result)
      }
    }
    if a.isTrue {
      state.time = now
      state.flags |= MemoryState.first
    } else {
      state.flags &= ~MemoryState.first
    }
    memories[memory] = state
    guard b.isKnown else { return Cell(0, Cell.unknown) }
    return Cell(state.flags & MemoryState.result != 0, (a.flags | b.flags) & Cell.uncertain)
  }

  private mutating func window(
    _ step: Instruction, _ index: Int, _ rule: CompiledRule, _ now: Int64, _ trigger: UInt64
  ) -> Cell {
    let a = cells[Int(step.a)]
    windows[index].advance(to: now)
    let isTriggered = trigger & step.inputs != 0
    let function = windows[index].function
    if function == .edges || function == .occupancy {
      if a.isKnown {
        windows[index].observe(a.isTrue ? 1 : 0, at: now)
      } else {
        windows[index].lose()
      }
    } else if !a.isKnown || !a.value.isFinite {
      if isTriggered { windows[index].observeUnknown(at: now) } else { windows[index].lose() }
    } else if isTriggered, a.flags & Cell.absent == 0 {
      windows[index].observe(a.value, at: now)
    }
    guard let result = windows[index].result(at: now, coverage: rule.coverage), result.isFinite
    else {
      return Cell(0, Cell.unknown)
    }
    return Cell(result, a.flags & Cell.uncertain)
  }
}
