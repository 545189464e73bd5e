import Telemetry

/// The bill of a stretch of time, line by line.
public struct EnergyCost: Hashable, Sendable {
  public struct PeriodLine: Hashable, Sendable {
    public var name: String
    public var kilowattHours: Double
    public var pricePerKilowattHour: Double
    public var cost: Double { kilowattHours * pricePerKilowattHour }
  }

  public struct MonthLine: Hashable, Sendable {
    /// `2026-03`.
    public var month: String
    /// `nil` when no quarter of it was measured.
    public var peak: DemandInterval?
    public var demandCost: Double
    public var fixedCost: Double
  }

  public var currency: String
  public var kilowattHours: Double
  /// In the order of the tariff, then what no period names.
  public var periods: [PeriodLine]
  public var months: [MonthLine]
  /// `nil` without a factor.
  public var kilogramsCO2: Double?
  /// Quarters of which less than 80 % was measured: the bill is too low by what is missing in them.
  public var uncoveredCount: Int

  public var energyCost: Double { periods.reduce(0) { $0 + $1.cost } }
  public var demandCost: Double { months.reduce(0) { $0 + $1.demandCost } }
  public var fixedCost: Double { months.reduce(0) { $0 + $1.fixedCost } }
  public var total: Double { energyCost + demandCost + fixedCost }

  /// - Parameters:
  ///   - intervals: quarters in order of time; each is priced by its beginning.
  ///   - zone: rules of the tariff's time zone.
  public init(
    _ intervals: [DemandInterval], tariff: Tariff, emissions: EmissionFactor? = nil,
    zone: any ZoneRules
  ) {
    var energy = [Double](repeating: 0, count: tariff.periods.count + 1)
    var months: [(key: CalendarMonth, peak: DemandInterval?, microseconds: Int64)] = []
    var total = 0.0
    uncoveredCount = 0
    for interval in intervals.sorted(by: { $0.span < $1.span }) {
      let local = zone.local(at: interval.span.from)
      energy[tariff.period(at: local)] += interval.kilowattHours
      total += interval.kilowattHours
      let month = CalendarMonth(local.date)
      if months.last?.key != month { months.append((month, nil, 0)) }
      let last = months.count - 1
      months[last].microseconds += interval.span.microseconds
      guard interval.isCovered else {
        uncoveredCount += 1
        continue
      }
      if months[last].peak.map({ $0.kilowatts < interval.kilowatts }) ?? true {
        months[last].peak = interval
      }
    }
    currency = tariff.currency
    kilowattHours = total
    periods = energy.indices.map { index in
      index < tariff.periods.count
        ? PeriodLine(
          name: tariff.periods[index].name, kilowattHours: energy[index],
          pricePerKilowattHour: tariff.periods[index].pricePerKilowattHour)
        : PeriodLine(
          name: Tariff.otherPeriod, kilowattHours: energy[index],
          pricePerKilowattHour: tariff.pricePerKilowattHour)
    }
    self.months = months.map { month in
      let whole = month.key.microseconds(zone)
      return MonthLine(
        month: month.key.description, peak: month.peak,
        demandCost: max(0, month.peak?.kilowatts ?? 0) * tariff.demandChargePerKilowatt,
        fixedCost: tariff.fixedPerMonth * Double(month.microseconds) / Double(whole))
    }
    kilogramsCO2 = emissions.map { total * $0.kilogramsPerKilowattHour }
  }
}

/// A month of the Gregorian calendar.
struct CalendarMonth: Hashable, CustomStringConvertible {
  var year: Int
  /// 1 to 12.
  var month: Int

  /// From days since 1970, by whole eras of 400 years that begin on 1 March.
  init(_ date: LocalDate) {
    let shifted = date.dayNumber + 719_468
    let era = shifted.flooredQuotient(146_097)
    let day = shifted - era * 146_097
    let yearOfEra = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
    let dayOfYear = day - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  private init(year: Int, month: Int) {
    self.year = year
    self.month = month
  }

  private var next: CalendarMonth {
    month == 12
      ? CalendarMonth(year: year + 1, month: 1) : CalendarMonth(year: year, month: month + 1)
  }

  private func start(_ zone: any ZoneRules) -> Timestamp {
    guard let date = LocalDate("\(description)-01") else { return .epoch }
    return zone.moment(of: LocalTime(date: date, second: 0))
  }

  /// Its length where the clocks follow `zone`.
  func microseconds(_ zone: any ZoneRules) -> Int64 {
    max(1, next.start(zone).microseconds(since: start(zone)))
  }

  var description: String { "\(year)-\(month < 10 ? "0" : "")\(month)" }
}
