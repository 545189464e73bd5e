import Telemetry
import Testing

@testable import millwright

@Suite("Maintenance events from files")
struct MaintenanceFileTests {
  @Test("A CSV is read with quotes, semicolons and empty cells; what is wrong has its line")
  func csv() {
    let text = #"""
      event_id,device_id,kind,start,cause,cost,resets_life
      a,press1,repair,2026-11-01T00:00:00Z,"worn, ""noisy""",12.5,
      b,press1,mend,2026-11-01T00:00:00Z,,,

      c,press1,replacement,1795248000,,,TRUE
      d,press1,repair
      """#
    let file = MaintenanceFile(text, isCSV: true)
    #expect(file.events.map(\.line) == [2, 5])
    #expect(file.problems.map(\.line) == [3, 6])
    #expect(file.events.first?.json["cause"]?.text == "worn, \"noisy\"")
    #expect(file.events.last?.json["resets_life"] == .bool(true))
    let semicolons = MaintenanceFile(
      "device_id;kind;start\npress1;failure;2026-11-01T00:00:00Z\n", isCSV: true)
    #expect(semicolons.events.count == 1 && semicolons.problems.isEmpty)
    #expect(MaintenanceFile("", isCSV: true).problems.count == 1)
  }

  @Test("JSON is read as an array and as lines; a line that is none is named")
  func json() {
    let one = #"{"device_id": "press1", "kind": "repair", "start": 1795248000}"#
    #expect(MaintenanceFile("[\(one), \(one)]", isCSV: false).events.count == 2)
    let lines = MaintenanceFile("\(one)\n\nnope\n{\"kind\": \"repair\"}\n", isCSV: false)
    #expect(lines.events.map(\.line) == [1])
    #expect(lines.problems.map(\.line) == [3, 4])
  }
}
