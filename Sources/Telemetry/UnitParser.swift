/// Puts units together: a subset of the grammar of UCUM (version 2.1, section 2.2).
///
/// ```
/// term       ["/"] component { ("." | "/") component }      from left to right: a/b.c is (a/b).c
/// component  "(" term ")" [exponent] | factor | "{…}" | unit ["{…}"] [exponent]
/// unit       a code, symbol or alias of the table, or a prefix and a metric one of them
/// exponent   −9 … 9, not 0           factor     1 … 999,999,999
/// ```
/// Prefixes go from p (10⁻¹²) to P (10¹⁵), and Ki to Ti for bits and bytes. Blanks around an operator are
/// dropped, other blanks multiply (`m s-1`). Within a term a temperature is a difference: `Cel/min` is
/// `K/min`. `V.A`, `N.m` and their like keep their meaning within a longer term. Annotations mean nothing
/// unless the table has them.
struct UnitParser {
  private let text: [Character]
  private var position = 0
  private var nesting = 0
  private static let nestingMax = 4
  private static let componentsMax = 16

  /// - Returns: `nil` for what cannot be read, and when the scale leaves the range of a double.
  static func unit(_ name: String) -> Unit? {
    guard let unit = parse(name) else { return nil }
    if unit.code == name { return unit }
    // `MV.(A.s)` would be stored as the megavolt-ampere second, and come back with another meaning.
    guard let again = UnitTable.unit(named: unit.code) ?? parse(unit.code) else { return nil }
    return again.code == unit.code && isSame(again, unit) ? unit : nil
  }

  private static func isSame(_ a: Unit, _ b: Unit) -> Bool {
    guard let conversion = Unit.conversion(from: a, to: b) else { return false }
    return conversion.addend == 0 && abs(conversion.scale - 1) < 1e-12
  }

  private static func parse(_ name: String) -> Unit? {
    guard name.utf8.count <= UnitTable.nameBytesMax, !name.isEmpty else { return nil }
    // UCUM's powers of ten would read as products.
    guard !name.contains("10*"), !name.contains("10^") else { return nil }
    var parser = UnitParser(text: Array(UnitTable.plainForm(multiplyingBlanks(name))))
    guard let product = parser.term(), parser.position == parser.text.count else { return nil }
    let unit = product.unit
    let isInRange =
      unit.scale.numerator.isNormal && unit.scale.denominator.isNormal
      && unit.code.utf8.count <= UnitTable.nameBytesMax
    return isInRange ? settled(unit) : nil
  }

  /// The unit of the table where the code is one of its spellings.
  ///
  /// - Returns: `nil` when it is but means another unit: `kg/(cm2)` would be stored as `kg/cm2`, which reads
  ///   back as the pressure that it stands for in plants.
  private static func settled(_ unit: Unit) -> Unit? {
    guard let known = UnitTable.unit(named: unit.code) else { return unit }
    return isSame(known, unit) ? known : nil
  }

  private init(text: [Character]) { self.text = text }

  /// Blanks between two units become a dot.
  private static func multiplyingBlanks(_ name: String) -> String {
    let operators: Set<Character> = [".", "/", "·", "⋅", "×", "*", "(", ")"]
    var result = ""
    for word in name.split(separator: " ") {
      if let last = result.last, let first = word.first, !operators.contains(last),
        !operators.contains(first)
      {
        result.append(".")
      }
      result.append(contentsOf: word)
    }
    return result
  }

  private var next: Character? { position < text.count ? text[position] : nil }

  private mutating func term() -> Product? {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.nestingMax else { return nil }
    var product = Product()
    var divides = next == "/"
    if divides { position += 1 }
    repeat {
      guard product.count < Self.componentsMax, let component = component(divides: divides) else {
        return nil
      }
      product.append(component, divides: divides)
      guard let sign = next, sign == "." || sign == "/" else { break }
      divides = sign == "/"
      position += 1
    } while true
    return product
  }

