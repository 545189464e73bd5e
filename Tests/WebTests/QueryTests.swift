import Foundation
import Gateway
import HTTPTypes
import NIOCore
import Telemetry
import TestSupport
import Testing

@testable import Web

@Suite("Queries over HTTP")
struct QueryTests {
  static let range = "from=2026-11-21T08:00:00Z&to=2026-11-21T09:00:00Z"

  @Test("Raw samples come as columns, page by page with a cursor")
  func columns() async throws {
    try await Bench.run { bench in
      try await bench.sendTemperatures(5)
      let path = "/api/v1/query?series=press1/temperature&\(Self.range)&limit=3"
      let first = try await bench.get(path)
      #expect(
        first.text == """
          {"series":[{"device":"press1","metric":"temperature","unit":"Cel","type":"number",\
          "columns":{"time":["2026-11-21T08:00:00Z","2026-11-21T08:00:01Z","2026-11-21T08:00:02Z"],\
          "value":[20,20.5,21],"quality":["good","good","good"]}}],"next_cursor":"0.1795248003000000"}
          """)
      let cursor = try #require(first.json["next_cursor"]?.text)
      let second = try await bench.get(path + "&cursor=\(cursor)&epoch=ms")
      let columns = second.json["series"]?.elements?.first?["columns"]
      #expect(columns?["time"]?.encoded == "[1795248003000,1795248004000]")
      #expect(columns?["value"]?.encoded == "[21.5,22]")
      #expect(second.json["next_cursor"]?.isNull == true)
    }
  }

  @Test("All pages together are what was sent, across pages of the stream")
  func manyPages() async throws {
    try await Bench.run { bench in
      for part in 0..<2 {
        let lines = (0..<20_000).map { index in
          "x,device=press1 temperature=\(Double(part * 20_000 + index) / 100) "
            + "\(1_795_248_000_000 + part * 20_000 + index)"
        }
        let answer = try await bench.ask(
          .post, "/api/v2/write?precision=ms", bytes: Array(lines.joined(separator: "\n").utf8))
        #expect(answer.status == 204)
      }
      let answer = try await bench.get(
        "/api/v1/query?series=press1/x.temperature&\(Self.range)&limit=100000&epoch=ms")
      let series = answer.json["series"]?.elements ?? []
      let times = series.flatMap { $0["columns"]?["time"]?.elements ?? [] }.map { $0.integer ?? 0 }
      #expect(times == (0..<40_000).map { 1_795_248_000_000 + $0 })
    }
  }

  @Test("Steps say what was asked for")
  func steps() async throws {
    try await Bench.run { bench in
      try await bench.sendTemperatures(120)
      let answer = try await bench.get(
        "/api/v1/query?match=press*/temp*&from=2026-11-21T08:00:00Z&to=2026-11-21T08:02:00Z"
          + "&step=1m&agg=count,min,max,mean,first,last")
      let columns = answer.json["series"]?.elements?.first?["columns"]
      #expect(columns?["time"]?.encoded == #"["2026-11-21T08:00:00Z","2026-11-21T08:01:00Z"]"#)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(columns?["count"]?.encoded == "[60,60]")
      #expect(columns?["min"]?.encoded == "[20,50]")
      #expect(columns?["mean"]?.encoded == "[34.75,64.75]")
      #expect(columns?["last"]?.encoded == "[49.5,79.5]")
    }
  }

  @Test("States say how many seconds each value held")
  func states() async throws {
    try await Bench.run { bench in
      let lines = """
        x,device=press1 state="run" 1795248000
        x,device=press1 state="stop" 1795248045
        x,device=press1 state="run" 1795248050
        """
      _ = try await bench.ask(.post, "/api/v2/write?precision=s", bytes: Array(lines.utf8))
      let answer = try await bench.get(
        "/api/v1/query?series=press1/x.state&from=1795248000&to=1795248060&step=1m&agg=states")
      let states = answer.json["series"]?.elements?.first?["columns"]?["states"]
      #expect(states?.encoded == #"[{"run":55.0,"stop":5.0}]"#)
    }
  }

  @Test("CSV is tidy: one row a sample")
  func csv() async throws {
    try await Bench.run { bench in
      try await bench.sendTemperatures(2)
      let headers: HTTPFields = [.accept: "text/csv"]
      let raw = try await bench.get(
        "/api/v1/query?series=press1/temperature&\(Self.range)", headers: headers)
      #expect(raw.headers[.contentType] == "text/csv; charset=utf-8")
      #expect(
        raw.text == "device,metric,time,value,unit,quality\r\n"
          + "press1,temperature,2026-11-21T08:00:00Z,20,Cel,good\r\n"
          + "press1,temperature,2026-11-21T08:00:01Z,20.5,Cel,good\r\n")
      let steps = try await bench.get(
        "/api/v1/query?series=press1/temperature&from=1795248000&to=1795248002&step=1h&agg=count,max",
        headers: headers)
      #expect(
        steps.text == "device,metric,time,unit,count,max\r\n"
          + "press1,temperature,2026-11-21T08:00:00Z,Cel,2,20.5\r\n")
    }
  }

  @Test("What cannot be asked is refused with a hint")
  func refusals() async throws {
    try await Bench.run { bench in
      try await bench.sendTemperatures(1)
      let misspelt = try await bench.get("/api/v1/query?series=press1/temprature")
      #expect(misspelt.status == 404)
      #expect(misspelt.json["detail"]?.text?.contains("`press1/temperature`") == true)
      let base = "/api/v1/query?series=press1/temperature"
      for (query, hint) in [
        ("&from=tomorrow", "moment"), ("&step=1y", "span"), ("&step=1m&agg=maen", "`mean`"),
        ("&agg=mean", "step"), ("&from=now&to=-1h", "before"), ("&cursor=x", "cursor"),
        ("&from=0&to=now&step=1s", "steps"), ("&limit=0", "whole number"),
      ] {
        let answer = try await bench.get(base + query)
        #expect(answer.status == 400, "\(query)")
        #expect(answer.json["detail"]?.text?.contains(hint) == true, "\(query): \(answer.text)")
      }
      #expect(try await bench.get("/api/v1/query").status == 400)
    }
  }

  @Test("Moments are read in all their forms")
  func moments() {
    let now = Timestamp(microseconds: 1_795_248_000_000_000)
    let expected: [(String, Int64)] = [
      ("now", 0), ("-15m", -900), ("now-1h", -3_600), ("now+30s", 30), ("1795248000", 0),
      ("1795248000000", 0), ("2026-11-21T09:00:00+01:00", 0), ("2026-11-21T09:00:00 01:00", 0),
      ("2026-11-21", -28_800),
    ]
    for (text, seconds) in expected {
      let moment = TimeArgument.moment(text, now: now)
      #expect(moment == now.advanced(byMicroseconds: seconds * 1_000_000), "\(text)")
    }
    for text in ["", "soon", "-", "now-", "15m", "2026-13-01", "nan"] {
      #expect(TimeArgument.moment(text, now: now) == nil, "\(text)")
    }
  }

  @Test("Numbers are written shortest and read back the same, seeded")
  func numbers() throws {
    var generator = SeededGenerator(seed: 42)
    var numbers: [Double] = [
      0, -0.0, 0.1, 21.53, -0.000123, 1e-7, 123456789.123456, 1e300, .leastNonzeroMagnitude, .nan,
    ]
    for _ in 0..<20_000 {
      numbers.append(Double(Int64.random(in: -10_000_000...10_000_000, using: &generator)) / 1_000)
      numbers.append(Double(bitPattern: UInt64.random(in: .min ... .max, using: &generator)))
    }
    var buffer = ByteBuffer()
    var columns = TextColumns()
    columns.write(numbers: numbers.map(\.bitPattern)[...], to: &buffer)
    let texts = String(buffer: buffer).split(separator: ",")
    #expect(texts.count == numbers.count)
    for (text, number) in zip(texts, numbers) {
      if number.isFinite {
        #expect(Double(text)?.bitPattern == number.bitPattern, "\(number) seed 42")
        #expect(text.count <= "\(number)".count, "\(number) seed 42")
      } else {
        #expect(text == "null")
      }
    }
    #expect(texts[3] == "21.53")
  }

  @Test("Times of a column are those of the calendar, over days and before 1970, seeded")
  func times() {
    var generator = SeededGenerator(seed: 7)
    var times: [Int64] = [
      0, -1, 86_399_999_999, 86_400_000_000, 951_782_400_000_000, -62_135_596_800_000_000,
    ]
    for _ in 0..<5_000 {
      let last = times[times.count - 1]
      times.append(last &+ Int64.random(in: -40_000...40_000, using: &generator) * 1_000_003)
    }
    var buffer = ByteBuffer()
    var columns = TextColumns()
    columns.write(times: times[...], form: .rfc3339, to: &buffer)
    let expected = times.map { "\"\(Timestamp(microseconds: $0).rfc3339)\"" }.joined(separator: ",")
    #expect((String(buffer: buffer) == expected) == true)
  }

  @Test("SQL reads, and does nothing else")
  func sql() async throws {
    try await Bench.run(settings: {
      $0.rateLimitPerMinute = 1_000_000
      $0.sqlRowsMax = 2
      $0.sqlSecondsMax = 0.2
    }) { bench in
      try await bench.sendTemperatures(3)
      func run(_ sql: String) async throws -> Answer {
        let body = JSONValue.object([("sql", .string(sql))]).encoded
        return try await bench.post("/api/v1/query/sql", body)
      }
      let rows = try await run("SELECT device, value FROM samples ORDER BY time")
      #expect(
        rows.text
          == #"{"columns":["device","value"],"rows":[["press1",20.0],["press1",20.5]],"truncated":true}"#
      )
      for statement in [
        "DELETE FROM event", "DROP TABLE chunk", "PRAGMA journal_mode = DELETE",
        "ATTACH '/etc/passwd' AS x", "SELECT 1; DROP TABLE chunk", "nonsense", "",
        "INSERT INTO meta VALUES ('a', 1)", "SELECT load_extension('x')",
      ] {
        let refused = try await run(statement)
        #expect(refused.status == 422, "\(statement): \(refused.text)")
      }
      let endless = try await run(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n")
      #expect(endless.problem == "sql-time-out")
      let csv = try await bench.post(
        "/api/v1/query/sql", #"{"sql": "SELECT 1 AS a, 'x,\"y' AS b", "format": "csv"}"#)
      #expect(csv.text == "a,b\r\n1,\"x,\"\"y\"\r\n")
    }
  }

  @Test("Series are listed by pattern and page")
  func series() async throws {
    try await Bench.run { bench in
      _ = try await bench.post(
        IngestTests.path,
        #"{"device_id": "press1", "metrics": {"temperature": 1, "pressure": 2, "speed": 3}}"#)
      let all = try await bench.get("/api/v1/series?limit=2")
      #expect(all.json["items"]?.elements?.map { $0["metric"]?.text } == ["pressure", "speed"])
      let cursor = try #require(all.json["next_cursor"]?.text)
      let rest = try await bench.get("/api/v1/series?limit=2&cursor=\(cursor)")
      #expect(rest.json["items"]?.elements?.map { $0["metric"]?.text } == ["temperature"])
      let some = try await bench.get("/api/v1/series?match=press*/*p*e*")
      #expect(some.json["items"]?.elements?.count == 3)
      #expect(try await bench.get("/api/v1/devices/pres1").status == 404)
    }
  }

  @Test("A star stops at a slash, two do not")
  func globs() {
    #expect(Glob("press*/temp*").matches("press1/temperature"))
    #expect(!Glob("press*").matches("press1/temperature"))
    #expect(Glob("**").matches("a/b/c"))
    #expect(Glob("press1/*").matches("press1/Drive/Power"))
    #expect(!Glob("press1/*/Power").matches("press1/Drive/a/Power"))
    #expect(Glob("a/?").matches("a/b"))
    #expect(!Glob("a?b").matches("a/b"))
    #expect(!Glob("").matches("a"))
  }
}
