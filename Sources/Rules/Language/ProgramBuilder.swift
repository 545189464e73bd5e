import Devices
import Telemetry

/// Gives an expression its meaning: checks types and units and writes the instructions.
///
/// The same part written twice is computed once. The first mistake of an expression ends its
/// building.
struct ProgramBuilder {
  var program = Program()
  /// Warnings with their place in the expression that is being built.
  var warnings: [ExpressionError] = []
  let facts: ScopeFacts
  /// While the expression that holds an active rule is built: how much thresholds give way.
  var deadband: Operand?
  var relaxed = 0
  private var known: [Instruction: Int32] = [:]
  private var knownWords: [String: Int32] = [:]

  static let inputsMax = 64
  static let instructionsMax = 1_024

  init(facts: ScopeFacts) { self.facts = facts }

  /// The operand of a condition.
  mutating func condition(_ syntax: Syntax) throws(ExpressionError) -> Operand {
    let operand = try build(syntax)
    return try boolean(operand, "this must be a condition, such as `temperature > 80 °C`")
  }

  mutating func build(_ syntax: Syntax) throws(ExpressionError) -> Operand {
    switch syntax.form {
    case .number(let value, let unit):
      var operand = try constant(value, syntax.range)
      if let unit { operand.unit = .known(unit, isDifference: false) }
      return operand
    case .samples:
      throw ExpressionError(
        offset: syntax.range.lowerBound,
        message: "a number of samples only stands as the window of a function")
    case .boolean(let flag):
      var operand = try constant(flag ? 1 : 0, syntax.range)
      operand.kind = .boolean
      return operand
    case .text(let text): return try word(text, syntax.range)
    case .signal(let reference): return try signal(reference, syntax.range)
    case .call(let name, let arguments): return try call(name, arguments, syntax.range)
    case .negative(let inner):
      var operand = try number(try build(inner))
      operand.register = try emit(Instruction(operation: .negate, a: operand.register), operand)
      return detached(operand, syntax.range)
    case .not(let inner):
      var operand = try boolean(try build(inner), "`not` wants a condition")
      operand.register = try emit(Instruction(operation: .not, a: operand.register), operand)
      return detached(operand, syntax.range)
    case .binary(let op, let left, let right):
      return try binary(op, try build(left), try build(right), syntax.range)
    case .membership(let subject, let members, let isNegated):
      return try membership(try build(subject), members, isNegated, syntax.range)
    case .sequence(let first, let second, let within):
      return try sequence(first, second, within, syntax.range)
    }
  }

  private func detached(_ operand: Operand, _ range: Range<Int>) -> Operand {
    var result = operand
    result.constant = nil
    result.input = nil
    result.range = range
    return result
  }

  // MARK: - Instructions

  /// Adds an instruction unless it is there; its inputs are those of `operands`.
  mutating func emit(
    _ instruction: Instruction, _ operands: Operand...
  ) throws(ExpressionError) -> Int32 {
    var instruction = instruction
    for operand in operands { instruction.inputs |= operand.inputs }
    if let register = known[instruction] { return register }
    guard program.instructions.count < Self.instructionsMax else {
      throw ExpressionError(
        offset: operands.first?.range.lowerBound ?? 0, message: "the rule is too long")
    }
    let register = Int32(program.instructions.count)
    program.instructions.append(instruction)
    known[instruction] = register
    return register
  }

  /// Adds an instruction with a memory of its own.
  mutating func emitRemembering(
    _ instruction: Instruction, _ operands: Operand...
  ) throws(ExpressionError) -> Int32 {
    var key = instruction
    key.place = -1
    for operand in operands { key.inputs |= operand.inputs }
    if let register = known[key] { return register }
    var full = key
    full.place = Int32(program.memories)
    program.memories += 1
    var carrier = Operand(register: 0, kind: nil, range: 0..<0)
    carrier.inputs = key.inputs
    let register = try emit(full, carrier)
    known[key] = register
    return register
  }

  mutating func emitWindow(
    _ spec: WindowSpec, _ operand: Operand
  ) throws(ExpressionError) -> Int32 {
    if let index = program.windows.firstIndex(of: spec),
      let register = program.instructions.firstIndex(where: {
        $0.operation == .window && $0.place == index && $0.a == operand.register
      })
    {
      return Int32(register)
    }
    program.windows.append(spec)
    return try emit(
      Instruction(
        operation: .window, a: operand.register, place: Int32(program.windows.count - 1)), operand)
  }

  mutating func constant(_ value: Double, _ range: Range<Int>) throws(ExpressionError) -> Operand {
    let register = try emit(Instruction(operation: .constant, x: value))
    return Operand(register: register, kind: .number, constant: value, range: range)
  }

  private mutating func word(
    _ text: String, _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    if let register = knownWords[text] {
      return Operand(register: register, kind: .text, range: range)
    }
    // Each word has a constant of its own: its id is put there once the word is known.
    let register = try emit(
      Instruction(operation: .constant, place: Int32(program.words.count + 1), x: -1))
    program.words.append(Program.Word(text: text, instruction: register))
    knownWords[text] = register
    return Operand(register: register, kind: .text, range: range)
  }

