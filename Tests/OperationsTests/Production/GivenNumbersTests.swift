import Operations
import Telemetry
import Testing

/// The worked examples, to the printed digit.
@Suite struct GivenNumbersTests {
  @Test("Vorne's example: A .8881, P .8611, Q .9780, OEE .7479")
  func vorne() throws {
    let result = try numbers(
      ("planned_production_time", .string("420 min")), ("downtime", .string("47 min")),
      ("ideal_cycle_time", .string("1.0 s")), ("total_count", .integer(19_271)),
      ("good_count", .integer(19_271 - 423))
    ).get()
    #expect(printed(result.kpis.availability.value, 4) == ".8881")
    #expect(printed(result.kpis.performance.value, 4) == ".8611")
    #expect(printed(result.kpis.quality.value, 4) == ".9780")
    #expect(printed(result.kpis.oee.value, 4) == ".7479")
    #expect(result.warnings.isEmpty)
    // The same numbers with a unit said once, the run time and the rejects.
    let other = try numbers(
      ("planned_production_time", .integer(420)), ("run_time", .integer(373)),
      ("unit", .string("min")), ("ideal_cycle_time", .string("3600 parts/h")),
      ("total_count", .integer(19_271)), ("reject_count", .integer(423))
    ).get()
    #expect(other.figures.time == result.figures.time)
    #expect(other.kpis.oee.value == result.kpis.oee.value)
  }

  @Test(
    "420 of 480 min, 400 made, 380 good: .875, .952, .95 and .792, where rounded factors give .791")
  func exact() throws {
    let result = try numbers(
      ("planned_production_time", .integer(28_800)), ("downtime", .integer(3_600)),
      ("ideal_cycle_time", .integer(60)), ("total_count", .integer(400)),
      ("good_count", .integer(380)), ("calendar_time", .string("24 h"))
    ).get()
    #expect(printed(result.kpis.availability.value, 3) == ".875")
    #expect(printed(result.kpis.performance.value, 3) == ".952")
    #expect(result.kpis.quality.value == 0.95)
    #expect(result.kpis.oee.value == 380.0 / 480)
    #expect(printed(result.kpis.oee.value, 3) == ".792")
    #expect(printed(0.875 * 0.952 * 0.95, 3) == ".791")
    #expect(result.kpis["teep"]?.value == 380.0 / 1_440)
    #expect(result.kpis["loading"]?.value == 1.0 / 3)
  }

  private static let right: [(String, JSONValue)] = [
    ("planned_production_time", .integer(28_800)), ("downtime", .integer(3_600)),
    ("ideal_cycle_time", .integer(60)), ("total_count", .integer(400)),
    ("good_count", .integer(380)),
  ]

  private static func refusals(_ changes: (String, JSONValue?)...) -> [[String]] {
    var members = right
    for (name, value) in changes {
      members.removeAll { $0.0 == name }
      if let value { members.append((name, value)) }
    }
    guard case .failure(let refusals) = GivenNumbers.result(of: .object(members)) else { return [] }
    return refusals.list.map(\.fields)
  }

