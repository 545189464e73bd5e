import Telemetry

/// Something unusual about a series or a machine, from the moment it was noticed until it was quiet again.
public struct Anomaly: Sendable, Equatable {
  /// What noticed it.
  public enum Kind: UInt8, Sendable, CaseIterable {
    case novelty = 0
    case ewma = 1
    case cusum = 2
    case flatLine = 3
    case silence = 4
    case outOfRange = 5
    case multichannel = 6

    public var name: String {
      ["novelty", "ewma", "cusum", "flat_line", "silence", "out_of_range", "multichannel"][
        Int(rawValue)]
    }
  }

  public enum Phase: UInt8, Sendable {
    case started = 0
    case ended = 1
  }

  /// What a part of the score is due to.
  public enum Cause: Sendable, Equatable {
    case view(NoveltyView)
    case series(UInt32)
  }

  public struct Contribution: Sendable, Equatable {
    public var cause: Cause
    /// Share of the score, in its scale.
    public var amount: Double
  }

  /// The same for start and end of an episode; counts up from 1.
  public var number: UInt64
  public var phase: Phase
  public var kind: Kind
  /// The series it is about; of a machine the channel that fits least.
  public var series: UInt32
  public var device: UInt32
  /// 0…1; at the start that of the value that opened it, at the end the highest of the episode.
  public var score: Double
  /// The score from which this one was an anomaly: above `NoveltyDetector.alarmThreshold` while the series is young.
  public var threshold: Double
  /// What is due to what; sums to `score`. The largest first. Empty at the end.
  public var contributions: [Contribution]
  /// The value that opened it; for silence the last one.
  public var value: Double
  /// In the unit of the series; `nil` where nothing is expected.
  public var expected: Double?
  /// Standard deviation around `expected`; for silence and the flat line `nil`.
  public var scale: Double?
  /// For silence and the flat line: after how many µs it counted as odd.
  public var toleratedMicroseconds: Int64?
  /// Of the value that opened it; for silence the wall time at which it was noticed.
  public var started: Timestamp
  public var ended: Timestamp?
}