  private mutating func component(divides: Bool) -> Component? {
    if next == "(" {
      position += 1
      guard let inner = term().flatMap({ Self.settled($0.unit) }), next == ")" else { return nil }
      position += 1
      return exponent(String(simple())).map { Component(group: inner, exponent: $0) }
    }
    // A factor keeps its dot: `V.A` is more than a volt times an ampere.
    if !divides, let joined = joined() { return joined }
    let word = String(simple())
    return word.isEmpty ? nil : Component(word)
  }

  /// Two or three units that the table has as one.
  private mutating func joined() -> Component? {
    let start = position
    for count in [3, 2] {
      position = start
      var words: [String] = []
      while words.count < count {
        let word = String(simple())
        words.append(UnitTable.row(plain: word)?.code ?? word)
        guard words.count < count, next == "." else { break }
        position += 1
      }
      if words.count == count, let row = UnitTable.row(plain: words.joined(separator: ".")) {
        return Component(row: row)
      }
    }
    position = start
    return nil
  }

  /// Up to the next operator; brackets and braces hold together.
  private mutating func simple() -> ArraySlice<Character> {
    let start = position
    var closing: Character?
    while let character = next {
      if let end = closing {
        if character == end { closing = nil }
      } else if character == "[" {
        closing = "]"
      } else if character == "{" {
        closing = "}"
      } else if character == "(", position > start {
        // As in `bar(g)`: without an operator it belongs to the name.
        closing = ")"
      } else if character == "." || character == "/" || character == "(" || character == ")" {
        break
      }
      position += 1
    }
    return text[start..<position]
  }
}

/// The exponent a text is; 1 for an empty one, `nil` when it is none.
private func exponent(_ text: String) -> Int? {
  if text.isEmpty { return 1 }
  guard let number = Int(text), number != 0, number.magnitude < 10 else { return nil }
  return number
}

extension UnitParser {
  /// One unit with its exponent, as it goes into a product.
  private struct Component {
    var code: String
    var symbol: String
    var vector: UnitVector
    var scale: UnitScale

    init(code: String, symbol: String, vector: UnitVector = .one, scale: UnitScale = UnitScale(1)) {
      self.code = code
      self.symbol = symbol
      self.vector = vector
      self.scale = scale
    }

    init(row: UnitTable.Row) {
      self.init(
        code: row.code, symbol: row.symbol, vector: row.dimension.vector, scale: row.scale)
    }

    /// A factor, an annotation, a unit with or without exponent.
    init?(_ word: String) {
      let row = UnitTable.row(plain: word)
      // `s-1` is a row, `/s`; within a term it is better kept as a power.
      if let row, row.code.first != "/" || word.last?.isNumber != true {
        self.init(row: row)
      } else if let factor = Int(word) {
        guard (1...999_999_999).contains(factor) else { return nil }
        self.init(code: "\(factor)", symbol: "\(factor)", scale: UnitScale(Double(factor)))
      } else if word.hasPrefix("{"), word.hasSuffix("}") {
        self.init(code: word, symbol: String(word.dropFirst().dropLast()))
      } else {
        self.init(power: word)
      }
    }

    private init?(power word: String) {
      let annotation = word.last == "}" ? word.lastIndex(of: "{").map { word[$0...] } ?? "" : ""
      let bare = word.dropLast(annotation.count)
      let digits = bare.reversed().prefix { $0.isASCII && ($0.isNumber || $0 == "-" || $0 == "+") }
      let name = String(bare.dropLast(digits.count))
      guard let power = exponent(String(digits.reversed())),
        var unit = UnitTable.row(plain: name).map({ Component(row: $0) })
          ?? Component(prefixed: name)
      else { return nil }
      if power != 1 { unit = Component(group: unit.unit, exponent: power) }
      self = unit
      code += annotation
    }

