import Telemetry

/// A record as the shelf takes it, live, in a replay and offline alike.
extension SeriesShelf {
  /// Applies the samples of a record and what went stale, each at its place.
  ///
  /// - Parameters:
  ///   - seriesOf: the series of a device.
  ///   - note: called with each verdict; `isSample` is false for the repeated values of what went stale.
  mutating func apply(
    _ header: RecordHeader, _ batch: Batch, seriesOf: (UInt32) -> [UInt32],
    note: (_ verdict: Verdict, _ isSample: Bool) -> Void
  ) {
    let isClockDoubtful = header.clockQuality == .steppedBack
    var stale = staleItems(of: batch)[...]
    for (place, var sample) in batch.samples.enumerated() {
      while let next = stale.first, next.before <= place {
        end(stale.removeFirst().stale, sequence: header.sequence, seriesOf: seriesOf, note: note)
      }
      if isClockDoubtful && sample.isReceiveStamped { sample.quality.insert(.ownClockUncertain) }
      note(apply(sample, sequence: header.sequence), true)
    }
    for last in stale {
      end(last.stale, sequence: header.sequence, seriesOf: seriesOf, note: note)
    }
  }

  /// What of a record went stale, each with the position in its samples before which it counts.
  private func staleItems(of batch: Batch) -> [(before: Int, stale: Staleness)] {
    guard batch.items.contains(where: { if case .wentStale = $0 { true } else { false } }) else {
      return []
    }
    var found: [(Int, Staleness)] = []
    for position in batch.deliveries.indices {
      for item in batch.items[batch.itemRange(position)] {
        if case .wentStale(let stale) = item {
          found.append((batch.sampleRange(position).lowerBound, stale))
        }
      }
    }
    return found
  }

  /// Repeats the last value of each series that went stale, with the quality that says so.
  ///
  /// A series without a value of its own, and one that is stale already, gets none. The value is the one in
  /// force at this record, so that a replay repeats the same.
  private mutating func end(
    _ stale: Staleness, sequence: UInt64, seriesOf: (UInt32) -> [UInt32],
    note: (Verdict, Bool) -> Void
  ) {
    let ended = stale.quality.intersection([.stale, .bad])
    for index in stale.series.isEmpty ? seriesOf(stale.device) : stale.series
    where index < series.count {
      endStandIn(index, quality: stale.quality)
      guard series[Int(index)].kind != .event, series[Int(index)].hasLast,
        let last = current(index), last.quality.intersection([.stale, .bad]) != ended
      else { continue }
      let sample = Sample(
        series: index, time: stale.time, bits: last.bits, quality: stale.quality,
        // Never before the value that it ends.
        isReceiveStamped: true)
      note(apply(sample, sequence: sequence), false)
    }
  }
}
