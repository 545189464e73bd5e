import Telemetry

/// Reads an expression.
///
/// ```
/// expression  or { "then" or "within" duration }
/// or          and { "or" and }
/// and         not { "and" not }
/// not         "not" not | comparison
/// comparison  sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum | ["not"] "in" "{" value { "," value } "}"]
/// sum         product { ("+" | "-") product }
/// product     sign { ("*" | "/") sign }
/// sign        "-" sign | primary
/// primary     number [unit] | text | true | false | signal | function "(" arguments ")" | "(" expression ")"
/// ```
struct ExpressionParser {
  private let tokens: [Token]
  private var position = 0
  private var nesting = 0
  private static let nestingMax = 40

  static func parse(_ text: String) throws(ExpressionError) -> Syntax {
    var parser = ExpressionParser(tokens: try ExpressionLexer.tokens(text))
    guard parser.current.kind != .end else {
      throw ExpressionError(offset: 0, message: "the expression is empty")
    }
    let syntax = try parser.expression()
    guard parser.current.kind == .end else {
      throw ExpressionError(
        offset: parser.current.range.lowerBound,
        message: "expected an operator or the end here, found \(parser.found)")
    }
    return syntax
  }

  private init(tokens: [Token]) { self.tokens = tokens }

  private var current: Token { tokens[position] }

  private var found: String {
    switch current.kind {
    case .end: "the end"
    case .number(let value, let unit): "the number `\(value) \(unit)`"
    case .samples: "a number of samples"
    case .word(let word): "`\(word)`"
    case .absolute(let device, let metric): "`\(device)/\(metric)`"
    case .relative(let path, let metric): "`./\(path)/\(metric)`"
    case .text(let text): "the text \"\(text)\""
    case .symbol(let symbol): "`\(symbol)`"
    }
  }

  private mutating func take(_ kind: Token.Kind) -> Bool {
    guard current.kind == kind else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ symbol: String, _ why: String) throws(ExpressionError) {
    guard take(.symbol(symbol)) else {
      throw ExpressionError(
        offset: current.range.lowerBound, message: "expected `\(symbol)` \(why), found \(found)")
    }
  }

  private mutating func expression() throws(ExpressionError) -> Syntax {
    try deepen(at: current.range.lowerBound)
    defer { nesting -= 1 }
    var left = try alternatives()
    while take(.word("then")) {
      let right = try alternatives()
      guard take(.word("within")) else {
        throw ExpressionError(
          offset: current.range.lowerBound,
          message: "a sequence is written `A then B within 30 s`; expected `within`, found \(found)"
        )
      }
      let span = try primary()
      left = Syntax(
        form: .sequence(left, right, within: span),
        range: left.range.lowerBound..<span.range.upperBound)
    }
    return left
  }

  private mutating func alternatives() throws(ExpressionError) -> Syntax {
    var left = try conjunction()
    while take(.word("or")) { left = join(.or, left, try conjunction()) }
    return left
  }

  private mutating func conjunction() throws(ExpressionError) -> Syntax {
    var left = try negation()
    while take(.word("and")) { left = join(.and, left, try negation()) }
    return left
  }

  private mutating func negation() throws(ExpressionError) -> Syntax {
    let start = current.range.lowerBound
    guard take(.word("not")) else { return try comparison() }
    try deepen(at: start)
    defer { nesting -= 1 }
    let inner = try negation()
    return Syntax(form: .not(inner), range: start..<inner.range.upperBound)
  }

  private mutating func comparison() throws(ExpressionError) -> Syntax {
    let left = try sum()
    if let members = try membership(of: left) { return members }
    guard let op = currentOperator, op.isComparison else { return left }
    position += 1
    let compared = join(op, left, try sum())
    if let again = currentOperator, again.isComparison {
      throw ExpressionError(
        offset: current.range.lowerBound,
        message: "comparisons do not chain; write `a < b and b < c`")
    }
    return compared
  }

  private mutating func sum() throws(ExpressionError) -> Syntax {
    var left = try product()
    while let op = currentOperator, op == .add || op == .subtract {
      position += 1
      left = join(op, left, try product())
    }
    return left
  }

  private mutating func product() throws(ExpressionError) -> Syntax {
    var left = try sign()
    while let op = currentOperator, op == .multiply || op == .divide {
      position += 1
      left = join(op, left, try sign())
    }
    return left
  }

