import Telemetry

/// A type a YAML value can be read as; the list below is all that configuration files use.
public struct YAMLType<Value> {
  let read: (YAMLValue) -> Value?

  /// A type of one's own: report through the value and return `nil` when it does not fit.
  public init(_ read: @escaping (YAMLValue) -> Value?) { self.read = read }

  /// Reads as `self`, then turns the result into something else; the closure reports.
  public func map<Other>(_ transform: @escaping (Value, YAMLValue) -> Other?) -> YAMLType<Other> {
    YAMLType<Other> { value in read(value).flatMap { transform($0, value) } }
  }

  /// From text by `parse`; what does not parse is reported as not being `expected`.
  static func parsed(
    _ expected: String, plainOnly: Bool = false, _ parse: @escaping (String) -> Value?
  ) -> YAMLType {
    YAMLType { value in
      guard let text = plainOnly ? value.plainText : value.scalarText, let result = parse(text)
      else {
        value.refuse(expected: expected)
        return nil
      }
      return result
    }
  }
}

extension YAMLType where Value == String {
  /// Any scalar as it is written: `on`, `007` and `1.10` stay what they are.
  public static var string: YAMLType { parsed("text") { $0 } }

  /// Text that is not empty, without control characters, of at most `bytesMax` bytes.
  public static func name(bytesMax: Int = 128) -> YAMLType {
    parsed("a name of 1 to \(bytesMax) bytes without control characters") { text in
      let isName =
        !text.isEmpty && text.utf8.count <= bytesMax && !text.utf8.contains { $0 < 32 || $0 == 127 }
      return isName ? text : nil
    }
  }
}

extension YAMLType where Value == Bool {
  /// `true` or `false`; the many other words of YAML 1.1 are refused.
  public static var bool: YAMLType {
    parsed("true or false", plainOnly: true) { ["true": true, "false": false][$0.lowercased()] }
  }
}

extension YAMLType where Value == Int {
  public static var int: YAMLType { int(in: .min ... .max) }

  public static func int(in range: ClosedRange<Int>) -> YAMLType {
    let bounds = range == .min ... .max ? "" : " from \(range.lowerBound) to \(range.upperBound)"
    return parsed("a whole number\(bounds)", plainOnly: true) { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// A number of bytes: `512 B`, `64 KiB`, `1.5 GiB`, `10 MB`; the unit is required.
  public static var byteSize: YAMLType {
    parsed("a size such as `64 MiB`") { text in
      guard let (number, unit) = quantity(text), let scale = byteScales[unit] else { return nil }
      let bytes = (number * scale).rounded()
      return number >= 0 && bytes < 9e18 ? Int(bytes) : nil
    }
  }
}

extension YAMLType where Value == Double {
  /// A finite decimal number.
  public static var double: YAMLType { parsed("a number", plainOnly: true, decimal) }
}

extension YAMLType where Value == Duration {
  /// A time span: `20 ms`, `1.5 h`, `7 d`; the unit is required. Not negative, under 10,000 years.
  public static var duration: YAMLType {
    parsed("a duration such as `20 s` or `5 min`") { text in
      guard let (number, unit) = quantity(text), let scale = microsecondScales[unit] else {
        return nil
      }
      let microseconds = (number * scale).rounded()
      return number >= 0 && microseconds < 3.2e17 ? .microseconds(Int64(microseconds)) : nil
    }
  }
}

extension YAMLType where Value == Telemetry.Unit {
  /// A unit of measure by UCUM code or alias.
  public static var unit: YAMLType {
    YAMLType { value in
      guard let text = value.read(.string) else { return nil }
      if let unit = Unit(text) { return unit }
      let suggestion = Unit.suggestion(for: text).map { ", did you mean `\($0)`?" } ?? ""
      value.report("unknown unit `\(text)`\(suggestion)")
      return nil
    }
  }
}

extension YAMLType where Value == YAMLMap {
  public static var map: YAMLType {
    YAMLType { value in
      guard case .mapping(let mapping) = value.node else {
        value.refuse(expected: "a map")
        return nil
      }
      return YAMLMap(
        pairs: mapping.map { ($0.key, $0.value) }, path: value.path, file: value.file,
        position: value.position, log: value.log)
    }
  }
}

extension YAMLType {
  /// A list, each member as `type`; members that do not fit are reported and left out.
  public static func list<Member>(of type: YAMLType<Member>) -> YAMLType where Value == [Member] {
    YAMLType { value in
      guard case .sequence(let nodes) = value.node else {
        value.refuse(expected: "a list")
        return nil
      }
      return nodes.enumerated().compactMap { value.child($1, "[\($0)]").read(type) }
    }
  }

  /// One of a few words, with a suggestion when it is none of them.
  public static func choice(of names: [String], _ make: @escaping (String) -> Value?) -> YAMLType {
    YAMLType { value in
      guard let text = value.read(.string) else { return nil }
      if names.contains(text), let choice = make(text) { return choice }
      let suggestion = nearestName(to: text, among: names).map { ", did you mean `\($0)`?" } ?? ""
      value.report(
        "`\(text)` is not one of \(names.map { "`\($0)`" }.joined(separator: ", "))\(suggestion)")
      return nil
    }
  }
}

extension YAMLType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of the cases of an enum, by raw value.
  public static var choice: YAMLType {
    choice(of: Value.allCases.map(\.rawValue)) { Value(rawValue: $0) }
  }
}

extension YAMLType where Value == [(key: String, value: String)] {
  /// A map of words to words (labels), in the order of the file.
  public static var texts: YAMLType {
    YAMLType<YAMLMap>.map.map { map, _ in
      map.entries.compactMap { entry in entry.value.read(.string).map { (entry.key, $0) } }
    }
  }
}

private let byteScales: [String: Double] = [
  "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
  "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824, "TiB": 1_099_511_627_776,
]

private let microsecondScales: [String: Double] = [
  "us": 1, "µs": 1, "ms": 1e3, "s": 1e6, "min": 6e7, "h": 3.6e9, "d": 8.64e10, "w": 6.048e11,
]

/// Splits `1.5 h` into its number and its unit; the space may be missing.
private func quantity(_ text: String) -> (number: Double, unit: String)? {
  let digits = text.prefix { "+-.0123456789".contains($0) }
  let unit = text[digits.endIndex...].drop { $0 == " " }
  guard let number = decimal(String(digits)), !unit.isEmpty else { return nil }
  return (number, String(unit))
}

/// Plain decimal notation only: Swift would also read `nan`, `inf` and hexadecimal.
private func decimal(_ text: String) -> Double? {
  guard text.utf8.allSatisfy({ isDecimalByte($0) }), let number = Double(text), number.isFinite
  else { return nil }
  return number
}

private func isDecimalByte(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: true
  default: false
  }
}
