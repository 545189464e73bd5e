import Telemetry

/// Watches the members of an object to tell whether it is one metric: `{"value": 3, "unit": "bar"}`.
///
/// It is when every member has one of the roles of a metric, each role once, and one is the value.
struct MetricShape {
  var isPossible: Bool
  /// The root of a point, whose times the mapping reads.
  let isPoint: Bool
  private var hasValue = false
  /// Index in `Readings.fields`; `nil` when the value was null or refused.
  private(set) var field: Int?
  private(set) var unit: Slice?
  /// Where in the payload time and quality stand.
  private(set) var time: Range<Int>?
  private(set) var quality: Range<Int>?

  /// Numbers below it are no times: 10⁸ seconds after the epoch is March 1973.
  private static let timeMin = 1e8

  init(isPossible: Bool, isPoint: Bool) {
    self.isPossible = isPossible
    self.isPoint = isPoint
  }

  var isComplete: Bool { isPossible && hasValue }

  private enum Role {
    case value
    case unit
    case time
    case quality
  }

  /// Takes note of a member that was read just now; `fieldsBefore` counts the fields before it.
  mutating func note(
    base: UnsafePointer<UInt8>, name: Slice, value: Range<Int>, fieldsBefore: Int,
    _ readings: Readings
  ) {
    guard let role = role(base, name) else {
      isPossible = false
      return
    }
    let isStructure =
      base[value.lowerBound] == Ascii.openBrace || base[value.lowerBound] == Ascii.openBracket
    let last = readings.fields.count > fieldsBefore ? readings.fields.count - 1 : nil
    switch role {
    case .value:
      isPossible = !hasValue && !isStructure
      hasValue = true
      field = last
    case .unit:
      isPossible = unit == nil && !isStructure
      guard let last else { return }
      if case .text(let text) = readings.fields[last].value {
        unit = text
      } else {
        isPossible = false
      }
    case .time:
      isPossible = time == nil && !isStructure && !isPoint
      guard let last else { return }
      if case .number(let number) = readings.fields[last].value, number < Self.timeMin {
        isPossible = false
      }
      time = value
    case .quality:
      isPossible = quality == nil && !isStructure
      guard let last else { return }
      if case .number(let number) = readings.fields[last].value, number.rounded() != number {
        isPossible = false
      }
      quality = value
    }
  }

  private func role(_ base: UnsafePointer<UInt8>, _ name: Slice) -> Role? {
    guard !name.isScratch else { return nil }
    let key = UnsafeBufferPointer(start: base + Int(name.offset), count: Int(name.count))
    func matches(_ word: StaticString) -> Bool {
      key.elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }
    switch key.count {
    case 1:
      return matches("v")
        ? .value : matches("u") ? .unit : matches("t") ? .time : matches("q") ? .quality : nil
    case 2: return matches("ts") ? .time : nil
    case 4: return matches("unit") ? .unit : matches("time") ? .time : nil
    case 5: return matches("value") ? .value : nil
    case 7: return matches("quality") ? .quality : nil
    case 9: return matches("timestamp") ? .time : nil
    default: return nil
    }
  }
}