  mutating func input(
    _ spec: InputSpec, _ range: Range<Int>
  ) throws(ExpressionError) -> Int {
    if let index = program.inputs.firstIndex(where: {
      $0.reference == spec.reference && $0.event == spec.event
    }) {
      return index
    }
    guard program.inputs.count < Self.inputsMax else {
      throw ExpressionError(
        offset: range.lowerBound, message: "a rule reads at most \(Self.inputsMax) signals")
    }
    program.inputs.append(spec)
    return program.inputs.count - 1
  }

  private mutating func signal(
    _ reference: Reference, _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    var spec = InputSpec(reference: reference)
    var unit = Operand.UnitFact.unknown(reference.description)
    switch facts.answer(reference) {
    case .known(let metric):
      spec.kind = Operand.Kind(metric.type)
      if metric.type != .number {
        unit = .plain
      } else if let declared = metric.unit {
        unit = .known(declared, isDifference: false)
        spec.unit = declared.code
      }
    case .open: break
    case .wrong(let message):
      throw ExpressionError(offset: range.lowerBound, message: message)
    case .doubtful(let message):
      let warning = ExpressionError(offset: range.lowerBound, message: message)
      if !warnings.contains(warning) { warnings.append(warning) }
    }
    let index = try input(spec, range)
    let mask = UInt64(1) << UInt64(index)
    let register = try emit(
      Instruction(operation: .load, place: Int32(index), inputs: mask))
    return Operand(
      register: register, kind: program.inputs[index].kind, unit: unit, inputs: mask, input: index,
      range: range)
  }

  // MARK: - Types

  /// Takes a signal of which nothing is known to be of `kind`.
  mutating func settle(_ operand: inout Operand, as kind: Operand.Kind) {
    guard operand.kind == nil else { return }
    operand.kind = kind
    if let input = operand.input { program.inputs[input].kind = kind }
  }

  mutating func boolean(
    _ operand: Operand, _ message: String
  ) throws(ExpressionError) -> Operand {
    var operand = operand
    settle(&operand, as: .boolean)
    guard operand.kind == .boolean else {
      throw ExpressionError(
        offset: operand.range.lowerBound, message: "\(message); here is \(name(operand))")
    }
    return operand
  }

  mutating func number(_ operand: Operand) throws(ExpressionError) -> Operand {
    var operand = operand
    settle(&operand, as: .number)
    guard operand.kind == .number else {
      throw ExpressionError(
        offset: operand.range.lowerBound, message: "a number is needed; here is \(name(operand))")
    }
    return operand
  }

  func name(_ operand: Operand) -> String {
    switch operand.kind {
    case .number: "a number"
    case .boolean: "a condition (true or false)"
    case .text: "a text"
    case nil: "a signal of unknown type"
    }
  }

  // MARK: - Membership and sequences

  private mutating func membership(
    _ subject: Operand, _ members: [Syntax], _ isNegated: Bool, _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    var any: Operand?
    for member in members {
      let equal = try binary(.equal, subject, try build(member), range)
      any =
        try any.map { (before) throws(ExpressionError) in
          try logic(.or, before, equal, range)
        } ?? equal
    }
    guard var result = any else {
      throw ExpressionError(offset: range.lowerBound, message: "the list is empty")
    }
    if isNegated {
      result.register = try emit(Instruction(operation: .not, a: result.register), result)
    }
    return result
  }

  private mutating func sequence(
    _ first: Syntax, _ second: Syntax, _ within: Syntax, _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    let a = try boolean(try build(first), "before `then` stands a condition")
    let b = try boolean(try build(second), "after `then` stands a condition")
    let span = try duration(within)
    let register = try emitRemembering(
      Instruction(operation: .sequence, a: a.register, b: b.register, x: Double(span)), a, b)
    return Operand(register: register, kind: .boolean, inputs: a.inputs | b.inputs, range: range)
  }

  /// Whole microseconds of a literal such as `30 s`.
  func duration(_ syntax: Syntax) throws(ExpressionError) -> Int64 {
    let longest = 31.0 * 86_400
    guard case .number(let value, let unit?) = syntax.form, let second = Unit("s"),
      let conversion = Unit.conversion(from: unit, to: second)
    else {
      throw ExpressionError(
        offset: syntax.range.lowerBound, message: "a duration such as `30 s` or `5 min` is needed")
    }
    let seconds = conversion.apply(value)
    guard seconds > 0, seconds <= longest else {
      throw ExpressionError(
        offset: syntax.range.lowerBound, message: "a duration is above 0 and at most 31 d")
    }
    return Int64((seconds * 1e6).rounded())
  }
}

extension Operand.Kind {
  init(_ type: ValueType) {
    switch type {
    case .number: self = .number
    case .boolean: self = .boolean
    case .text: self = .text
    }
  }
}