  private func join(_ op: Syntax.Operator, _ left: Syntax, _ right: Syntax) -> Syntax {
    Syntax(form: .binary(op, left, right), range: left.range.lowerBound..<right.range.upperBound)
  }

  private var currentOperator: Syntax.Operator? {
    guard case .symbol(let symbol) = current.kind else { return nil }
    return Syntax.Operator(rawValue: symbol)
  }

  /// The caller lessens `nesting` again.
  private mutating func deepen(at offset: Int) throws(ExpressionError) {
    guard nesting < Self.nestingMax else {
      throw ExpressionError(offset: offset, message: "this is nested too deeply")
    }
    nesting += 1
  }

  private mutating func membership(of left: Syntax) throws(ExpressionError) -> Syntax? {
    let isNegated = current.kind == .word("not") && tokens[position + 1].kind == .word("in")
    if isNegated { position += 1 }
    guard take(.word("in")) else { return nil }
    try expect("{", "after `in`")
    var members: [Syntax] = []
    repeat {
      let token = current
      if case .word(let word) = token.kind, word != "true", word != "false" {
        position += 1
        let bare = word.first == "`" ? String(word.dropFirst()) : word
        members.append(Syntax(form: .text(bare), range: token.range))
      } else {
        members.append(try sign())
      }
    } while take(.symbol(","))
    try expect("}", "at the end of the list")
    return Syntax(
      form: .membership(left, members, isNegated: isNegated),
      range: left.range.lowerBound..<tokens[position - 1].range.upperBound)
  }

  private mutating func sign() throws(ExpressionError) -> Syntax {
    let start = current.range.lowerBound
    guard take(.symbol("-")) else { return try primary() }
    try deepen(at: start)
    defer { nesting -= 1 }
    let inner = try sign()
    if case .number(let value, let unit) = inner.form {
      return Syntax(form: .number(-value, unit), range: start..<inner.range.upperBound)
    }
    return Syntax(form: .negative(inner), range: start..<inner.range.upperBound)
  }

  private mutating func primary() throws(ExpressionError) -> Syntax {
    let token = current
    switch token.kind {
    case .number(let value, let unitText):
      position += 1
      guard !unitText.isEmpty else {
        return Syntax(form: .number(value, nil), range: token.range)
      }
      guard let unit = Telemetry.Unit(unitText) else {
        let hint = Telemetry.Unit.suggestion(for: unitText).map { ", did you mean `\($0)`?" } ?? ""
        throw ExpressionError(
          offset: token.unitRange.lowerBound, message: "unknown unit `\(unitText)`\(hint)")
      }
      return Syntax(form: .number(value, unit), range: token.range)
    case .samples(let count):
      position += 1
      return Syntax(form: .samples(count), range: token.range)
    case .text(let text):
      position += 1
      return Syntax(form: .text(text), range: token.range)
    case .absolute(let device, let metric):
      position += 1
      return Syntax(
        form: .signal(Reference(place: .device(device), metric: metric)), range: token.range)
    case .relative(let path, let metric):
      position += 1
      return Syntax(
        form: .signal(Reference(place: .below(path), metric: metric)), range: token.range)
    case .word(let word):
      return try self.word(word, token)
    case .symbol("("):
      position += 1
      var inner = try expression()
      try expect(")", "to close the parenthesis")
      inner.range = token.range.lowerBound..<tokens[position - 1].range.upperBound
      return inner
    default:
      throw ExpressionError(
        offset: token.range.lowerBound, message: "expected a value here, found \(found)")
    }
  }

  private mutating func word(_ word: String, _ token: Token) throws(ExpressionError) -> Syntax {
    if word == "true" || word == "false" {
      position += 1
      return Syntax(form: .boolean(word == "true"), range: token.range)
    }
    guard !ExpressionLexer.reserved.contains(word) else {
      throw ExpressionError(
        offset: token.range.lowerBound, message: "expected a value here, found `\(word)`")
    }
    position += 1
    guard take(.symbol("(")) else {
      let name = word.first == "`" ? String(word.dropFirst()) : word
      return Syntax(form: .signal(Reference(place: .own, metric: name)), range: token.range)
    }
    var arguments: [Syntax] = []
    if !take(.symbol(")")) {
      repeat { arguments.append(try expression()) } while take(.symbol(","))
      try expect(")", "after the arguments of `\(word)`")
    }
    return Syntax(
      form: .call(word, arguments),
      range: token.range.lowerBound..<tokens[position - 1].range.upperBound)
  }
}
