import Telemetry

/// The functions of the language.
extension ProgramBuilder {
  static let functionNames = [
    "mean", "min", "max", "stddev", "p50", "p95", "percentile", "slope", "count", "sum", "delta",
    "rate", "time_in_state", "count_of", "stuck", "missing", "age", "changed", "previous",
    "deadband", "hysteresis", "abs", "event",
  ]

  mutating func call(
    _ name: String, _ arguments: [Syntax], _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    switch name {
    case "mean", "min", "max", "stddev", "sum", "count", "slope", "delta", "rate":
      try expect(2, arguments, name, "signal, window", range)
      return try aggregate(name, arguments[0], 0, arguments[1], range)
    case "p50", "p95":
      try expect(2, arguments, name, "signal, window", range)
      return try aggregate(
        "percentile", arguments[0], name == "p50" ? 0.5 : 0.95, arguments[1], range)
    case "percentile":
      try expect(3, arguments, name, "signal, percent, window", range)
      guard case .number(let percent, let unit) = arguments[1].form,
        unit == nil || unit?.code == "%",
        (0...100).contains(percent)
      else {
        throw ExpressionError(
          offset: arguments[1].range.lowerBound, message: "a percentile is a number from 0 to 100")
      }
      return try aggregate(name, arguments[0], percent / 100, arguments[2], range)
    case "time_in_state", "count_of": return try conditionWindow(name, arguments, range)
    case "stuck": return try stuck(arguments, range)
    case "missing", "age", "changed", "previous": return try ofSignal(name, arguments, range)
    case "deadband": return try deadband(arguments, range)
    case "hysteresis": return try hysteresis(arguments, range)
    case "abs":
      try expect(1, arguments, name, "number", range)
      let operand = try number(try build(arguments[0]))
      let register = try emit(Instruction(operation: .magnitude, a: operand.register), operand)
      return Operand(
        register: register, kind: .number, unit: operand.unit, inputs: operand.inputs, range: range)
    case "event": return try event(arguments, range)
    default:
      let hint =
        nearestName(to: name, among: Self.functionNames).map { ", did you mean `\($0)`?" } ?? ""
      throw ExpressionError(
        offset: range.lowerBound, message: "unknown function `\(name)`\(hint)")
    }
  }

  private func expect(
    _ count: Int, _ arguments: [Syntax], _ name: String, _ form: String, _ range: Range<Int>
  ) throws(ExpressionError) {
    guard arguments.count == count else {
      throw ExpressionError(
        offset: range.lowerBound, message: "`\(name)` is written \(name)(\(form))")
    }
  }

  // MARK: - Windows

  private mutating func aggregate(
    _ name: String, _ subject: Syntax, _ quantile: Double, _ window: Syntax, _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    guard let function = WindowFunction(name: name) else {
      throw ExpressionError(offset: range.lowerBound, message: "unknown function `\(name)`")
    }
    var operand = try build(subject)
    if function == .count {
      settle(&operand, as: .number)
    } else {
      operand = try number(operand)
    }
    var spec = WindowSpec(function: function, quantile: quantile, input: operand.input)
    if case .samples(let count) = window.form {
      guard (2...WindowSpec.samplesMax).contains(count) else {
        throw ExpressionError(
          offset: window.range.lowerBound,
          message: "a window has 2 to \(WindowSpec.samplesMax) samples")
      }
      spec.samples = count
    } else {
      spec.microseconds = try windowSpan(window)
    }
    if let input = operand.input,
      case .known(let metric) = facts.answer(program.inputs[input].reference)
    {
      spec.rollover = metric.rollover ?? 0
    }
    let register = try emitWindow(spec, operand)
    return Operand(
      register: register, kind: .number, unit: try unit(of: function, operand, range),
      inputs: operand.inputs, range: range)
  }

  private func windowSpan(_ window: Syntax) throws(ExpressionError) -> Int64 {
    if case .samples = window.form {
      throw ExpressionError(
        offset: window.range.lowerBound, message: "this window is a time such as `10 min`")
    }
    let span = try duration(window)
    guard span >= 1_000_000 else {
      throw ExpressionError(
        offset: window.range.lowerBound, message: "a window is at least 1 s long")
    }
    return span
  }

  private func unit(
    of function: WindowFunction, _ operand: Operand, _ range: Range<Int>
  ) throws(ExpressionError) -> Operand.UnitFact {
    guard case .known(let unit, let isDifference) = operand.unit else {
      if case .unknown = operand.unit, function != .count { return operand.unit }
      return function == .slope || function == .rate ? try combined("1/s", range) : .plain
    }
    switch function {
    case .count: return .plain
    case .slope, .rate: return try combined("(\(unit.code))/s", range)
    case .stddev, .delta: return .known(unit, isDifference: true)
    default: return .known(unit, isDifference: isDifference)
    }
  }

  private mutating func conditionWindow(
    _ name: String, _ arguments: [Syntax], _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    try expect(2, arguments, name, "condition, window", range)
    let condition = try boolean(try build(arguments[0]), "`\(name)` wants a condition")
    let function: WindowFunction = name == "count_of" ? .edges : .occupancy
    var spec = WindowSpec(function: function, quantile: 0, input: nil)
    spec.microseconds = try windowSpan(arguments[1])
    let register = try emitWindow(spec, condition)
    return Operand(
      register: register, kind: .number,
      unit: function == .edges ? .plain : try combined("s", range), inputs: condition.inputs,
      range: range)
  }

  // MARK: - Functions of one signal

