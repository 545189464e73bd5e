/// Which defects cost most: counts by code, the most frequent first, with running shares.
public struct DefectPareto: Sendable, Hashable {
  public struct Row: Sendable, Hashable {
    public var code: String
    public var count: Int
    /// Of all defects.
    public var share: Double
    /// Of this and all rows above.
    public var cumulativeShare: Double
  }

  public var total: Int
  /// Descending by count, then by code.
  public var rows: [Row]

  /// Counts of one code are added; negative ones and zeros are passed over.
  public init(_ counts: [DefectCount]) {
    let sorted = counts.filter { $0.count > 0 }.sorted { $0.code < $1.code }
    var merged: [DefectCount] = []
    for entry in sorted {
      if merged.last?.code == entry.code {
        merged[merged.count - 1].count += entry.count
      } else {
        merged.append(entry)
      }
    }
    merged.sort { ($1.count, $0.code) < ($0.count, $1.code) }
    total = merged.reduce(0) { $0 + $1.count }
    rows = []
    var sum = 0
    for entry in merged {
      sum += entry.count
      rows.append(
        Row(
          code: entry.code, count: entry.count, share: Double(entry.count) / Double(total),
          cumulativeShare: Double(sum) / Double(total)))
    }
  }
}

/// How often a defect was found.
public struct DefectCount: Sendable, Hashable {
  public var code: String
  public var count: Int

  public init(code: String, count: Int) {
    self.code = code
    self.count = count
  }
}