  @Test("Numbers that cannot be are refused, naming the fields")
  func refused() {
    #expect(Self.refusals() == [])
    #expect(Self.refusals(("good_count", .integer(401))) == [["good_count", "total_count"]])
    #expect(
      Self.refusals(("downtime", .integer(28_801))) == [["downtime", "planned_production_time"]])
    #expect(Self.refusals(("downtime", .integer(-1))) == [["downtime"]])
    #expect(
      Self.refusals(("total_count", .integer(-1)), ("good_count", .integer(0))) == [["total_count"]]
    )
    #expect(Self.refusals(("ideal_cycle_time", .integer(0))) == [["ideal_cycle_time"]])
    #expect(Self.refusals(("ideal_cycle_time", .string("fast"))) == [["ideal_cycle_time"]])
    #expect(
      Self.refusals(("planned_production_time", .string("8 hours"))) == [
        ["planned_production_time"]
      ])
    #expect(Self.refusals(("planned_production_time", nil)) == [["planned_production_time"]])
    #expect(Self.refusals(("downtime", nil)) == [["downtime", "run_time"]])
    #expect(Self.refusals(("run_time", .integer(1))) == [["downtime", "run_time"]])
    #expect(Self.refusals(("unit", .string("weeks"))) == [["unit"]])
    #expect(Self.refusals(("total_count", .string("many"))) == [["total_count"]])
    #expect(Self.refusals(("setup_time", .integer(3_601))) == [["setup_time", "downtime"]])
    #expect(
      Self.refusals(("small_stop_time", .integer(25_201))) == [["small_stop_time", "downtime"]])
    #expect(
      Self.refusals(("start_up_reject_count", .integer(21)))
        == [["start_up_reject_count", "good_count"]])
    #expect(
      Self.refusals(("calendar_time", .integer(1))) == [
        ["calendar_time", "planned_production_time"]
      ])
    // All at once, not one after the other.
    #expect(
      Self.refusals(("good_count", .integer(401)), ("downtime", .integer(28_801))).count == 2)
    guard case .failure(let all) = GivenNumbers.result(of: .array([])) else {
      Issue.record("a list was taken for a request")
      return
    }
    #expect(all.list.first?.message == "the request must be an object")
    #expect(Array(all.list.dropFirst()) == Self.missingAll)
  }

  private static let missingAll = [
    FieldRefusal(
      fields: ["planned_production_time"], message: "`planned_production_time` is missing"),
    FieldRefusal(fields: ["downtime", "run_time"], message: "`downtime` or `run_time` is missing"),
    FieldRefusal(fields: ["ideal_cycle_time"], message: "`ideal_cycle_time` is missing"),
    FieldRefusal(fields: ["total_count"], message: "`total_count` is missing"),
    FieldRefusal(
      fields: ["good_count", "reject_count"], message: "`good_count` or `reject_count` is missing"),
  ]

  @Test("A performance above 1 is told as it is, with a warning; nothing is capped")
  func fast() throws {
    let result = try numbers(
      ("planned_production_time", .integer(100)), ("downtime", .integer(0)),
      ("ideal_cycle_time", .integer(2)), ("total_count", .integer(60)), ("good_count", .integer(60))
    ).get()
    #expect(result.kpis.performance.value == 1.2)
    #expect(result.kpis.oee.value == 1.2)
    #expect(result.warnings.map(\.code) == ["ideal_cycle_too_slow"])
    #expect(result.waterfall["reduced_speed"]?.microseconds == -20_000_000)
  }

  @Test("A zero denominator gives null and the reason, never a number")
  func zero() throws {
    let idle = try numbers(
      ("planned_production_time", .integer(100)), ("downtime", .integer(100)),
      ("ideal_cycle_time", .integer(2)), ("total_count", .integer(0)), ("good_count", .integer(0))
    ).get()
    #expect(idle.kpis.availability.value == 0)
    #expect(idle.kpis.performance.value == nil)
    #expect(idle.kpis.performance.missing == "production_time is zero")
    #expect(idle.kpis.quality.missing == "parts is zero")
    #expect(idle.kpis.oee.value == 0)
    let nothing = try numbers(
      ("planned_production_time", .integer(0)), ("downtime", .integer(0)),
      ("ideal_cycle_time", .integer(2)), ("total_count", .integer(0)), ("good_count", .integer(0))
    ).get()
    #expect(nothing.kpis.oee.missing == "planned_busy_time is zero")
    #expect(nothing.json()["oee"] == .null)
    #expect(nothing.json()["kpis"]?["oee"]?["reason"] == .string("planned_busy_time is zero"))
  }

  @Test("A member that is not used draws a warning with the nearest name")
  func unknownMember() throws {
    let result = GivenNumbers.result(of: .object(Self.right + [("setup_tme", .integer(5))]))
    #expect(
      try result.get().warnings.map(\.message) == [
        "`setup_tme` is not used, did you mean `setup_time`?"
      ])
  }

  @Test("The losses lead from calendar time down to fully productive time without a remainder")
  func waterfall() throws {
    let result = try numbers(
      ("planned_production_time", .string("420 min")), ("downtime", .string("47 min")),
      ("setup_time", .string("12 min")), ("small_stop_time", .string("9 min")),
      ("ideal_cycle_time", .string("7000 parts/h")), ("total_count", .integer(19_271)),
      ("good_count", .integer(18_848)), ("start_up_reject_count", .integer(100)),
      ("calendar_time", .string("480 min"))
    ).get()
    let waterfall = result.waterfall
    let levels = LossWaterfall.Level.allCases
    for (upper, lower) in zip(levels, levels.dropFirst()) {
      let lost = waterfall.losses.filter { $0.level == upper }.reduce(0) { $0 + $1.microseconds }
      let top = try #require(waterfall.microseconds(upper))
      #expect(waterfall.microseconds(lower) == top - lost)
    }
    #expect(waterfall["setup_and_adjustment"]?.microseconds == minutes(12))
    #expect(waterfall["breakdowns"]?.microseconds == minutes(35))
    #expect(waterfall["small_stops"]?.microseconds == minutes(9))
    // 100 parts of 3600/7000 s.
    #expect(waterfall["start_up_rejects"]?.microseconds == 51_428_571)
    #expect(waterfall["start_up_rejects"].map { printed($0.parts, 3) } == "100.000")
    let points = waterfall.losses.compactMap(\.points).reduce(0, +)
    let oee = try #require(result.kpis.oee.value)
    #expect((1 - points - oee).magnitude < 1e-9)
  }
}
