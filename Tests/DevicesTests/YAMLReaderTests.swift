import Devices
import Telemetry
import Testing

@Suite struct YAMLReaderTests {
  func root(_ text: String, _ log: DiagnosticLog = DiagnosticLog()) throws -> YAMLMap {
    try #require(
      YAMLReader(log: log).map(in: ConfigurationFile(name: "millwright.yaml", content: text)))
  }

  @Test("Durations and sizes carry their unit")
  func quantities() throws {
    let map = try root(
      "a: 20 ms\nb: 5 min\nc: 7 d\nd: 1.5 h\ne: 500us\nf: 0 s\nx: 64 MiB\ny: 10 kB\nz: 1.5 GiB")
    #expect(map.required("a", .duration) == .milliseconds(20))
    #expect(map.required("b", .duration) == .seconds(300))
    #expect(map.required("c", .duration) == .seconds(7 * 86_400))
    #expect(map.required("d", .duration) == .seconds(5_400))
    #expect(map.required("e", .duration) == .microseconds(500))
    #expect(map.required("f", .duration) == .zero)
    #expect(map.required("x", .byteSize) == 64 << 20)
    #expect(map.required("y", .byteSize) == 10_000)
    #expect(map.required("z", .byteSize) == 3 << 29)
  }

  @Test(
    "Quantities that cannot be are refused",
    arguments: [
      "-1 s", "1", "s", "1e400 s", "0x10 s", "nan s", "1 fortnight", "[1 s]", "99999999999 d",
    ])
  func badDurations(text: String) throws {
    let log = DiagnosticLog()
    #expect(try root("a: \(text)", log).optional("a", .duration) == nil)
    #expect(log.diagnostics.count == 1)
  }

  @Test("Text stays as written, numbers and booleans must be unquoted")
  func scalars() throws {
    let log = DiagnosticLog()
    let map = try root("a: on\nb: 007\nc: '5'\nd: 1e3\ne: True\nf: 0x10\ng: ~", log)
    #expect(map.required("a", .string) == "on")
    #expect(map.required("b", .string) == "007")
    #expect(map.required("d", .double) == 1_000)
    #expect(map.required("e", .bool) == true)
    #expect(map.optional("g", .string) == nil)
    #expect(log.diagnostics.isEmpty)
    #expect(map.required("c", .int) == nil)
    #expect(map.required("f", .int) == nil)
    #expect(map.required("g", .int) == nil)
    #expect(
      log.diagnostics.map(\.description) == [
        "millwright.yaml:3:4: error: `c` must be a whole number, found `5`",
        "millwright.yaml:6:4: error: `f` must be a whole number, found `0x10`",
        "millwright.yaml:1:1: error: `g` is missing",
      ])
  }

  @Test("Columns count characters before the place, also beyond ASCII")
  func columns() throws {
    let log = DiagnosticLog()
    _ = try root("größe: {ä: x}", log).required("größe", .map)?.required("ä", .int)
    #expect(
      log.diagnostics.map(\.description) == [
        "millwright.yaml:1:12: error: `größe.ä` must be a whole number, found `x`"
      ])
  }

  @Test("Anchors are followed")
  func anchors() throws {
    let map = try root("a: &x {n: 1}\nb: *x")
    #expect(map.required("b", .map)?.required("n", .int) == 1)
  }
}
