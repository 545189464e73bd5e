/// The four zones of a measured severity, such as vibration velocity in mm/s RMS.
///
/// A: as new; B: fit for long operation; C: for a limited time; D: damage is being done. The limits
/// are configuration: public sources of ISO 10816 conflict, and a machine has its own.
public struct SeverityZones: Sendable, Equatable {
  public enum Zone: String, Sendable, CaseIterable {
    case a = "A"
    case b = "B"
    case c = "C"
    case d = "D"
  }

  /// The first value that is no longer zone A, B and C.
  public let limits: [Double]
  public let unit: String

  /// - Returns: `nil` unless 0 < aToB < bToC < cToD.
  public init?(aToB: Double, bToC: Double, cToD: Double, unit: String) {
    guard 0 < aToB, aToB < bToC, bToC < cToD, cToD.isFinite else { return nil }
    limits = [aToB, bToC, cToD]
    self.unit = unit
  }

  /// Examples to begin with, by the names a profile may use; mm/s RMS.
  ///
  /// ISO 10816-1 classes I and II; ISO 10816-3 groups 1 and 2, rigid and flexible.
  public static func example(_ name: String) -> SeverityZones? {
    let limits: (Double, Double, Double)? =
      switch name {
      case "iso10816-1/I": (0.71, 1.8, 4.5)
      case "iso10816-1/II": (1.12, 2.8, 7.1)
      case "iso10816-3/1/rigid": (2.3, 4.5, 7.1)
      case "iso10816-3/1/flexible": (3.5, 7.1, 11.0)
      case "iso10816-3/2/rigid": (1.4, 2.8, 4.5)
      case "iso10816-3/2/flexible": (2.3, 4.5, 7.1)
      default: nil
      }
    return limits.flatMap { SeverityZones(aToB: $0.0, bToC: $0.1, cToD: $0.2, unit: "mm/s") }
  }

  /// `nil` for a value that is not a number.
  public func zone(of value: Double) -> Zone? {
    guard !value.isNaN else { return nil }
    return Zone.allCases[limits.firstIndex { value < $0 } ?? 3]
  }

  /// Health 1…0: 1 at standstill, 0.75, 0.5 and 0.25 at the limits, straight between them, and 0 as
  /// far above D's limit as that lies above C's.
  public func health(of value: Double) -> Double? {
    guard !value.isNaN else { return nil }
    let ends = [0] + limits + [2 * limits[2] - limits[1]]
    guard value > 0 else { return 1 }
    for zone in 0..<4 where value < ends[zone + 1] {
      return 1 - 0.25 * (Double(zone) + (value - ends[zone]) / (ends[zone + 1] - ends[zone]))
    }
    return 0
  }
}