  private mutating func signalArgument(
    _ name: String, _ arguments: [Syntax], _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    guard let first = arguments.first else {
      throw ExpressionError(offset: range.lowerBound, message: "`\(name)` wants a signal")
    }
    let operand = try build(first)
    guard operand.input != nil else {
      throw ExpressionError(
        offset: first.range.lowerBound, message: "`\(name)` wants a signal, not a computed value")
    }
    return operand
  }

  private mutating func ofSignal(
    _ name: String, _ arguments: [Syntax], _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    let wanted = name == "missing" ? 2 : 1
    try expect(wanted, arguments, name, name == "missing" ? "signal, duration" : "signal", range)
    let operand = try signalArgument(name, arguments, range)
    var instruction = Instruction(
      operation: .age, place: Int32(operand.input ?? 0), inputs: operand.inputs)
    switch name {
    case "missing":
      instruction.operation = .missing
      instruction.x = Double(try duration(arguments[1]))
      program.watchesAbsence = true
    case "age":
      program.watchesAbsence = true
      program.hasFreeAge = true
    case "changed":
      instruction.operation = .changed
      program.hasPulses = true
    default: instruction.operation = .previous
    }
    let register = try emit(instruction)
    var result = Operand(register: register, kind: .boolean, inputs: operand.inputs, range: range)
    if name == "age" {
      result.kind = .number
      result.unit = try combined("s", range)
    } else if name == "previous" {
      result.kind = operand.kind
      result.unit = operand.unit
    }
    return result
  }

  private mutating func stuck(
    _ arguments: [Syntax], _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    guard arguments.count == 2 || arguments.count == 3 else {
      throw ExpressionError(
        offset: range.lowerBound,
        message: "`stuck` is written stuck(signal, duration) or stuck(signal, duration, tolerance)")
    }
    let operand = try build(arguments[0])
    let span = try duration(arguments[1])
    var tolerance = 0.0
    if arguments.count == 3 { tolerance = try difference(arguments[2], like: operand) }
    let register = try emitRemembering(
      Instruction(operation: .stuck, a: operand.register, x: Double(span), y: tolerance), operand)
    return Operand(register: register, kind: .boolean, inputs: operand.inputs, range: range)
  }

  private mutating func deadband(
    _ arguments: [Syntax], _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    try expect(2, arguments, "deadband", "number, least change", range)
    let operand = try number(try build(arguments[0]))
    let width = try difference(arguments[1], like: operand)
    let register = try emitRemembering(
      Instruction(operation: .deadband, a: operand.register, x: width), operand)
    return Operand(
      register: register, kind: .number, unit: operand.unit, inputs: operand.inputs, range: range)
  }

  private mutating func hysteresis(
    _ arguments: [Syntax], _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    try expect(3, arguments, "hysteresis", "number, low, high", range)
    let operand = try number(try build(arguments[0]))
    let low = try threshold(arguments[1], like: operand)
    let high = try threshold(arguments[2], like: operand)
    guard low < high else {
      throw ExpressionError(
        offset: arguments[1].range.lowerBound,
        message: "the low end of `hysteresis` is not below its high end")
    }
    if program.value < 0 {
      program.value = operand.register
      if case .known(let unit, _) = operand.unit { program.valueUnit = unit.symbol }
    }
    let register = try emitRemembering(
      Instruction(operation: .hysteresis, a: operand.register, x: low, y: high), operand)
    return Operand(register: register, kind: .boolean, inputs: operand.inputs, range: range)
  }

  /// A literal in the unit of `operand`.
  private mutating func threshold(
    _ syntax: Syntax, like operand: Operand
  ) throws(ExpressionError) -> Double {
    let literal = try build(syntax)
    guard let value = literal.constant, literal.kind == .number else {
      throw ExpressionError(
        offset: syntax.range.lowerBound, message: "a number is needed here, not a computed value")
    }
    switch (literal.unit, operand.unit) {
    case (.known(let source, _), .known(let target, let isDifference)):
      return try converted(literal, from: source, to: target, isDifference).constant ?? value
    case (.known, .unknown(let signal)):
      throw ExpressionError(
        offset: syntax.range.lowerBound,
        message: "the unit of `\(signal)` is not known: declare its `unit` in its profile")
    case (.known(let source, _), .plain):
      guard let one = Unit("1") else { return value }
      return try converted(literal, from: source, to: one, false).constant ?? value
    default: return value
    }
  }

  /// A literal difference, not negative, in the unit of `operand`.
  private mutating func difference(
    _ syntax: Syntax, like operand: Operand
  ) throws(ExpressionError) -> Double {
    var relative = operand
    if case .known(let unit, _) = operand.unit { relative.unit = .known(unit, isDifference: true) }
    let value = try threshold(syntax, like: relative)
    guard value >= 0 else {
      throw ExpressionError(
        offset: syntax.range.lowerBound, message: "this must not be negative")
    }
    return value
  }

  private mutating func event(
    _ arguments: [Syntax], _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    guard arguments.count == 1, case .text(let name) = arguments[0].form, !name.isEmpty else {
      throw ExpressionError(
        offset: range.lowerBound, message: "`event` is written event(\"PartRejected\")")
    }
    let index = try input(
      InputSpec(
        reference: Reference(place: .own, metric: ""), event: name, kind: .boolean), range)
    program.hasPulses = true
    let mask = UInt64(1) << UInt64(index)
    let register = try emit(
      Instruction(operation: .event, place: Int32(index), inputs: mask))
    return Operand(register: register, kind: .boolean, inputs: mask, range: range)
  }
}
