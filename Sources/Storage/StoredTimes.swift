import Telemetry

/// Tells, for values that came without a time and are read a second time, which are stored already and
/// which time the others get.
///
/// Such a value was stored under the time of receipt, moved by a microsecond for each one before it that
/// came at the same moment. Used by the owner of the store, between two batches.
public struct StoredTimes {
  /// How far a value may have been moved: a batch has fewer messages than this.
  static let spreadMicroseconds: Int64 = 10_000
  private static let pageCount = 4_096

  private let store: Store
  private var pages: [UInt32: Page] = [:]
  /// Times given out here, by series.
  private var given: [UInt32: Set<Int64>] = [:]

  private struct Page {
    var columns: ChunkColumns
    /// What it covers; the upper bound too.
    var range: ClosedRange<Int64>
  }

  public init(of store: Store) { self.store = store }

  /// - Returns: a time at or after the sample's that is free in its series; `nil` when its value is stored
  ///   there already.
  /// - Throws: `DatabaseError`.
  public mutating func time(for sample: Sample) throws -> Timestamp? {
    let start = sample.time.microseconds
    let end = sample.time.advanced(byMicroseconds: Self.spreadMicroseconds).microseconds
    let columns = try page(of: sample.series, start...end).columns
    let own = given[sample.series] ?? []
    var occupied: Set<Int64> = []
    var place = columns.lowerBound(start)
    while place < columns.count, columns.times[place] <= end {
      // What was given out by this very pass is another value, however equal.
      let isOwn = own.contains(columns.times[place])
      if !isOwn, columns.bits[place] == sample.bits { return nil }
      occupied.insert(columns.times[place])
      place += 1
    }
    var time = start
    while time < .max, occupied.contains(time) || own.contains(time) { time += 1 }
    given[sample.series, default: []].insert(time)
    return Timestamp(microseconds: time)
  }

  /// Samples come in order of time, so one page serves many of them.
  private mutating func page(of series: UInt32, _ range: ClosedRange<Int64>) throws -> Page {
    if let known = pages[series], known.range.contains(range.lowerBound),
      known.range.contains(range.upperBound)
    {
      return known
    }
    let open = store.openParts(of: [series])
    guard !open.isEmpty else {
      // Defined in the batch that is being gathered: nothing is stored yet.
      let page = Page(columns: ChunkColumns(), range: .min ... .max)
      pages[series] = page
      return page
    }
    let reader = StoreReader(
      directory: store.settings.directory, database: store.current, fetchOpen: { _ in open })
    let read = try reader.page(
      of: series, from: Timestamp(microseconds: range.lowerBound), through: .distantFuture,
      count: Self.pageCount)
    let last = read.next.map { $0.microseconds - 1 } ?? .max
    let page = Page(columns: read.columns, range: range.lowerBound...max(range.lowerBound, last))
    pages[series] = page
    return page
  }
}
