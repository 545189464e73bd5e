import Devices
import Operations
import Telemetry
import Testing

/// `"2026-11-23T06:00:00Z"` as a moment.
func instant(_ text: String) -> Timestamp {
  guard let moment = Timestamp(rfc3339: text) else { fatalError("not a time: \(text)") }
  return moment
}

func span(_ from: String, _ to: String) -> Span { Span(instant(from)..<instant(to)) }

/// A moment of Monday 2026-11-23, UTC: `at(6, 30)`.
func at(_ hour: Int, _ minute: Int = 0, _ second: Int = 0) -> Timestamp {
  instant("2026-11-23T00:00:00Z")
    .advanced(byMicroseconds: Int64(hour * 3_600 + minute * 60 + second) * 1_000_000)
}

func seconds(_ count: Int) -> Int64 { Int64(count) * 1_000_000 }
func minutes(_ count: Int) -> Int64 { seconds(count * 60) }

extension TransitionTable {
  /// The rule of the European Union since 1996: last Sundays of March and October, 01:00 UTC.
  static let berlin: TransitionTable = {
    var transitions: [Transition] = []
    for year in 2016...2030 {
      for (month, offset) in [(3, 7_200), (10, 3_600)] {
        var day = LocalDate("\(year)-\(month < 10 ? "0" : "")\(month)-31")!  // both months have 31 days
        while day.weekday != .sun { day = day.adding(days: -1) }
        transitions.append(
          Transition(moment: instant("\(day)T01:00:00Z"), offsetSeconds: offset))
      }
    }
    return TransitionTable(initialOffsetSeconds: 3_600, transitions: transitions)
  }()

  /// Brazil's last summer time but one: at midnight, from 4 November 2018 to 17 February 2019.
  static let saoPaulo = TransitionTable(
    initialOffsetSeconds: -7_200,
    transitions: [
      Transition(moment: instant("2018-02-18T02:00:00Z"), offsetSeconds: -10_800),
      Transition(moment: instant("2018-11-04T03:00:00Z"), offsetSeconds: -7_200),
      Transition(moment: instant("2019-02-17T02:00:00Z"), offsetSeconds: -10_800),
    ])
}

/// A day shift from 06:00 to 14:00 UTC on Mondays, with a break from 10:00 to 10:30.
let dayCalendar = ShiftCalendar(
  id: "day",
  shifts: [
    ShiftPattern(
      name: "early", days: [.mon],
      window: DayWindow(from: TimeOfDay("06:00")!, to: TimeOfDay("14:00")!)!,  // written above
      breaks: [DayWindow(from: TimeOfDay("10:00")!, to: TimeOfDay("10:30")!)!])
  ])

let early = Span(at(6)..<at(14))

/// A machine of 1 min a part whose record is told as a list of changes.
struct Bench {
  var machine = MachineDefinition(
    id: "m1", device: "m1", calendar: "day",
    stateSeries: SeriesKey(device: "m1", metric: "state"),
    idealCycle: IdealCycle("1 min"), telemetryTimeoutMicroseconds: .max)
  var record = MachineRecord()
  var schedule = dayCalendar.schedule(over: early, zone: TransitionTable.utc)
  var products: [Product] = []
  var reasons = StopReasons([
    StopReason(code: "breakdown"), StopReason(code: "jam"),
    StopReason(code: "no_material", loss: .waiting), StopReason(code: "trial", loss: .planned),
    StopReason(code: "service", loss: .preventiveMaintenance),
    StopReason(code: "changeover", loss: .setup),
  ])
  var until = Timestamp.distantFuture

  init(_ changes: [(Timestamp, MachineState)] = []) {
    record.states = changes.map { StateSample(time: $0.0, state: $0.1) }
  }

  var ledger: MachineLedger {
    MachineLedger(
      machine: machine, record: record, schedule: schedule, products: products, reasons: reasons,
      until: until)
  }

  /// Counters that stand at zero at 06:00 and at these heights at the times given.
  mutating func count(_ heights: [(Timestamp, total: Double, good: Double)]) {
    record.total = [CounterSample(time: at(6), value: 0)]
    record.good = record.total
    for height in heights {
      record.total.append(CounterSample(time: height.0, value: height.total))
      record.good.append(CounterSample(time: height.0, value: height.good))
    }
  }
}

/// Rounded as a person prints it.
func printed(_ value: Double?, _ digits: Int) -> String {
  guard let value else { return "null" }
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let text = String(Int((value * scale).rounded()))
  let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
  let whole = padded.dropLast(digits)
  return (whole == "0" ? "" : whole) + "." + padded.suffix(digits)
}

func numbers(_ members: (String, JSONValue)...) -> Result<OEEResult, FieldRefusals> {
  GivenNumbers.result(of: .object(members))
}
