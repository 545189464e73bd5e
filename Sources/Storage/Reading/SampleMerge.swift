/// One chunk as a merge meets it: where it lies in time, and how to get its samples.
public struct ChunkSource {
  /// Microseconds of the first and the last sample.
  public var t0: Int64
  public var t1: Int64
  /// Of samples with equal times the one of the higher sequence is kept.
  public var sequence: Int64
  /// Fills the columns; their times strictly increase and lie in `t0 ... t1`.
  public var decode: (inout ChunkColumns) throws -> Void

  public init(
    t0: Int64, t1: Int64, sequence: Int64, decode: @escaping (inout ChunkColumns) throws -> Void
  ) {
    self.t0 = t0
    self.t1 = t1
    self.sequence = sequence
    self.decode = decode
  }
}

/// The samples of chunks that may overlap, as one stream in order of time.
///
/// Only chunks that overlap the current moment are decoded; their buffers are used again.
public struct SampleMerge {
  private struct Cursor {
    var columns: ChunkColumns
    var next: Int
    let sequence: Int64

    var time: Int64 { columns.times[next] }
  }

  private let sources: [ChunkSource]
  private var nextSource = 0
  private var open: [Cursor] = []
  private var spare: [ChunkColumns] = []

  /// - Parameter sources: In any order.
  public init(_ sources: [ChunkSource]) {
    self.sources = sources.sorted { ($0.t0, $0.sequence) < ($1.t0, $1.sequence) }
  }

  /// Replaces `block` by the next samples, at most `countMax` unless they come whole out of one chunk.
  ///
  /// - Returns: `false` when none are left.
  /// - Throws: What a source's `decode` throws; that chunk is passed over when one goes on.
  public mutating func next(_ block: inout ChunkColumns, countMax: Int = 4_096) throws -> Bool {
    block.removeAll()
    while block.count < countMax {
      try openSources()
      guard let first = earliest() else { break }
      let limit = min(runEnd(of: first), open[first].next + countMax - block.count)
      block.append(open[first].next..<limit, of: open[first].columns)
      let time = open[first].columns.times[limit - 1]
      open[first].next = limit
      skip(through: time)
    }
    return !block.isEmpty
  }

  /// Decodes every source that starts no later than the earliest sample at hand.
  private mutating func openSources() throws {
    while nextSource < sources.count {
      if let first = earliest(), sources[nextSource].t0 > open[first].time { return }
      let source = sources[nextSource]
      nextSource += 1
      var columns = spare.popLast() ?? ChunkColumns()
      try source.decode(&columns)
      if columns.isEmpty {
        spare.append(columns)
      } else {
        open.append(Cursor(columns: columns, next: 0, sequence: source.sequence))
      }
    }
  }

  /// The cursor with the smallest time; of equal times that of the highest sequence.
  private func earliest() -> Int? {
    open.indices.min {
      (open[$0].time, open[$1].sequence) < (open[$1].time, open[$0].sequence)
    }
  }

  /// How far the cursor may run before another one, or a chunk not yet decoded, comes in.
  private func runEnd(of cursor: Int) -> Int {
    var border = nextSource < sources.count ? sources[nextSource].t0 : Int64.max
    for other in open.indices where other != cursor { border = min(border, open[other].time) }
    let times = open[cursor].columns.times
    let start = open[cursor].next
    if border == .max { return times.count }
    var low = start + 1
    var high = times.count
    while low < high {
      let middle = (low + high) / 2
      if times[middle] < border { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Drops what lost against a sample at `time`, and closes cursors at their end.
  private mutating func skip(through time: Int64) {
    for index in open.indices.reversed() {
      while open[index].next < open[index].columns.count, open[index].time <= time {
        open[index].next += 1
      }
      if open[index].next == open[index].columns.count {
        spare.append(open.remove(at: index).columns)
      }
    }
  }
}
