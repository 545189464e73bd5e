import Synchronization

/// A token bucket per name: a minute's worth may come at once, then it refills evenly.
///
/// Bounded: when there are too many names, full buckets are forgotten first, as a fresh one is full too.
final class TokenBuckets: Sendable {
  struct Verdict {
    var isGranted: Bool
    var remaining: Int
    var secondsUntilFull: Int
    /// Until one more would be granted.
    var retryAfterSeconds: Int
  }

  private struct Bucket {
    var level: Double
    var updated: Int64
  }

  static let namesMax = 10_000

  let perMinute: Int
  private let buckets = Mutex<[String: Bucket]>([:])

  init(perMinute: Int) { self.perMinute = perMinute }

  /// Takes `count` tokens; with 0 it only looks whether at least a part of one is there.
  ///
  /// - Parameter mayOverdraw: takes them in any case, so that the level may become negative.
  func take(
    _ count: Double, of name: String, nowMicroseconds now: Int64, mayOverdraw: Bool = false
  ) -> Verdict {
    let capacity = Double(perMinute)
    let perSecond = capacity / 60
    return buckets.withLock { buckets in
      if buckets[name] == nil, buckets.count >= Self.namesMax {
        forget(&buckets, now: now)
      }
      var bucket = buckets[name] ?? Bucket(level: capacity, updated: now)
      let elapsed = Double(max(0, now - bucket.updated)) / 1e6
      bucket.level = min(capacity, bucket.level + elapsed * perSecond)
      bucket.updated = max(now, bucket.updated)
      let isGranted = mayOverdraw || (count == 0 ? bucket.level > 0 : bucket.level >= count)
      if isGranted { bucket.level -= count }
      buckets[name] = bucket
      let missing = max(0, max(1, count) - bucket.level)
      return Verdict(
        isGranted: isGranted, remaining: max(0, Int(bucket.level)),
        secondsUntilFull: Int(((capacity - bucket.level) / perSecond).rounded(.up)),
        retryAfterSeconds: Int((missing / perSecond).rounded(.up)))
    }
  }

  private func forget(_ buckets: inout [String: Bucket], now: Int64) {
    let minute: Int64 = 60_000_000
    buckets = buckets.filter { now - $0.value.updated < minute }
    guard buckets.count >= Self.namesMax else { return }
    // Everybody is busy: the fuller half goes, they lose least by starting again.
    let median = buckets.values.map(\.level).sorted()[buckets.count / 2]
    buckets = buckets.filter { $0.value.level < median }
  }
}
