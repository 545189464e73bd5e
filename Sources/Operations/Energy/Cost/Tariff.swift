import Telemetry

/// What energy costs: by time of use, by the highest quarter of a month, and for being connected.
public struct Tariff: Hashable, Sendable {
  /// Hours with a price of their own; local time.
  public struct Period: Hashable, Sendable {
    public var name: String
    public var days: [Weekday]
    public var from: TimeOfDay
    /// At or before `from`: the period ends on the next day, and `days` are those on which it begins.
    public var to: TimeOfDay
    public var pricePerKilowattHour: Double

    public init(
      name: String, days: [Weekday] = Weekday.allCases, from: TimeOfDay, to: TimeOfDay,
      pricePerKilowattHour: Double
    ) {
      self.name = name
      self.days = days
      self.from = from
      self.to = to
      self.pricePerKilowattHour = pricePerKilowattHour
    }

    func contains(_ time: LocalTime) -> Bool {
      if from < to {
        return days.contains(time.date.weekday) && time.second >= from.second
          && time.second < to.second
      }
      if time.second >= from.second { return days.contains(time.date.weekday) }
      return time.second < to.second && days.contains(time.date.adding(days: -1).weekday)
    }
  }

  /// ISO 4217: `EUR`.
  public var currency: String
  /// IANA name; the rules for it are passed in where costs are computed.
  public var timeZone: String
  /// At all times that no period names.
  public var pricePerKilowattHour: Double
  /// The first that holds counts.
  public var periods: [Period]
  /// For the highest quarter of each calendar month.
  public var demandChargePerKilowatt: Double
  /// For each calendar month, in proportion to its days.
  public var fixedPerMonth: Double

  public init(
    currency: String, timeZone: String = "UTC", pricePerKilowattHour: Double,
    periods: [Period] = [], demandChargePerKilowatt: Double = 0, fixedPerMonth: Double = 0
  ) {
    self.currency = currency
    self.timeZone = timeZone
    self.pricePerKilowattHour = pricePerKilowattHour
    self.periods = periods
    self.demandChargePerKilowatt = demandChargePerKilowatt
    self.fixedPerMonth = fixedPerMonth
  }

  static let otherPeriod = "other"

  /// Position in `periods`; their count for what none names.
  func period(at time: LocalTime) -> Int {
    periods.firstIndex { $0.contains(time) } ?? periods.count
  }
}

/// Mass of CO₂ for each kWh, with where the number comes from.
public struct EmissionFactor: Hashable, Sendable {
  public var kilogramsPerKilowattHour: Double
  public var source: String

  public init(kilogramsPerKilowattHour: Double, source: String = "") {
    self.kilogramsPerKilowattHour = kilogramsPerKilowattHour
    self.source = source
  }
}
