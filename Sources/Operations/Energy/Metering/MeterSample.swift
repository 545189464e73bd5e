import Telemetry

/// A reading of a meter: kWh so far, or the power of this moment.
public struct MeterSample: Hashable, Sendable {
  public var time: Timestamp
  public var value: Double
  public var quality: Quality

  public init(time: Timestamp, value: Double, quality: Quality = .good) {
    self.time = time
    self.value = value
    self.quality = quality
  }

  /// Neither bad nor stale, and a finite number.
  var isUsable: Bool { quality.severity != .bad && !quality.contains(.stale) && value.isFinite }

  /// Usable ones in order of time; of two at one moment the later given counts.
  static func ordered(_ samples: [MeterSample]) -> [MeterSample] {
    let usable = samples.enumerated().filter { $0.element.isUsable }.sorted {
      ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
    }
    var ordered: [MeterSample] = []
    for (_, sample) in usable {
      if ordered.last?.time == sample.time { ordered.removeLast() }
      ordered.append(sample)
    }
    return ordered
  }
}
