import Telemetry

/// How a service that comes round stands.
public struct ServiceStatus: Sendable, Equatable {
  public var service: MaintainedMachine.Service
  /// Since it was last done, or since the gateway first saw the machine; in the interval's unit.
  public var used: Double
  public var interval: Double
  /// `h`, `d` or the usage unit.
  public var unit: String
  /// When it falls due at the present rate, or fell due; `nil`: no rate is known.
  public var due: Timestamp?
  /// `nil`: nobody has told of it yet; it counts from the installation, or from when the gateway first saw the machine.
  public var lastDone: Timestamp?

  /// From 0, just done, past 1, overdue.
  public var share: Double { used / interval }
  public var isDue: Bool { used >= interval }
  /// Within the last tenth of its interval.
  public var isSoon: Bool { !isDue && share >= 0.9 }
}

extension MachineCondition {
  /// The services as they stand at `now`, in the order of the configuration.
  public func services(of machine: MaintainedMachine, at now: Timestamp) -> [ServiceStatus] {
    machine.services.enumerated().map { place, service in
      let last = place < serviced.count ? serviced[place] : nil
      let begin =
        last
        ?? UsageLog.Mark(
          time: usage.firstSeen ?? now, usage: log.marks.first?.usage ?? usage.total,
          runningHours: 0)
      switch service.interval {
      case .days(let days):
        let from = last?.time ?? machine.installed ?? begin.time
        return ServiceStatus(
          service: service, used: Double(now.microseconds(since: from)) / 8.64e10, interval: days,
          unit: "d", due: from.advanced(byHours: days * 24), lastDone: last?.time)
      case .runningHours(let hours):
        let used = usage.runningHours - begin.runningHours
        return ServiceStatus(
          service: service, used: used, interval: hours, unit: "h",
          due: due(hours - used, perHour: runningShare, at: now), lastDone: last?.time)
      case .usage(let amount):
        let used = usage.total - begin.usage
        return ServiceStatus(
          service: service, used: used, interval: amount, unit: machine.usage.unit,
          due: due(amount - used, perHour: perHour(machine), at: now), lastDone: last?.time)
      }
    }
  }

  /// Usage per calendar hour: measured, else as declared.
  public func perHour(_ machine: MaintainedMachine) -> Double? {
    usage.perHour ?? machine.usage.perDay.map { $0 / 24 }
  }

  /// Running hours per calendar hour since the machine was first seen.
  private var runningShare: Double? {
    guard let first = usage.firstSeen, let last = usage.lastSeen else { return nil }
    let hours = Double(last.microseconds(since: first)) / 3.6e9
    return hours >= UsageMeter.dutyHoursMin ? usage.runningHours / hours : nil
  }

  private func due(_ left: Double, perHour rate: Double?, at now: Timestamp) -> Timestamp? {
    if left <= 0 { return now }
    guard let rate, rate > 0 else { return nil }
    return now.advanced(byHours: left / rate)
  }
}

extension Timestamp {
  /// At most a thousand years, either way: beyond that nobody plans.
  func advanced(byHours hours: Double) -> Timestamp {
    advanced(byMicroseconds: Int64(max(-8.76e6, min(8.76e6, hours)) * 3.6e9))
  }
}
