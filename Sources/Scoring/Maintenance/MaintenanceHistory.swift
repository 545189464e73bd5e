import Statistics
import Telemetry

/// Something done to a machine, or that befell it.
public struct MaintenanceEvent: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    case failure
    case repair
    case replacement
    case inspection
    /// A planned replacement or overhaul: it ends a life without a failure.
    case preventive
  }

  public var kind: Kind
  public var time: Timestamp
  /// The usage counter at that time, in the usage unit.
  public var usage: Double
  /// Age starts anew. Replacements and preventive work usually do, repairs usually do not.
  public var resetsLife: Bool

  public init(kind: Kind, time: Timestamp, usage: Double, resetsLife: Bool? = nil) {
    self.kind = kind
    self.time = time
    self.usage = usage
    self.resetsLife = resetsLife ?? (kind == .replacement || kind == .preventive)
  }
}

/// The lives of one machine, read from what was done to it.
///
/// A failure ends an observed life. A preventive replacement censors: it is never a failure label.
/// After a failure the next life begins at the next event that resets life, or, when repair does not
/// reset it, the machine goes on with its age and counts as censored until it fails again.
public struct MaintenanceHistory: Sendable, Equatable {
  public private(set) var lives: [Life] = []
  public private(set) var failures = 0
  /// Age now, in the usage unit: usage since life last began.
  public private(set) var age = 0.0

  /// - Parameters:
  ///   - events: in any order; equal times keep their order.
  ///   - birth: usage when the machine was first seen or installed.
  ///   - now: the usage counter now.
  public init(events: [MaintenanceEvent], birth: Double, now: Double) {
    var begin = birth
    // After a failure nothing is at risk until something was replaced.
    var isDown = false
    let ordered = events.indices.sorted { (events[$0].time, $0) < (events[$1].time, $1) }
    for index in ordered {
      let event = events[index]
      if event.kind == .failure, !isDown {
        failures += 1
        append(from: begin, to: event.usage, isFailure: true)
        isDown = true
      } else if event.resetsLife, !isDown {
        append(from: begin, to: event.usage, isFailure: false)
      }
      if event.resetsLife {
        begin = event.usage
        isDown = false
      } else if event.kind == .repair {
        isDown = false
      }
    }
    age = max(0, now - begin)
    if !isDown { append(from: begin, to: now, isFailure: false) }
  }

  private mutating func append(from begin: Double, to end: Double, isFailure: Bool) {
    if end > begin { lives.append(Life(duration: end - begin, isFailure: isFailure)) }
  }
}