    /// A prefix before a metric unit.
    private init?(prefixed name: String) {
      for (prefix, factor) in UnitPrefix.all where name.hasPrefix(prefix) {
        guard let row = UnitTable.metricRows[String(name.dropFirst(prefix.count))],
          prefix.last != "i" || row.dimension == .data
        else { continue }
        self.init(
          code: prefix + row.code, symbol: (prefix == "u" ? "µ" : prefix) + row.symbol,
          vector: row.dimension.vector, scale: row.scale.times(factor, toThe: 1))
        return
      }
      return nil
    }

    /// A term in parentheses, or a unit with an exponent.
    init(group unit: Unit, exponent: Int) {
      let isSimple = !unit.code.contains { $0 == "." || $0 == "/" }
      // `m3` to the second is no `m32`.
      let isOpen = exponent != 1 && unit.code.last?.isNumber == true
      let power = exponent == 1 ? "" : "\(exponent)"
      let isBare = isSimple && !isOpen
      self.init(
        code: (isBare ? unit.code : "(\(unit.code))") + power,
        symbol: (isBare ? unit.symbol : "(\(unit.symbol))") + superscript(power),
        vector: UnitVector.one.times(unit.vector, toThe: exponent),
        scale: UnitScale(1).times(unit.scale, toThe: exponent))
    }

    var unit: Unit { Unit(code: code, symbol: symbol, vector: vector, scale: scale) }
  }

  /// Components multiplied from left to right.
  private struct Product {
    private(set) var count = 0
    private var code = ""
    private var symbol = ""
    private var vector = UnitVector.one
    private var scale = UnitScale(1)

    mutating func append(_ component: Component, divides: Bool) {
      count += 1
      if count == 1, !divides {
        (code, symbol) = (component.code, component.symbol)
        (vector, scale) = (component.vector, component.scale)
        return
      }
      let isCompound = component.code.contains { $0 == "." || $0 == "/" }
      let isBare = component.code.first != "("
      let needsBrackets = isCompound && isBare && (divides || component.code.contains("/"))
      if symbol.isEmpty { symbol = "1" }
      code += (divides ? "/" : ".") + (needsBrackets ? "(\(component.code))" : component.code)
      symbol +=
        (divides ? "/" : "·") + (needsBrackets ? "(\(component.symbol))" : component.symbol)
      let exponent = divides ? -1 : 1
      vector = vector.times(component.vector, toThe: exponent)
      scale = scale.times(component.scale, toThe: exponent)
    }

    var unit: Unit { Unit(code: code, symbol: symbol, vector: vector, scale: scale) }
  }
}

private func superscript(_ power: String) -> String {
  String(
    power.map { character in
      switch character {
      case "-": "⁻"
      case "2": "²"
      case "3": "³"
      case "1": "¹"
      default:
        // The others stand in a row of their own from U+2074 on.
        Unicode.Scalar(0x2070 + UInt32(character.wholeNumberValue ?? 0)).map(Character.init)
          ?? character
      }
    })
}

/// The prefixes of decimal multiples, and of binary ones for bits and bytes.
enum UnitPrefix {
  /// Longer ones first, so that `Mi` is not read as `M`.
  static let all: [(String, UnitScale)] = [
    ("Ki", UnitScale(1_024)), ("Mi", UnitScale(1_048_576)), ("Gi", UnitScale(1_073_741_824)),
    ("Ti", UnitScale(1_099_511_627_776)),
    ("P", UnitScale(1e15)), ("T", UnitScale(1e12)), ("G", UnitScale(1e9)), ("M", UnitScale(1e6)),
    ("k", UnitScale(1_000)), ("h", UnitScale(100)), ("d", UnitScale(1, over: 10)),
    ("c", UnitScale(1, over: 100)), ("m", UnitScale(1, over: 1_000)),
    ("u", UnitScale(1, over: 1e6)), ("n", UnitScale(1, over: 1e9)),
    ("p", UnitScale(1, over: 1e12)),
  ]
}
