/// Cuts the text of an expression into tokens.
///
/// ```
/// name       letter { letter | digit | "_" | "." }           voltage.l1; other names stand in `backquotes`
/// absolute   name "/" name, without blanks                   press1/temperature
/// relative   "./" path "/" name                              ./press/temperature
/// number     digits ["." digits] [("e"|"E") ["-"] digits] [blanks] [unit]
/// unit       no blanks within; starts with a letter, °, %, µ, Ω, "{", "[" or "1/"
/// ```
/// Blanks around `/` make it a division.
struct ExpressionLexer {
  private let scalars: [Unicode.Scalar]
  private var position = 0
  private static let lengthMax = 4_096
  /// Words that end a number instead of being its unit.
  static let reserved: Set<String> = [
    "and", "or", "not", "in", "then", "within", "true", "false", "samples", "sample",
  ]

  private init(_ text: String) { scalars = Array(text.unicodeScalars) }

  /// All tokens of `text`, with `end` as the last.
  static func tokens(_ text: String) throws(ExpressionError) -> [Token] {
    var lexer = ExpressionLexer(text)
    guard lexer.scalars.count <= lengthMax else {
      throw ExpressionError(
        offset: 0, message: "an expression has at most \(lengthMax) characters")
    }
    var tokens: [Token] = []
    repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
    return tokens
  }

  private func scalar(_ ahead: Int = 0) -> Unicode.Scalar? {
    position + ahead < scalars.count ? scalars[position + ahead] : nil
  }

  private mutating func next() throws(ExpressionError) -> Token {
    while let blank = scalar(), blank.properties.isWhitespace { position += 1 }
    let start = position
    guard let first = scalar() else { return Token(kind: .end, range: start..<start) }
    if isDigit(first) || (first == "." && scalar(1).map(isDigit) == true) { return try number() }
    if isLetter(first) { return try name() }
    switch first {
    case "\"", "'": return try text(closing: first)
    case "`": return try quotedName()
    case ".": if scalar(1) == "/" { return try relative() }
    case "<", ">", "=", "!":
      position += 1
      if scalar() == "=" { position += 1 }
      let sign = string(start..<position)
      guard sign != "!" else {
        throw ExpressionError(offset: start, message: "`!` is written `not`")
      }
      guard sign != "=" else {
        throw ExpressionError(offset: start, message: "equality is written `==`")
      }
      return Token(kind: .symbol(sign), range: start..<position)
    case "≥", "≤", "≠":
      position += 1
      return Token(
        kind: .symbol(first == "≥" ? ">=" : first == "≤" ? "<=" : "!="), range: start..<position)
    case "+", "-", "*", "/", "(", ")", "{", "}", ",":
      position += 1
      return Token(kind: .symbol(String(first)), range: start..<position)
    case "&", "|":
      let word = first == "&" ? "and" : "or"
      throw ExpressionError(offset: start, message: "`\(first)` is written `\(word)`")
    default: break
    }
    throw ExpressionError(offset: start, message: "`\(first)` has no meaning here")
  }

  private mutating func name() throws(ExpressionError) -> Token {
    let start = position
    let word = takeName()
    if scalar() == "/", let after = scalar(1), isLetter(after), !Self.reserved.contains(word) {
      position += 1
      let metric = takeName()
      return Token(kind: .absolute(device: word, metric: metric), range: start..<position)
    }
    return Token(kind: .word(word), range: start..<position)
  }

  private mutating func takeName() -> String {
    let start = position
    while let next = scalar(), isLetter(next) || isDigit(next) || next == "_" || next == "." {
      position += 1
    }
    while position > start + 1, scalars[position - 1] == "." { position -= 1 }
    return string(start..<position)
  }

  /// A name that is not plain: with a slash outside, it is `device/metric`.
  private mutating func quotedName() throws(ExpressionError) -> Token {
    let start = position
    position += 1
    while let next = scalar(), next != "`" { position += 1 }
    guard scalar() == "`", position > start + 1 else {
      throw ExpressionError(offset: start, message: "this name has no closing backquote")
    }
    let name = string(start + 1..<position)
    position += 1
    let range = start..<position
    if name.hasPrefix("./") {
      let (path, metric) = try split(String(name.dropFirst(2)), at: start)
      return Token(kind: .relative(path: path, metric: metric), range: range)
    }
    if let slash = name.firstIndex(of: "/"), slash != name.startIndex {
      let metric = String(name[name.index(after: slash)...])
      if !metric.isEmpty {
        return Token(kind: .absolute(device: String(name[..<slash]), metric: metric), range: range)
      }
    }
    return Token(kind: .word("`" + name), range: range)
  }

