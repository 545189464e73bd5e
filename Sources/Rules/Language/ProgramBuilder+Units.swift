import Telemetry

/// Operators and what they do with units.
extension ProgramBuilder {
  mutating func binary(
    _ op: Syntax.Operator, _ left: Operand, _ right: Operand, _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    switch op {
    case .and, .or:
      let a = try boolean(left, "`\(op.rawValue)` wants conditions")
      let b = try boolean(right, "`\(op.rawValue)` wants conditions")
      return try logic(op, a, b, range)
    case .add, .subtract: return try sum(op, try number(left), try number(right), range)
    case .multiply, .divide: return try product(op, try number(left), try number(right), range)
    default: return try comparison(op, left, right, range)
    }
  }

  mutating func logic(
    _ op: Syntax.Operator, _ a: Operand, _ b: Operand, _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    let register = try emit(
      Instruction(operation: op == .and ? .and : .or, a: a.register, b: b.register), a, b)
    return Operand(register: register, kind: .boolean, inputs: a.inputs | b.inputs, range: range)
  }

  // MARK: - Comparisons

  private mutating func comparison(
    _ op: Syntax.Operator, _ left: Operand, _ right: Operand, _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    var (a, b) = (left, right)
    settle(&a, as: b.kind ?? .number)
    settle(&b, as: a.kind ?? .number)
    guard a.kind == b.kind else {
      throw ExpressionError(
        offset: b.range.lowerBound, message: "\(name(a)) cannot be compared with \(name(b))")
    }
    if a.kind == .number {
      noteValue(a.constant == nil ? a : b)
      (a, b) = try aligned(a, b)
      if op.isOrdering, let deadband { b = try giveWay(op, a, b, deadband) }
    } else if op.isOrdering {
      throw ExpressionError(
        offset: range.lowerBound, message: "`\(op.rawValue)` compares numbers; here is \(name(a))")
    }
    checkWord(a, b)
    let isSwapped = op == .greater || op == .greaterEqual
    let operation: Instruction.Operation =
      switch op {
      case .less, .greater: .less
      case .lessEqual, .greaterEqual: .lessEqual
      case .equal: .equal
      default: .notEqual
      }
    let register = try emit(
      Instruction(
        operation: operation, a: isSwapped ? b.register : a.register,
        b: isSwapped ? a.register : b.register), a, b)
    return Operand(register: register, kind: .boolean, inputs: a.inputs | b.inputs, range: range)
  }

  /// The first quantity that is compared is what `{value}` shows.
  private mutating func noteValue(_ operand: Operand) {
    guard program.value < 0, operand.constant == nil else { return }
    program.value = operand.register
    if case .known(let unit, let isDifference) = operand.unit {
      program.valueUnit = isDifference && unit.code == "Cel" ? "K" : unit.symbol
    }
  }

  /// A text that a signal with declared values never has is probably misspelt.
  private mutating func checkWord(_ a: Operand, _ b: Operand) {
    guard a.kind == .text, let input = a.input ?? b.input,
      let word = program.words.first(where: { [a.register, b.register].contains($0.instruction) }),
      case .known(let metric) = facts.answer(program.inputs[input].reference),
      let values = metric.values, !values.words.contains(where: { $0.word == word.text })
    else { return }
    let hint =
      nearestName(to: word.text, among: values.words.map(\.word))
      .map { ", did you mean `\($0)`?" } ?? ""
    let place = a.input == nil ? a.range : b.range
    let warning = ExpressionError(
      offset: place.lowerBound,
      message: "`\(metric.name)` is never declared to be `\(word.text)`\(hint)")
    if !warnings.contains(warning) { warnings.append(warning) }
  }

  private mutating func giveWay(
    _ op: Syntax.Operator, _ a: Operand, _ b: Operand, _ deadband: Operand
  ) throws(ExpressionError) -> Operand {
    let target = a.constant == nil ? a : b
    guard let amount = inUnit(of: target, deadband) else { return b }
    relaxed += 1
    let sign = op == .greater || op == .greaterEqual ? -1.0 : 1.0
    var moved = b
    moved.register = try emit(Instruction(operation: .shift, a: b.register, x: sign * amount), b)
    return moved
  }

  /// A constant difference in the unit of `target`; `nil` when it measures something else.
  private func inUnit(of target: Operand, _ difference: Operand) -> Double? {
    guard let amount = difference.constant else { return nil }
    switch (target.unit, difference.unit) {
    case (_, .plain): return amount
    case (.known(let unit, _), .known(let source, _)):
      return Unit.conversion(from: source, to: unit).map { amount * $0.scale }
    case (.plain, .known(let source, _)):
      return Unit("1").flatMap { Unit.conversion(from: source, to: $0) }.map { amount * $0.scale }
    default: return nil
    }
  }

  /// Both in one unit: that of the side that is not constant.
  private mutating func aligned(
    _ left: Operand, _ right: Operand
  ) throws(ExpressionError) -> (Operand, Operand) {
    switch (left.unit, right.unit) {
    case (.known(let u, let isDifference), .known(let v, let isOtherDifference)):
      let asDifference = isDifference || isOtherDifference
      if left.constant != nil, right.constant == nil {
        return (try converted(left, from: u, to: v, asDifference), right)
      }
      return (left, try converted(right, from: v, to: u, asDifference))
    case (.known(let unit, _), .plain): return (left, try plain(right, meant: unit, left))
    case (.plain, .known(let unit, _)): return (try plain(left, meant: unit, right), right)
    case (.unknown(let signal), .known), (.known, .unknown(let signal)):
      throw undeclared(signal, left, right)
    default: return (left, right)
    }
  }

