import Telemetry

/// Mean power over one metering interval, a quarter of an hour by custom.
public struct DemandInterval: Hashable, Sendable {
  public var span: Span
  public var kilowattHours: Double
  /// Share of the interval that was measured.
  public var coverage: Double

  public init(span: Span, kilowattHours: Double, coverage: Double = 1) {
    self.span = span
    self.kilowattHours = kilowattHours
    self.coverage = coverage
  }

  /// 157.18 kWh in a quarter of an hour are 628.72 kW.
  public var kilowatts: Double {
    span.isEmpty ? 0 : kilowattHours * 3.6e9 / Double(span.microseconds)
  }

  /// Enough was measured for the interval to be a peak: 80 %, as for windows of rules.
  public static let coverageMin = 0.8

  public var isCovered: Bool { coverage >= Self.coverageMin }
}

extension EnergyCurve {
  /// Energy of every whole interval of local time within `span`: a day has 96 quarters, 92 when the clocks go
  /// forward and 100 when they go back.
  public func demand(in span: Span, minutes: Int = 15, zone: any ZoneRules) -> [DemandInterval] {
    MeteringGrid(minutes: minutes, zone: zone).intervals(in: span).map { interval in
      let amount = energy(in: interval)
      return DemandInterval(
        span: interval, kilowattHours: amount.kilowattHours, coverage: amount.coverage)
    }
  }
}

/// Cuts time into intervals that begin at local midnight and last the same: quarters of an hour, hours.
public struct MeteringGrid: Sendable {
  public let minutes: Int
  public let zone: any ZoneRules

  /// - Parameter minutes: a divisor of 60.
  public init(minutes: Int = 15, zone: any ZoneRules) {
    precondition(minutes > 0 && 60 % minutes == 0, "metering intervals divide the hour")
    self.minutes = minutes
    self.zone = zone
  }

  /// The intervals that lie wholly within `span`, in order.
  ///
  /// They are of one length in elapsed time. Only the last one of a day is shorter, where clocks change by
  /// something that is no multiple of it.
  public func intervals(in span: Span) -> [Span] {
    var intervals: [Span] = []
    let length = Int64(minutes) * 60_000_000
    var day = zone.local(at: span.from).date
    let lastDay = zone.local(at: span.to).date
    while day <= lastDay {
      let end = zone.moment(of: LocalTime(date: day.adding(days: 1), second: 0))
      var start = zone.moment(of: LocalTime(date: day, second: 0))
      while start < end, start < span.to {
        let next = min(end, start.advanced(byMicroseconds: length))
        if let interval = Span(from: start, to: next), span.contains(interval) {
          intervals.append(interval)
        }
        start = next
      }
      day = day.adding(days: 1)
    }
    return intervals
  }
}
