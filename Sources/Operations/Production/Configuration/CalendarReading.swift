import Devices
import Telemetry

extension ShiftCalendar {
  /// Reports what is wrong; `nil` without an id.
  init?(reading map: YAMLMap, isKnownTimeZone: (String) -> Bool) {
    let id = map.required("id", .name())
    self.init(id: id ?? "", shifts: [])
    timeZone = map.optional("time_zone", .name()) ?? "UTC"
    if !isKnownTimeZone(timeZone) {
      map.value("time_zone")?.report(
        "unknown time zone `\(timeZone)`: give an IANA name such as `Europe/Vienna`")
    }
    var places: [YAMLValue] = []
    for value in map.optional("shifts", .list(of: .value)) ?? [] {
      guard let pattern = ShiftPattern(reading: value, hasDays: true) else { continue }
      shifts.append(pattern)
      places.append(value)
    }
    refuseOverlaps(shifts, places)
    holidays = map.optional("holidays", .list(of: .date)) ?? []
    plannedStops = (map.optional("planned_stops", .list(of: .map)) ?? []).compactMap {
      PlannedStop(reading: $0)
    }
    for exception in map.optional("exceptions", .list(of: .map)) ?? [] { readException(exception) }
    map.refuseUnknownKeys()
    if id == nil { return nil }
  }

  private mutating func readException(_ map: YAMLMap) {
    let date = map.required("date", .date)
    if let date, exceptions.contains(where: { $0.date == date }) {
      map.value("date")?.report("\(date) is listed twice")
    }
    let values = map.required("shifts", .list(of: .value)) ?? []
    let patterns = values.compactMap { ShiftPattern(reading: $0, hasDays: false) }
    map.refuseUnknownKeys()
    let onOneDay = patterns.map { pattern in
      var pattern = pattern
      pattern.days = [.mon]
      return pattern
    }
    if patterns.count == values.count { refuseOverlaps(onOneDay, values) }
    if let date { exceptions.append(DayException(date: date, shifts: patterns)) }
  }

  /// Lays every shift on a ring of one week.
  private func refuseOverlaps(_ patterns: [ShiftPattern], _ places: [YAMLValue]) {
    let week = 7 * 86_400
    for later in patterns.indices {
      for earlier in 0..<later {
        let meets = patterns[later].days.contains { day in
          patterns[earlier].days.contains { other in
            let a = day.index * 86_400
            let b = other.index * 86_400
            return [-week, 0, week].contains { shift in
              a + patterns[later].window.start + shift < b + patterns[earlier].window.end
                && b + patterns[earlier].window.start < a + patterns[later].window.end + shift
            }
          }
        }
        if meets {
          places[later].report(
            "the shift `\(patterns[later].name)` overlaps with `\(patterns[earlier].name)`")
        }
      }
    }
  }
}

extension Weekday {
  fileprivate var index: Int { Weekday.allCases.firstIndex(of: self) ?? 0 }
}

extension DayWindow {
  /// `from`, `to` and `overnight` of a map.
  fileprivate init?(reading map: YAMLMap) {
    let from = map.required("from", .timeOfDay)
    let to = map.required("to", .timeOfDay)
    let overnight = map.optional("overnight", .bool) ?? false
    guard let from, let to else { return nil }
    guard let window = DayWindow(from: from, to: to, overnight: overnight) else {
      map.value("to")?.report(
        overnight
          ? "`overnight` is said, but `to` \(to) lies more than a day after `from` \(from)"
          : "`to` \(to) is not after `from` \(from): are they swapped? What ends on the next day says"
            + " `overnight: true`")
      return nil
    }
    self = window
  }
}

extension ShiftPattern {
  fileprivate init?(reading value: YAMLValue, hasDays: Bool) {
    guard let map = value.read(.map) else { return nil }
    let name = map.required("name", .name())
    let days = hasDays ? map.required("days", .list(of: YAMLType<Weekday>.choice)) : []
    let window = DayWindow(reading: map)
    let breaks = map.optional("breaks", .list(of: .map)) ?? []
    guard let name, let days, let window else {
      for entry in breaks { _ = DayWindow(reading: entry) }
      map.refuseUnknownKeys()
      return nil
    }
    self.init(name: name, days: days, window: window)
    for entry in breaks {
      guard let pause = DayWindow(reading: entry) else { continue }
      entry.refuseUnknownKeys()
      add(pause, at: entry)
    }
    map.refuseUnknownKeys()
  }

  /// A break before the begin of an overnight shift is one of the next day.
  private mutating func add(_ pause: DayWindow, at map: YAMLMap) {
    let isNextDay = pause.start < window.start && window.end > 86_400
    let placed =
      isNextDay ? DayWindow(start: pause.start + 86_400, end: pause.end + 86_400) : pause
    guard window.start <= placed.start, placed.end <= window.end else {
      map.report("the break does not lie inside the shift `\(name)`")
      return
    }
    if breaks.contains(where: { $0.start < placed.end && placed.start < $0.end }) {
      map.report("the break overlaps with another one of the shift `\(name)`")
    }
    breaks.append(placed)
  }
}

extension PlannedStop {
  fileprivate init?(reading map: YAMLMap) {
    let name = map.required("name", .name())
    let days = map.optional("days", .list(of: YAMLType<Weekday>.choice))
    let date = map.optional("date", .date)
    let window = DayWindow(reading: map)
    map.refuseUnknownKeys()
    if (days == nil) == (date == nil) {
      map.report("a planned stop has either `days`, every week, or one `date`")
      return nil
    }
    guard let name, let window else { return nil }
    if let date {
      self.init(name: name, recurrence: .once(date: date, window: window))
    } else {
      self.init(name: name, recurrence: .weekly(days: days ?? [], window: window))
    }
  }
}
