import Telemetry

/// What payloads of one kind have in common: the format, and of JSON the paths and types of its members.
///
/// `{"id": "a", "v": [1, 2]}` has the shape `json {id: text, v[]: number}`; order, values and the number of
/// elements do not count. JSON that cannot be read to its end, or of more than `pathsMax` paths, is told by
/// its format alone. Other formats are told by name, bytes that are no UTF-8 as `binary`.
public struct PayloadShape: Hashable, Sendable, CustomStringConvertible {
  public static let pathsMax = 256
  public let description: String

  /// - Parameters:
  ///   - contentType: MIME type; empty when not said.
  ///   - topic: empty when there was none.
  public init(of payload: [UInt8], contentType: String = "", topic: String = "") {
    let format = payload.withUnsafeBytes { bytes in
      PayloadShape.format(of: bytes, contentType: contentType, topic: topic)
    }
    switch format {
    case .json, .device, .senml:
      let paths = payload.withUnsafeBufferPointer(PayloadShape.paths)
      description = "\(format.rawValue) " + (paths.map { "{\($0)}" } ?? "that cannot be read")
    case .scalar where String(validating: payload, as: UTF8.self) == nil: description = "binary"
    case .line, .scalar, .sparkplug, .senmlCBOR: description = format.rawValue
    }
  }

  private static func format(
    of bytes: UnsafeRawBufferPointer, contentType: String, topic: String
  ) -> PayloadFormat {
    if SparkplugTopic(topic) != nil { return .sparkplug }
    let sniffed = PayloadFormat.sniff(bytes)
    guard let stated = PayloadFormat(contentType: contentType) else { return sniffed }
    return stated == .json && (sniffed == .device || sniffed == .senml) ? sniffed : stated
  }

  /// Paths and types, sorted; `nil` when this is no JSON or too much of it.
  private static func paths(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
    guard let base = bytes.baseAddress else { return nil }
    var walk = Walk(
      scanner: JSONScanner(base: base, count: bytes.count), bytes: UnsafeRawBufferPointer(bytes))
    do throws(PayloadError) {
      // Several objects may stand one after the other (NDJSON).
      repeat {
        walk.scanner.skipBlanks()
        try walk.value(at: "")
        walk.scanner.skipBlanks()
      } while walk.scanner.position < bytes.count && walk.paths.count <= pathsMax
    } catch {
      // Where it breaks differs from payload to payload; that it breaks is what they share.
      return nil
    }
    return walk.paths.count <= pathsMax ? walk.paths.sorted().joined(separator: ", ") : nil
  }

  private struct Walk {
    var scanner: JSONScanner
    let bytes: UnsafeRawBufferPointer
    var paths: Set<String> = []
    private var readings = Readings()

    init(scanner: JSONScanner, bytes: UnsafeRawBufferPointer) {
      self.scanner = scanner
      self.bytes = bytes
    }

    /// Nesting is bounded by the scanner.
    mutating func value(at path: String) throws(PayloadError) {
      guard paths.count <= PayloadShape.pathsMax else { return try skip() }
      switch scanner.next {
      case Ascii.openBrace:
        guard try scanner.open(closing: Ascii.closeBrace) else { return note(path, "empty") }
        repeat {
          let name = try scanner.memberName(into: &readings.scratch)
          let text = readings.text(name.slice, payload: bytes)
          try value(at: path.isEmpty ? text : path + "." + text)
        } while try scanner.advance(closing: Ascii.closeBrace)
      case Ascii.openBracket:
        guard try scanner.open(closing: Ascii.closeBracket) else {
          return note(path + "[]", "empty")
        }
        repeat {
          try value(at: path + "[]")
        } while try scanner.advance(
          closing: Ascii.closeBracket)
      default: note(path, PayloadShape.type(of: try scanner.scalar(into: &readings.scratch)))
      }
    }

    private mutating func skip() throws(PayloadError) {
      try scanner.skipValue(scratch: &readings.scratch)
    }

    private mutating func note(_ path: String, _ type: String) {
      paths.insert(path.isEmpty ? type : "\(path): \(type)")
    }
  }

  private static func type(of scalar: ScannedScalar) -> String {
    switch scalar {
    case .number, .notANumber, .outOfRange: "number"
    case .boolean: "boolean"
    case .text: "text"
    case .null: "null"
    }
  }
}