  private mutating func relative() throws(ExpressionError) -> Token {
    let start = position
    position += 2
    while let next = scalar(),
      isLetter(next) || isDigit(next) || next == "_" || next == "." || next == "-" || next == "/"
    {
      position += 1
    }
    let (path, metric) = try split(string(start + 2..<position), at: start)
    return Token(kind: .relative(path: path, metric: metric), range: start..<position)
  }

  private func split(
    _ text: String, at offset: Int
  ) throws(ExpressionError) -> (path: String, metric: String) {
    guard let slash = text.lastIndex(of: "/"), slash != text.startIndex,
      text.index(after: slash) != text.endIndex
    else {
      throw ExpressionError(
        offset: offset, message: "a signal below the asset is written ./path/metric")
    }
    return (String(text[..<slash]), String(text[text.index(after: slash)...]))
  }

  private mutating func text(closing quote: Unicode.Scalar) throws(ExpressionError) -> Token {
    let start = position
    position += 1
    while let next = scalar(), next != quote { position += 1 }
    guard scalar() == quote else {
      throw ExpressionError(offset: start, message: "this text has no closing quote")
    }
    position += 1
    return Token(kind: .text(string(start + 1..<position - 1)), range: start..<position)
  }

  private mutating func number() throws(ExpressionError) -> Token {
    let start = position
    takeDigits()
    if scalar() == ".", scalar(1).map(isDigit) == true {
      position += 1
      takeDigits()
    }
    if scalar() == "e" || scalar() == "E" {
      let sign = scalar(1) == "-" || scalar(1) == "+" ? 1 : 0
      if scalar(1 + sign).map(isDigit) == true {
        position += 1 + sign
        takeDigits()
      }
    }
    guard let value = Double(string(start..<position)), value.isFinite else {
      throw ExpressionError(offset: start, message: "this number is too large")
    }
    let numberEnd = position
    while scalar() == " " || scalar() == "\u{A0}" || scalar() == "\u{202F}" { position += 1 }
    let unitStart = position
    let unit = takeUnit()
    if unit == "samples" || unit == "sample" {
      guard let count = Int(exactly: value), count > 0 else {
        throw ExpressionError(offset: start, message: "a number of samples is whole and above 0")
      }
      return Token(kind: .samples(count), range: start..<position)
    }
    if unit.isEmpty || Self.reserved.contains(unit) {
      position = numberEnd
      return Token(kind: .number(value, unit: ""), range: start..<numberEnd)
    }
    return Token(
      kind: .number(value, unit: unit), range: start..<position, unitRange: unitStart..<position)
  }

  private mutating func takeDigits() {
    while let next = scalar(), isDigit(next) { position += 1 }
  }

  private mutating func takeUnit() -> String {
    let start = position
    guard let first = scalar() else { return "" }
    let isReciprocal = first == "1" && scalar(1) == "/" && scalar(2).map(isLetter) == true
    guard isReciprocal || isLetter(first) || "%°‰{[".unicodeScalars.contains(first) else {
      return ""
    }
    var nesting = 0
    while let next = scalar() {
      let before = position > start ? scalars[position - 1] : " "
      if next == "(" {
        nesting += 1
      } else if next == ")" {
        guard nesting > 0 else { break }
        nesting -= 1
      } else if next == "-" {
        guard isLetter(before), scalar(1).map(isDigit) == true else { break }
      } else if next == "/" {
        guard let after = scalar(1), isLetter(after) || "({[%".unicodeScalars.contains(after)
        else { break }
      } else if next == "{" || next == "[" {
        let closing: Unicode.Scalar = next == "{" ? "}" : "]"
        var length = 1
        while let inner = scalar(length), inner != closing, inner != " " { length += 1 }
        guard scalar(length) == closing else { break }
        position += length
      } else if !isLetter(next), !isDigit(next), !"%°‰.·²³⁻¹⁴_".unicodeScalars.contains(next) {
        break
      }
      position += 1
    }
    while position > start, scalars[position - 1] == "." { position -= 1 }
    return string(start..<position)
  }

  private func string(_ range: Range<Int>) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: scalars[range])
    return text
  }

  private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  private func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic || scalar == "_" || scalar == "µ"
  }
}
