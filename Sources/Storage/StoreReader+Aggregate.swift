import Foundation
import GRDB
import Telemetry

extension StoreReader {
  /// Aggregates of one series by step, oldest first; see `StepAggregator` for what the buckets hold.
  ///
  /// A chunk that lies alone in one step is answered from its header; the others are decoded, at most one
  /// overlapping group at a time.
  /// - Parameters:
  ///   - range: half-open; steps are aligned to `origin`.
  ///   - now: values hold no longer than this.
  ///   - emit: called once per bucket.
  public func aggregate(
    _ series: SeriesDefinition, range: Range<Timestamp>, stepMicroseconds: Int64,
    originMicroseconds: Int64 = 0, tracksStates: Bool = false, now: Timestamp,
    emit: (AggregateBucket) -> Void
  ) throws {
    let low = range.lowerBound.microseconds
    let high = range.upperBound.microseconds
    guard low < high else { return }
    var aggregator = StepAggregator(
      range: low..<high, step: stepMicroseconds, origin: originMicroseconds, type: series.type,
      tracksStates: tracksStates)
    if let before = try sample(
      of: series.index, asOf: range.lowerBound.advanced(byMicroseconds: -1))
    {
      aggregator.precede(bits: before.bits)
    }
    let open = fetchOpenPart(series.index)
    var from = low
    while from < high {
      let border = try database.read { db in
        try addGroups(of: series.index, open: open, from: from, high: high, db, &aggregator, emit)
      }
      from = border
    }
    aggregator.finish(now: now.microseconds, emit: emit)
  }

  private func fetchOpenPart(_ series: UInt32) -> OpenPart? { openParts(of: [series]).first }

  /// Adds what lies in `from ..< high`, as far as one look at the headers reaches; returns how far it came.
  private func addGroups(
    of series: UInt32, open: OpenPart?, from: Int64, high: Int64, _ db: Database,
    _ aggregator: inout StepAggregator, _ emit: (AggregateBucket) -> Void
  ) throws -> Int64 {
    let limit = 512
    let headers = try headers(of: series, from: from, through: high - 1, limit: limit, db)
    let sources = openSources(open, from: from, high: high)
    // With a full page of headers only groups before the last header are known to be complete.
    let border = headers.count == limit ? max(from + 1, headers[limit - 1].t0) : high
    let decoder = ChunkDecoder()
    var group: [GroupMember] = []
    var groupEnd = Int64.min
    var members = headers.map { GroupMember(header: $0) } + sources
    members.sort { ($0.t0, $0.order) < ($1.t0, $1.order) }
    for member in members where member.t0 < border {
      if !group.isEmpty, member.t0 > groupEnd {
        try add(group, window: from...border - 1, decoder, db, &aggregator, emit)
        group.removeAll(keepingCapacity: true)
      }
      groupEnd = max(groupEnd, member.t1)
      group.append(member)
    }
    if !group.isEmpty {
      try add(group, window: from...border - 1, decoder, db, &aggregator, emit)
    }
    return border
  }

  /// A sealed chunk or an open part, as something that covers a time.
  private struct GroupMember {
    var t0: Int64
    var t1: Int64
    /// Breaks ties so that the newer counts: sequence of sealed chunks, above them what is open.
    var order: UInt64
    var header: ChunkHeader?
    var columns: ChunkColumns?

    init(header: ChunkHeader) {
      t0 = header.t0
      t1 = header.t1
      order = header.maxSequence
      self.header = header
    }

    init(columns: ChunkColumns, order: UInt64) {
      t0 = columns.times.first ?? 0
      t1 = columns.times.last ?? 0
      self.order = order
      self.columns = columns
    }
  }

  private func openSources(_ open: OpenPart?, from: Int64, high: Int64) -> [GroupMember] {
    guard let open else { return [] }
    let parts = [(open.columns, UInt64.max - 1), (open.late, UInt64.max)]
    return parts.compactMap { columns, order in
      let clipped = columns.clipped(from: from, through: high - 1)
      return clipped.isEmpty ? nil : GroupMember(columns: clipped, order: order)
    }
  }

  private func add(
    _ group: [GroupMember], window: ClosedRange<Int64>, _ decoder: ChunkDecoder, _ db: Database,
    _ aggregator: inout StepAggregator, _ emit: (AggregateBucket) -> Void
  ) throws {
    if group.count == 1, let header = group[0].header,
      window.contains(header.t0), window.contains(header.t1),
      aggregator.takesWhole(t0: header.t0, t1: header.t1),
      let summary = header.summary.withUnsafeBytes({
        ChunkSummary($0, t0: header.t0, t1: header.t1, count: header.count)
      })
    {
      aggregator.add(summary, emit: emit)
      return
    }
    var merged = ChunkColumns()
    for member in group.sorted(by: {
      ($0.order, $0.header?.id ?? .max) < ($1.order, $1.header?.id ?? .max)
    }) {
      if let columns = member.columns {
        merged = ColumnMerge.merge(older: merged, newer: columns)
      } else if let header = member.header,
        let columns = try columns(of: header.id, decoder: decoder, db)
      {
        merged = ColumnMerge.merge(older: merged, newer: columns)
      }
    }
    aggregator.add(
      merged.clipped(from: window.lowerBound, through: window.upperBound), emit: emit)
  }
}
