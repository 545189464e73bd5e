import Foundation
import Payloads
import Testing

/// A folder `Golden/<format>/<case>` with `input`, `expected` and sometimes `mapping`.
struct GoldenCase: Sendable, CustomTestStringConvertible {
  var format: PayloadFormat
  var folder: URL

  var testDescription: String { "\(format.rawValue)/\(folder.lastPathComponent)" }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden")

  static let all: [GoldenCase] = PayloadFormat.allCases.flatMap { format in
    let folder = root.appendingPathComponent(format.rawValue)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().map {
      GoldenCase(format: format, folder: folder.appendingPathComponent($0))
    }
  }

  func input() throws -> [UInt8] {
    Array(try Data(contentsOf: folder.appendingPathComponent("input")))
  }

  /// `key: value` lines: items, device, type, times, ignore, rest, precision and
  /// `metric: path | name | unit | time path | quality path | unit path`.
  func decoder() throws -> PayloadDecoder {
    let url = folder.appendingPathComponent("mapping")
    guard FileManager.default.fileExists(atPath: url.path) else {
      return PayloadDecoder(format: format)
    }
    var mapping = JSONMapping()
    var precision = TimePrecision.nanoseconds
    for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1).map { trimmed($0) }
      let value = try #require(parts.last)
      switch parts[0] {
      case "items": mapping.items = value
      case "device": mapping.devicePath = value
      case "type": mapping.deviceTypePath = value
      case "times": mapping.timePaths = value.split(separator: ",").map { trimmed($0) }
      case "ignore": mapping.ignore = value.split(separator: ",").map { trimmed($0) }
      case "rest": mapping.rest = try #require(JSONMapping.Rest(rawValue: value))
      case "precision": precision = try #require(TimePrecision(name: value))
      case "metric": mapping.metrics.append(metric(value))
      default: Issue.record("Unknown key \(parts[0]) in \(url.path)")
      }
    }
    return PayloadDecoder(format: format, mapping: mapping, linePrecision: precision)
  }

  private func metric(_ text: String) -> JSONMapping.Metric {
    var parts = text.split(separator: "|", omittingEmptySubsequences: false).map { trimmed($0) }
    while parts.count < 6 { parts.append("") }
    return JSONMapping.Metric(
      path: parts[0], name: parts[1], unit: parts[2], timePath: parts[3], qualityPath: parts[4],
      unitPath: parts[5])
  }

  private func trimmed(_ text: Substring) -> String {
    text.trimmingCharacters(in: .whitespaces)
  }
}

@Suite("Golden payloads")
struct GoldenPayloadTests {
  @Test("Every golden payload reads as its expected file says", arguments: GoldenCase.all)
  func matches(_ golden: GoldenCase) throws {
    let actual = render(try golden.decoder(), try golden.input())
    let url = golden.folder.appendingPathComponent("expected")
    if ProcessInfo.processInfo.environment["MILLWRIGHT_RECORD_GOLDEN"] == "1" {
      return try actual.write(to: url, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: url, encoding: .utf8) == actual)
  }

  @Test("There are enough golden cases of each format, so that a lost folder is noticed")
  func areThere() {
    for (format, least) in [
      (PayloadFormat.json, 12), (.device, 8), (.line, 10), (.scalar, 10), (.senml, 30),
      (.senmlCBOR, 25),
    ] {
      #expect(GoldenCase.all.count { $0.format == format } >= least)
    }
  }
}
