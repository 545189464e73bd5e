/// How spellings lead to rows.
extension UnitTable {
  /// Longer texts are no units.
  static let nameBytesMax = 64

  /// A unit for each row.
  static let units: [Unit] = rows.map {
    Unit(code: $0.code, symbol: $0.symbol, vector: $0.dimension.vector, scale: $0.scale)
  }

  /// Codes first, then symbols and aliases: the order in which suggestions are tried.
  static let names: [String] =
    rows.map(\.code) + rows.flatMap { [$0.symbol] + $0.aliases }.filter { !$0.isEmpty }

  /// Every exact spelling. A code wins over a symbol or alias of the same letters (`g`, `mg`).
  private static let exact: [String: Int] = {
    var rowsByName: [String: Int] = [:]
    for (index, row) in rows.enumerated() { rowsByName[row.code] = index }
    for (index, row) in rows.enumerated() {
      for name in [row.symbol] + row.aliases where !name.isEmpty && rowsByName[name] == nil {
        rowsByName[name] = index
      }
    }
    return rowsByName
  }()

  /// The same in plain form, and words of four and more letters in lower case.
  private static let plain: [String: Int] = {
    var rowsByName: [String: Int] = [:]
    for name in names {
      guard let row = exact[name] else { continue }
      let spelling = plainForm(name)
      if rowsByName[spelling] == nil { rowsByName[spelling] = row }
    }
    return rowsByName
  }()

  private static let words: [String: Int] = {
    var rowsByName: [String: Int] = [:]
    for (index, row) in rows.enumerated() {
      for alias in row.aliases where isWord(alias) {
        rowsByName[plainForm(alias)] = index
      }
    }
    return rowsByName
  }()

  /// Of letters and blanks alone: the case of symbols is never open.
  private static func isWord(_ alias: String) -> Bool {
    alias.count > 3 && alias.allSatisfy { $0 == " " || ("a"..."z").contains($0) }
  }

  static func unit(named name: String) -> Unit? {
    if let row = exact[name] { return units[row] }
    guard name.utf8.count <= nameBytesMax else { return nil }
    let spelling = plainForm(name)
    return (exact[spelling] ?? plain[spelling] ?? words[spelling.lowercased()]).map { units[$0] }
  }

  /// The row of a spelling that is in plain form already.
  static func row(plain spelling: String) -> Row? {
    (exact[spelling] ?? plain[spelling] ?? words[spelling.lowercased()]).map { rows[$0] }
  }

  /// Rows that take a prefix, by code and by symbol.
  static let metricRows: [String: Row] = {
    var rowsByName: [String: Row] = [:]
    for row in rows where row.isMetric {
      rowsByName[row.code] = row
      rowsByName[plainForm(row.symbol)] = row
    }
    return rowsByName
  }()

  /// Without spaces, and with ASCII for the micro sign, exponents and the product dot.
  static func plainForm(_ name: String) -> String {
    var spelling = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case " ", "\t", "\u{A0}", "\u{202F}", "^": continue
      case "\u{B5}", "\u{3BC}": spelling.append("u")
      case "\u{B9}": spelling.append("1")
      case "\u{B2}": spelling.append("2")
      case "\u{B3}": spelling.append("3")
      case "\u{2074}"..."\u{2079}":
        spelling.append("\(scalar.value - 0x2070)")
      case "\u{207B}", "\u{2212}": spelling.append("-")
      case "\u{B7}", "\u{22C5}", "\u{D7}", "*": spelling.append(".")
      case "\u{2126}": spelling.append("\u{3A9}")
      default: spelling.unicodeScalars.append(scalar)
      }
    }
    return spelling
  }
}
