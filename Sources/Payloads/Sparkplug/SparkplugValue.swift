import Telemetry

/// Sparkplug's data types by their number on the wire.
enum SparkplugDatatype {
  static let names = [
    "Unknown", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float",
    "Double", "Boolean", "String", "DateTime", "Text", "UUID", "DataSet", "Bytes", "File",
    "Template", "PropertySet", "PropertySetList", "Int8Array", "Int16Array", "Int32Array",
    "Int64Array", "UInt8Array", "UInt16Array", "UInt32Array", "UInt64Array", "FloatArray",
    "DoubleArray", "BooleanArray", "StringArray", "DateTimeArray",
  ]

  static let dateTime: UInt32 = 13

  static func name(_ datatype: UInt32) -> String {
    datatype < names.count ? names[Int(datatype)] : "datatype \(datatype)"
  }
}

/// What a metric's value is to us.
enum SparkplugValue {
  case number(Double)
  case boolean(Bool)
  case text(String)
  /// A data set, template, file, byte string or array: kept whole, not looked into.
  case blob([UInt8])
  /// The value does not have the form that its data type says.
  case mismatch
  /// No value, though the metric is not marked as null.
  case missing
}

extension SparkplugPayload.Metric {
  /// The value by its data type; 0 (unknown) takes the form on the wire for the type.
  ///
  /// Signed integers ride in unsigned fields as two's complement: the low bits of the type's width count,
  /// whether a producer extended the sign or not. Integers beyond 2⁵³ are rounded to a double.
  func value(as datatype: UInt32) -> SparkplugValue {
    guard let value else { return .missing }
    switch value {
    case .intValue(let bits): return integer(UInt64(bits), datatype, isWide: false)
    case .longValue(let bits): return integer(bits, datatype, isWide: true)
    case .floatValue(let number):
      return isReal(datatype) ? .number(decimal(number)) : .mismatch
    case .doubleValue(let number): return isReal(datatype) ? .number(number) : .mismatch
    case .booleanValue(let value):
      return datatype == 11 || datatype == 0 ? .boolean(value) : .mismatch
    case .stringValue(let text):
      return [0, 12, 14, 15].contains(datatype) ? .text(text) : .mismatch
    case .bytesValue(let bytes), .datasetValue(let bytes), .templateValue(let bytes),
      .extensionValue(let bytes):
      return datatype == 0 || datatype >= 16 ? .blob(Array(bytes)) : .mismatch
    }
  }

  private func isReal(_ datatype: UInt32) -> Bool {
    datatype == 9 || datatype == 10 || datatype == 0
  }

  private func integer(_ bits: UInt64, _ datatype: UInt32, isWide: Bool) -> SparkplugValue {
    switch datatype {
    case 1: .number(Double(Int8(truncatingIfNeeded: bits)))
    case 2: .number(Double(Int16(truncatingIfNeeded: bits)))
    case 3: .number(Double(Int32(truncatingIfNeeded: bits)))
    // Some producers put an Int64 into the narrow field; its sign is that of 32 bits then.
    case 4:
      .number(Double(isWide ? Int64(bitPattern: bits) : Int64(Int32(truncatingIfNeeded: bits))))
    case 5: .number(Double(UInt8(truncatingIfNeeded: bits)))
    case 6: .number(Double(UInt16(truncatingIfNeeded: bits)))
    case 7: .number(Double(UInt32(truncatingIfNeeded: bits)))
    case 0, 8, 13: .number(Double(bits))
    case 11: bits <= 1 ? .boolean(bits == 1) : .mismatch
    default: .mismatch
    }
  }
}

/// The number that the source meant by a 32-bit float: the shortest decimal that is that float again.
///
/// 21.3 is sent as 21.299999237060547; told apart from its neighbours it is 21.3. Exact for decimals of at
/// most six places; others keep the float's own value.
@inline(__always)
func decimal(_ float: Float) -> Double {
  let exact = Double(float)
  guard float.magnitude < 1e7, exact != exact.rounded() else { return exact }
  var power = 10.0
  for _ in 0..<6 {
    let rounded = (exact * power).rounded() / power
    if Float(rounded) == float { return rounded }
    power *= 10
  }
  return exact
}

/// Quality by the property `Quality`: 0 bad, 192 good, 500 stale.
extension SparkplugPayload.Metric {
  var quality: Quality {
    guard hasProperties, let code = property(["Quality", "quality"])?.number else { return .good }
    switch code {
    case 192: return .good
    case 500: return [.uncertain, .stale]
    case 0: return .bad
    default: return code >= 192 && code < 256 ? .good : .uncertain
    }
  }

  /// The first property of these names.
  func property(_ names: [String]) -> SparkplugPayload.PropertyValue? {
    for name in names {
      if let place = properties.keys.firstIndex(of: name), place < properties.values.count {
        return properties.values[place]
      }
    }
    return nil
  }

  /// The unit as the producer wrote it; empty when it did not say.
  var unit: String {
    guard hasProperties else { return datatype == SparkplugDatatype.dateTime ? "ms" : "" }
    let names = [
      "engUnit", "EngUnit", "Engineering Units", "engineeringUnits", "unit", "units", "Unit",
    ]
    return property(names)?.text ?? ""
  }
}

extension SparkplugPayload.PropertyValue {
  var number: Double? {
    switch value {
    case .intValue(let bits): Double(Int32(truncatingIfNeeded: bits))
    case .longValue(let bits): Double(Int64(bitPattern: bits))
    case .floatValue(let number): decimal(number)
    case .doubleValue(let number): number
    default: nil
    }
  }

  var text: String? { if case .stringValue(let text) = value { text } else { nil } }
}
