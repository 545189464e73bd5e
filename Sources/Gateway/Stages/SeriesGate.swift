import Telemetry

/// Lets each sample through to the stages once and in the order of its series.
///
/// It judges from what it saw itself, not from the store: a replay for the stages may begin before or after
/// the one for the open chunks.
struct SeriesGate: Sendable, Equatable {
  private struct Last: Sendable, Equatable {
    var time = Int64.min
    var bits: UInt64 = 0
  }

  private var last: [Last] = []
  private var isEvent: [Bool] = []
  /// Samples that came after a newer one of their series: the store has them, stages that follow the order
  /// do not.
  private(set) var lateCount: UInt64 = 0

  mutating func define(_ series: SeriesDefinition) {
    let index = Int(series.index)
    while last.count <= index {
      last.append(Last())
      isEvent.append(false)
    }
    isEvent[index] = series.kind == .event
  }

  /// The sample with the time that counts; `nil` when it is a repetition, came late or was no sample.
  @inline(__always)
  mutating func admit(_ sample: Sample) -> Sample? {
    let index = Int(sample.series)
    guard index < last.count, !sample.isCurrentOnly else { return nil }
    var admitted = sample
    let known = last[index]
    if sample.time.microseconds <= known.time {
      // At the end of time there is no later one.
      guard known.time < .max else { return nil }
      if sample.isReceiveStamped || (isEvent[index] && sample.time.microseconds == known.time) {
        admitted.time = Timestamp(microseconds: known.time + 1)
      } else {
        if sample.time.microseconds < known.time || sample.bits != known.bits { lateCount += 1 }
        return nil
      }
    }
    last[index] = Last(time: admitted.time.microseconds, bits: sample.bits)
    return admitted
  }

  func encode(into out: inout ByteWriter) {
    out.varint(lateCount)
    out.varint(UInt64(last.count))
    for index in last.indices {
      out.byte(isEvent[index] ? 1 : 0)
      out.fixed(last[index].time)
      out.fixed(last[index].bits)
    }
  }

  init() {}

  init(from input: inout ByteReader) throws(ByteReader.Truncated) {
    lateCount = try input.varint()
    let count = try input.length()
    for _ in 0..<count {
      isEvent.append(try input.byte() != 0)
      last.append(Last(time: try input.fixed(Int64.self), bits: try input.fixed(UInt64.self)))
    }
  }
}
