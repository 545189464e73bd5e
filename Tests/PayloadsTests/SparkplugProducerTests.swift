import Foundation
import Testing

@testable import Payloads

/// Messages that other implementations made; Sparkplug/ holds them with what made them.
@Suite("Sparkplug B of other producers")
struct SparkplugProducerTests {
  private func messages(_ file: String) throws -> [(topic: String, bytes: [UInt8])] {
    let folder = (#filePath as NSString).deletingLastPathComponent + "/Sparkplug/"
    let text = try String(contentsOfFile: folder + file, encoding: .utf8)
    return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
      let parts = line.split(separator: " ")
      let digits = Array(parts[1])
      let bytes = stride(from: 0, to: digits.count, by: 2).map {
        UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0
      }
      return (String(parts[0]), bytes)
    }
  }

  @Test("pysparkplug: every data type, at birth and by alias, and the death of the session")
  func pysparkplug() throws {
    var edge = EdgeNode()
    let steps = try messages("pysparkplug.txt").map {
      try edge.send(topic: $0.topic, bytes: $0.bytes)
    }
    let values =
      "take i8=-5, i16=-3000, i32=-70000, i64=-5000000000, u8=200, u16=60000, u32=4000000000, "
      + "u64=5000000000, f=21.3, d=0.1, b=true, s=läuft, t=1577923200000 ms, text=x y, "
      + "uuid=0d2f8c6e-8a0f-4c33-9e3f-9a5c6f7b8d01, bytes=Bytes of 3"
    #expect(steps == [["take "], [values], [values], ["stale node now", "stale all now"]])
  }

  @Test("mqtt-spb-wrapper: data names its metrics otherwise than the birth did")
  func wrapper() throws {
    var edge = EdgeNode()
    let steps = try messages("mqtt-spb-wrapper.txt").map {
      try edge.send(topic: $0.topic, bytes: $0.bytes)
    }
    #expect(
      steps.last == ["take DATA/temperature=22.5, DATA/count=-43"])
    #expect(
      steps[1].first?.contains("DATA/count=-42, DATA/running=true, DATA/mode=auto") == true)
  }
}
