/// When the state is published: every half minute, when something notable changed, when somebody asks.
struct StateSchedule: Sendable {
  static let periodMicroseconds: Int64 = 30_000_000

  private var publishedAt: Int64?
  private var published: GatewayState.Notable?

  /// - Parameters:
  ///   - now: by a monotonic clock, in microseconds.
  ///   - isAsked: a connection was made, or a listener has started anew.
  /// - Returns: whether to publish now.
  mutating func look(
    now: Int64, notable: GatewayState.Notable, isConnected: Bool, isAsked: Bool
  ) -> Bool {
    guard isConnected else { return false }
    let isDue = publishedAt.map { now - $0 >= Self.periodMicroseconds } ?? true
    guard isDue || isAsked || notable != published else { return false }
    publishedAt = now
    published = notable
    return true
  }
}

/// Samples per minute over spans of at least twenty seconds, so that a look out of turn says nothing wild.
struct SampleRate: Sendable {
  static let spanMicroseconds: Int64 = 20_000_000

  private var base: (total: UInt64, at: Int64)?
  private var perMinute: Double?

  /// - Returns: `nil` until the first span is over.
  mutating func observe(total: UInt64, now: Int64) -> Double? {
    guard let base else {
      self.base = (total, now)
      return nil
    }
    let span = now - base.at
    guard span >= Self.spanMicroseconds else { return perMinute }
    perMinute = Double(total &- base.total) * 60e6 / Double(span)
    self.base = (total, now)
    return perMinute
  }
}
