import Telemetry

/// The unsealed samples of one series, copied between two batches for a reader.
public struct OpenPart: Sendable {
  public var series: UInt32
  /// In order of time.
  public var columns: ChunkColumns
  /// Late samples and corrections: they stand before `columns` where times are equal.
  public var late: ChunkColumns
  public var current: StoredSample?

  public init(
    series: UInt32, columns: ChunkColumns = ChunkColumns(), late: ChunkColumns = ChunkColumns(),
    current: StoredSample? = nil
  ) {
    self.series = series
    self.columns = columns
    self.late = late
    self.current = current
  }
}

extension SeriesShelf {
  /// What readers need beside the database, for the series they ask about. Unknown ids are left out.
  func openParts(of wanted: [UInt32]) -> [OpenPart] {
    wanted.compactMap { index in
      guard Int(index) < series.count else { return nil }
      var part = OpenPart(series: index, current: current(index))
      decodeOpen(index, into: &part.columns)
      for sample in late[index]?.samples ?? [] {
        part.late.append(
          time: sample.time.microseconds, bits: sample.bits, quality: sample.quality.rawValue)
      }
      return part
    }
  }
}

extension Store {
  /// See `SeriesShelf.openParts`.
  public func openParts(of series: [UInt32]) -> [OpenPart] { shelf.openParts(of: series) }

  /// Newest sample of each series, in the order asked; `nil` where there is none or no such series.
  public func current(of series: [UInt32]) -> [StoredSample?] {
    series.map { Int($0) < shelf.series.count ? shelf.current($0) : nil }
  }
}
