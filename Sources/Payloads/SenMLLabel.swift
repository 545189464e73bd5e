/// The fields of a SenML record by their CBOR labels (RFC 8428, table 4):
///
/// ```
/// bver -1   bn -2   bt -3   bu -4   bv -5   bs -6
/// n 0   u 1   v 2   vs 3   vb 4   s 5   t 6   ut 7   vd 8
/// ```
enum SenMLLabel: Int {
  case baseVersion = -1
  case baseName = -2
  case baseTime = -3
  case baseUnit = -4
  case baseValue = -5
  case baseSum = -6
  case name = 0
  case unit = 1
  case value = 2
  case text = 3
  case boolean = 4
  case sum = 5
  case time = 6
  case updateTime = 7
  case binary = 8

  /// Reads the JSON name of a field; `nil` for the name of an extension.
  init?(name: UnsafeRawBufferPointer) {
    // One to four letters, first letter highest: no text is made for each member.
    guard (1...4).contains(name.count) else { return nil }
    switch name.reduce(UInt32(0), { $0 << 8 | UInt32($1) }) {
    case 0x62_76_65_72: self = .baseVersion
    case 0x62_6E: self = .baseName
    case 0x62_74: self = .baseTime
    case 0x62_75: self = .baseUnit
    case 0x62_76: self = .baseValue
    case 0x62_73: self = .baseSum
    case 0x6E: self = .name
    case 0x75: self = .unit
    case 0x76: self = .value
    case 0x76_73: self = .text
    case 0x76_62: self = .boolean
    case 0x73: self = .sum
    case 0x74: self = .time
    case 0x75_74: self = .updateTime
    case 0x76_64: self = .binary
    default: return nil
    }
  }

  /// The JSON name, by which refusals tell the place.
  var name: String {
    switch self {
    case .baseVersion: "bver"
    case .baseName: "bn"
    case .baseTime: "bt"
    case .baseUnit: "bu"
    case .baseValue: "bv"
    case .baseSum: "bs"
    case .name: "n"
    case .unit: "u"
    case .value: "v"
    case .text: "vs"
    case .boolean: "vb"
    case .sum: "s"
    case .time: "t"
    case .updateTime: "ut"
    case .binary: "vd"
    }
  }

  /// Whether it holds for the records that follow, too.
  var isBase: Bool { rawValue < 0 }

  /// Whether it is one of the four of which a record has one.
  var isValue: Bool {
    switch self {
    case .value, .text, .boolean, .binary: true
    default: false
    }
  }
}

/// The value of a field as JSON or CBOR gave it.
enum SenMLScalar {
  case number(Double)
  case boolean(Bool)
  case text(ScannedText)
  /// A byte string of CBOR.
  case bytes(Slice)
  case notANumber
  case outOfRange
  /// Null, an array, a map: nothing that a field can be.
  case other
}