  private func undeclared(_ signal: String, _ left: Operand, _ right: Operand) -> ExpressionError {
    ExpressionError(
      offset: left.range.lowerBound,
      message:
        "the unit of `\(signal)` is not known: declare its `unit` in the profile of the device (devices/*.yaml), or compare with a number without unit"
    )
  }

  /// A pure number beside one with a unit: a ratio, or a literal whose unit was left out.
  private mutating func plain(
    _ operand: Operand, meant unit: Unit, _ other: Operand
  ) throws(ExpressionError) -> Operand {
    if operand.constant == nil {
      guard let one = Unit("1") else { return operand }
      return try converted(operand, from: one, to: unit, false)
    }
    if unit.code != "1", unit.code != "{count}", other.constant == nil {
      let warning = ExpressionError(
        offset: operand.range.lowerBound,
        message: "a number without unit is taken to be in \(unit.symbol); write the unit behind it")
      if !warnings.contains(warning) { warnings.append(warning) }
    }
    return operand
  }

  mutating func converted(
    _ operand: Operand, from source: Unit, to target: Unit, _ asDifference: Bool
  ) throws(ExpressionError) -> Operand {
    guard let conversion = Unit.conversion(from: source, to: target) else {
      throw ExpressionError(
        offset: operand.range.lowerBound,
        message:
          "\(Self.described(source)) and \(Self.described(target)) measure different things and cannot be compared or added"
      )
    }
    var result = operand
    result.unit = .known(target, isDifference: asDifference)
    if conversion.isIdentity { return result }
    if let value = operand.constant {
      let converted = asDifference ? value * conversion.scale : conversion.apply(value)
      result.register = try constant(converted, operand.range).register
      result.constant = converted
      return result
    }
    result.input = nil
    if asDifference {
      result.register = try emit(
        Instruction(operation: .scale, a: result.register, x: conversion.scale), operand)
      return result
    }
    for (operation, x) in [
      (Instruction.Operation.scale, conversion.multiplier), (.shift, conversion.addend),
      (.over, conversion.divisor),
    ] where x != (operation == .shift ? 0 : 1) {
      result.register = try emit(
        Instruction(operation: operation, a: result.register, x: x), operand)
    }
    return result
  }

  static func described(_ unit: Unit) -> String {
    guard let dimension = unit.dimension else { return unit.symbol }
    var words = ""
    for character in dimension.rawValue {
      words += character.isUppercase ? " " + character.lowercased() : String(character)
    }
    return "\(unit.symbol) (\(words))"
  }

  // MARK: - Arithmetic

  private mutating func sum(
    _ op: Syntax.Operator, _ left: Operand, _ right: Operand, _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    var (a, b) = (left, right)
    var unit = a.unit
    switch (a.unit, b.unit) {
    case (.known(let u, let isDifference), .known(let v, let isOtherDifference)):
      // A literal that is added is a difference: `ambient + 10 °C` is 10 K above.
      let isStep = isOtherDifference || b.constant != nil
      if a.constant != nil, b.constant == nil {
        a = try converted(a, from: u, to: v, !isOtherDifference || isDifference)
        unit = .known(v, isDifference: isOtherDifference)
      } else {
        b = try converted(b, from: v, to: u, isStep || isDifference)
        unit = .known(u, isDifference: isDifference || (op == .subtract && !isStep))
      }
    case (.unknown(let signal), .known), (.known, .unknown(let signal)):
      throw undeclared(signal, a, b)
    case (.known(let unit, _), .plain) where b.constant == nil,
      (.plain, .known(let unit, _)) where a.constant == nil:
      guard unit.dimension == .ratio || unit.dimension == .count else {
        throw ExpressionError(
          offset: b.range.lowerBound,
          message: "a number without unit cannot be added to \(Self.described(unit))")
      }
    case (.plain, .known), (.plain, .unknown): unit = b.unit
    default: break
    }
    let register = try emit(
      Instruction(operation: op == .add ? .add : .subtract, a: a.register, b: b.register), a, b)
    return Operand(
      register: register, kind: .number, unit: unit, inputs: a.inputs | b.inputs, range: range)
  }

  private mutating func product(
    _ op: Syntax.Operator, _ left: Operand, _ right: Operand, _ range: Range<Int>
  ) throws(ExpressionError) -> Operand {
    let a = left
    var b = right
    var unit = Operand.UnitFact.plain
    switch (a.unit, b.unit) {
    case (.plain, .plain): break
    case (_, .plain): unit = a.unit
    case (.plain, .known(let v, _)):
      unit = op == .multiply ? b.unit : try combined("1/(\(v.code))", range)
    case (.known(let u, _), .known(let v, _)):
      if op == .divide, Unit.conversion(from: v, to: u) != nil {
        b = try converted(b, from: v, to: u, false)
      } else {
        unit = try combined(
          op == .divide ? "(\(u.code))/(\(v.code))" : "(\(u.code)).(\(v.code))", range)
      }
    case (.unknown(let signal), _), (_, .unknown(let signal)): unit = .unknown(signal)
    }
    let register = try emit(
      Instruction(operation: op == .multiply ? .multiply : .divide, a: a.register, b: b.register),
      a, b)
    return Operand(
      register: register, kind: .number, unit: unit, inputs: a.inputs | b.inputs, range: range)
  }

  func combined(_ code: String, _ range: Range<Int>) throws(ExpressionError) -> Operand.UnitFact {
    guard let unit = Unit(code) else {
      throw ExpressionError(
        offset: range.lowerBound, message: "no unit is known for this product: \(code)")
    }
    return .known(unit, isDifference: false)
  }
}
