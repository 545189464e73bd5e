import Payloads
import TestSupport
import Testing

@Suite("Shapes of payloads")
struct PayloadShapeTests {
  private func shape(_ text: String, contentType: String = "", topic: String = "") -> String {
    PayloadShape(of: Array(text.utf8), contentType: contentType, topic: topic).description
  }

  @Test(
    "JSON is told by the paths and types of its members",
    arguments: [
      (#"{"id": "a", "v": [1, 2.5]}"#, "json {id: text, v[]: number}"),
      (#"{"v": [7], "id": "b"}"#, "json {id: text, v[]: number}"),
      (
        #"{"a": {"b": null, "c": true}, "d": {}, "e": []}"#,
        "json {a.b: null, a.c: boolean, d: empty, e[]: empty}"
      ),
      (#"[{"a": 1}, {"a": "x"}]"#, "json {[].a: number, [].a: text}"),
      ("{\"a\": 1}\n{\"b\": 2}\n", "json {a: number, b: number}"),
      (#"{"device_id": "d", "metrics": {"t": 1}}"#, "device {device_id: text, metrics.t: number}"),
      (#"[{"n": "t", "v": 1}]"#, "senml {[].n: text, [].v: number}"),
      (#"{"v": "#, "json that cannot be read"), ("{\"v\": 1} x", "json that cannot be read"),
      ("cpu,host=a usage=1", "line"), ("21.5", "scalar"), ("", "scalar"),
    ])
  func shapes(text: String, expected: String) {
    #expect(shape(text) == expected)
  }

  @Test("Topic and content type are heard, and bytes that are no text are binary")
  func stated() {
    #expect(shape("x", topic: "spBv1.0/g/NDATA/n") == "sparkplug")
    #expect(shape("21", contentType: "application/vnd.influx.line; precision=s") == "line")
    #expect(PayloadShape(of: [0xFF, 0xFE, 0]).description == "binary")
  }

  @Test("Deep nesting and many paths are told by the format alone")
  func bounds() {
    let deep = String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000)
    #expect(shape(deep) == "json that cannot be read")
    let members = (0...PayloadShape.pathsMax).map { "\"m\($0)\": 1" }.joined(separator: ",")
    #expect(shape("{\(members)}") == "json that cannot be read")
  }

  @Test("Any bytes have a shape, and the same one each time")
  func anyBytes() {
    let seed: UInt64 = 5
    var generator = SeededGenerator(seed: seed)
    let alphabet = Array("{}[]\":,0-1.etrufalsn \\\u{e9}".utf8) + [0, 0xFF]
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...40, using: &generator)
      let bytes = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      #expect(PayloadShape(of: bytes) == PayloadShape(of: bytes), "seed \(seed): \(bytes)")
    }
  }
}
