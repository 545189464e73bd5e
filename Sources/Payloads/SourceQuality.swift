import Telemetry

/// Reads the quality that a source says, which is written in one of several customs.
///
/// ```
/// text     good…  uncertain…  bad…  stale     OPC UA names, any case: GoodClamped, BadNoCommunication
/// boolean  true: good, false: bad
/// 0…63     bad                                OPC DA and Sparkplug B 0
/// 64…127   uncertain                          OPC DA
/// 192…255  good                               OPC DA and Sparkplug B 192
/// 500      uncertain and stale                Sparkplug B
/// ≥ 65536  by the two top bits of 32          OPC UA status code: 0x40…: uncertain, 0x80…: bad
/// ```
/// The OPC UA code 0 (good) reads as bad, because OPC DA and Sparkplug B write a bad value so.
enum SourceQuality {
  /// `nil` when the number is in none of the tables above.
  static func read(_ number: Double) -> Quality? {
    guard let code = UInt32(exactly: number) else { return nil }
    switch code {
    case 0...63: return .bad
    case 64...127: return .uncertain
    case 192...255: return .good
    case 500: return [.uncertain, .stale]
    case 65_536...:
      switch code >> 30 {
      case 0: return .good
      case 1: return .uncertain
      default: return .bad
      }
    default: return nil
    }
  }

  /// `nil` when the word is in none of the tables above.
  static func read(_ text: UnsafeRawBufferPointer) -> Quality? {
    if hasPrefix(text, "good") { return .good }
    if hasPrefix(text, "uncertain") { return .uncertain }
    if hasPrefix(text, "bad") { return .bad }
    if hasPrefix(text, "stale") { return [.uncertain, .stale] }
    return nil
  }

  private static func hasPrefix(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
    guard text.count >= word.utf8CodeUnitCount else { return false }
    return (0..<word.utf8CodeUnitCount).allSatisfy { text[$0] | 0x20 == word.utf8Start[$0] }
  }
}
