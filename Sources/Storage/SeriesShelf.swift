import Telemetry

/// The open end of every series: where a sample goes right after its record is on disk.
///
/// A deterministic reducer: what it holds after a record depends on the records alone, so a replay
/// rebuilds it. Owned by the ingest thread.
struct SeriesShelf {
  private(set) var series: [OpenSeries] = []
  private(set) var late: [UInt32: LateSamples] = [:]
  /// Series whose open chunk reached `chunkSamplesMax`.
  private(set) var full: [UInt32] = []
  /// Values that stand in for series that have no sample of their own yet; not stored.
  private var retained: [UInt32: StoredSample] = [:]
  let chunkSamplesMax: Int

  /// The last open chunk that was decoded to judge a late sample, while it stays as it was.
  private var decoded = ChunkColumns()
  private var decodedSeries: UInt32?
  private var decodedCount = 0

  init(chunkSamplesMax: Int) { self.chunkSamplesMax = chunkSamplesMax }

  mutating func define(_ definition: SeriesDefinition) {
    let index = Int(definition.index)
    while series.count <= index {
      series.append(OpenSeries(type: definition.type, countMax: chunkSamplesMax))
    }
    if series[index].type != definition.type {
      precondition(!isOpen(definition.index), "the type of a series is fixed when it is first seen")
      series[index] = OpenSeries(type: definition.type, countMax: chunkSamplesMax)
    }
    series[index].kind = definition.kind
  }

  /// Puts back what SQLite knows of a series: through where it is sealed, and its last sample.
  mutating func restore(series index: UInt32, sealedSequence: UInt64, last: StoredSample) {
    guard Int(index) < series.count else { return }
    guard sealedSequence > 0 else {
      // From a database that replaces a damaged one: what was stored comes back by replay and rescue.
      retained[index] = last
      return
    }
    series[Int(index)].sealedSequence = sealedSequence
    series[Int(index)].lastTime = last.time.microseconds
    series[Int(index)].lastBits = last.bits
    series[Int(index)].lastQuality = last.quality.rawValue
    series[Int(index)].hasLast = true
  }

  /// Applies one sample of record `sequence`. Cost: tens of ns in order; a late one may decode the
  /// open chunk of its series.
  mutating func apply(_ sample: Sample, sequence: UInt64) -> Verdict {
    let index = Int(sample.series)
    precondition(index < series.count, "a sample's series is defined before it")
    switch series[index].take(sample, sequence: sequence) {
    case .known: return .known
    case .stored: return .stored
    case .storedFull(let isNew):
      if isNew { full.append(sample.series) }
      return .stored
    case .needsMore(let time):
      if sample.isCurrentOnly { return fillCurrent(sample, index: index) }
      return applyLate(
        sample, time: Timestamp(microseconds: time), index: index, sequence: sequence)
    }
  }

  private mutating func fillCurrent(_ sample: Sample, index: Int) -> Verdict {
    if !series[index].hasLast {
      retained[sample.series] = StoredSample(
        time: sample.time, bits: sample.bits, quality: sample.quality)
    }
    return .currentOnly
  }

  /// A retained value that stands in for a series is no sample: it only changes its quality.
  mutating func endStandIn(_ index: UInt32, quality: Quality) { retained[index]?.quality = quality }

  private mutating func applyLate(
    _ sample: Sample, time: Timestamp, index: Int, sequence: UInt64
  ) -> Verdict {
    var known = late[sample.series]?.sample(at: time)
    if known == nil { known = openSample(series: index, at: time.microseconds) }
    if series[index].kind == .event {
      var free = time
      while late[sample.series]?.sample(at: free) != nil
        || openSample(series: index, at: free.microseconds) != nil
      {
        free = free.advanced(byMicroseconds: 1)
      }
      putLate(sample, time: free, sequence: sequence, quality: sample.quality)
      return .late
    }
    guard let known else {
      putLate(sample, time: time, sequence: sequence, quality: sample.quality)
      return .late
    }
    if known.bits == sample.bits { return .duplicate }
    let quality = sample.quality.union(.correction)
    putLate(sample, time: time, sequence: sequence, quality: quality)
    if time.microseconds == series[index].lastTime {
      series[index].lastBits = sample.bits
      series[index].lastQuality = quality.rawValue
    }
    return .correction
  }

  private mutating func putLate(
    _ sample: Sample, time: Timestamp, sequence: UInt64, quality: Quality
  ) {
    late[sample.series, default: LateSamples()].put(
      StoredSample(time: time, bits: sample.bits, quality: quality), sequence: sequence)
  }

  /// The sample with exactly this time in the open chunk or, after sealing, the last one known.
  private mutating func openSample(series index: Int, at time: Int64) -> StoredSample? {
    if time == series[index].lastTime, series[index].hasLast {
      return StoredSample(
        time: Timestamp(microseconds: time), bits: series[index].lastBits,
        quality: Quality(rawValue: series[index].lastQuality))
    }
    guard series[index].chunk.count > 0, time >= series[index].chunk.firstTime else { return nil }
    if decodedSeries != UInt32(index) || decodedCount != series[index].chunk.count {
      series[index].chunk.decode(into: &decoded)
      decodedSeries = UInt32(index)
      decodedCount = series[index].chunk.count
    }
    var low = 0
    var high = decoded.count
    while low < high {
      let middle = (low + high) / 2
      if decoded.times[middle] < time { low = middle + 1 } else { high = middle }
    }
    guard low < decoded.count, decoded.times[low] == time else { return nil }
    return StoredSample(
      time: Timestamp(microseconds: time), bits: decoded.bits[low],
      quality: Quality(rawValue: decoded.qualities[low]))
  }

  /// The newest sample of a series, or the retained value that stands in for it.
  func current(_ index: UInt32) -> StoredSample? {
    let open = series[Int(index)]
    guard open.hasLast else { return retained[index] }
    return StoredSample(
      time: Timestamp(microseconds: open.lastTime), bits: open.lastBits,
      quality: Quality(rawValue: open.lastQuality))
  }

  // MARK: - Sealing

  /// Whether the series holds anything that is not in SQLite.
  func isOpen(_ index: UInt32) -> Bool {
    series[Int(index)].chunk.count > 0 || late[index] != nil
  }

  /// The open chunk's columns, for sealing or reading.
  func decodeOpen(_ index: UInt32, into columns: inout ChunkColumns) {
    columns.removeAll()
    if series[Int(index)].chunk.count > 0 { series[Int(index)].chunk.decode(into: &columns) }
  }

  /// What was sealed through `sequence` is no longer open.
  mutating func markSealed(_ index: UInt32, through sequence: UInt64) {
    series[Int(index)].chunk.removeAll()
    series[Int(index)].sealedSequence = sequence
    series[Int(index)].isListedFull = false
    late.removeValue(forKey: index)
    if decodedSeries == index { decodedSeries = nil }
  }

  /// Everything on the list has been sealed.
  mutating func forgetFull() { full.removeAll(keepingCapacity: true) }

  /// The lowest record that holds a sample which is only in memory; `nil` when there is none.
  var lowestOpenSequence: UInt64? {
    var lowest = UInt64.max
    for open in series where open.chunk.count > 0 { lowest = min(lowest, open.firstSequence) }
    for samples in late.values { lowest = min(lowest, samples.firstSequence) }
    return lowest == .max ? nil : lowest
  }

  var openBytes: Int {
    series.reduce(0) { $0 + $1.chunk.byteCount }
      + late.values.reduce(0) { $0 + $1.samples.count * 24 }
  }
}
