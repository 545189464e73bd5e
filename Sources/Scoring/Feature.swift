import Telemetry

/// One number of a feature vector: what it is called where a score is explained, and its unit.
public struct Feature: Sendable, Hashable {
  public var name: String
  /// UCUM code; "1" for a pure number.
  public var unit: String

  public init(_ name: String, unit: String = "1") {
    self.name = name
    self.unit = unit
  }
}

extension [Feature] {
  func encode(into writer: inout ByteWriter) {
    writer.varint(UInt64(count))
    for feature in self {
      writer.text(feature.name)
      writer.text(feature.unit)
    }
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    self.init()
    for _ in 0..<(try reader.length()) {
      append(Feature(try reader.text(), unit: try reader.text()))
    }
  }
}
