import Glibc

/// A moment in UTC, counted in whole microseconds since 1970-01-01T00:00:00Z (leap seconds ignored).
///
/// The range is about ±292,000 years; every store, journal and payload in the gateway uses it.
/// Finer source times (nanoseconds) are rounded down to the microsecond.
public struct Timestamp: Hashable, Comparable, Sendable {
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  public static let epoch = Timestamp(microseconds: 0)

  /// What the wall clock says: for jobs and tools; ingest has a clock of its own.
  public static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
  }

  public static let distantPast = Timestamp(microseconds: .min)
  public static let distantFuture = Timestamp(microseconds: .max)

  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

  /// Microseconds from `earlier` to this moment; saturates instead of overflowing.
  public func microseconds(since earlier: Timestamp) -> Int64 {
    let (difference, overflow) = microseconds.subtractingReportingOverflow(earlier.microseconds)
    return overflow ? (microseconds > earlier.microseconds ? .max : .min) : difference
  }

  /// The moment `microseconds` later; saturates instead of overflowing.
  public func advanced(byMicroseconds delta: Int64) -> Timestamp {
    let (sum, overflow) = microseconds.addingReportingOverflow(delta)
    return Timestamp(microseconds: overflow ? (delta > 0 ? .max : .min) : sum)
  }
}

extension Timestamp {
  /// Reads an epoch number whose scale is told by its magnitude: below 10¹¹ seconds, below 10¹⁴
  /// milliseconds, below 10¹⁷ microseconds, else nanoseconds.
  ///
  /// So 1700000000, 1700000000000, 1700000000000000 and 1700000000000000000 are one moment.
  /// - Returns: `nil` for NaN, infinities and numbers outside Int64 microseconds.
  public init?(epoch number: Double) {
    let magnitude = number.magnitude
    let scaled: Double
    if magnitude < 1e11 {
      scaled = (number * 1e6).rounded()
    } else if magnitude < 1e14 {
      scaled = (number * 1e3).rounded()
    } else if magnitude < 1e17 {
      scaled = number.rounded()
    } else {
      scaled = (number / 1e3).rounded(.down)
    }
    guard scaled.magnitude < 9.2e18 else { return nil }
    self.microseconds = Int64(scaled)
  }

  /// Reads a whole epoch number whose scale is told by its magnitude, without losing a digit.
  public init?(epoch number: Int64) {
    let magnitude = number.magnitude
    if magnitude < 100_000_000_000 {
      self.microseconds = number * 1_000_000
    } else if magnitude < 100_000_000_000_000 {
      self.microseconds = number * 1_000
    } else if magnitude < 100_000_000_000_000_000 {
      self.microseconds = number
    } else {
      self.microseconds = number.flooredQuotient(1_000)
    }
  }
}

extension FixedWidthInteger where Self: SignedInteger {
  /// The quotient rounded towards minus infinity, so that steps of time before 1970 align as well.
  @inlinable public func flooredQuotient(_ divisor: Self) -> Self {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder != 0 && (remainder < 0) != (divisor < 0) ? quotient - 1 : quotient
  }
}

extension Duration {
  /// Whole microseconds; saturates.
  public var microseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .max : whole &+ attoseconds / 1_000_000_000_000
  }
}
