import Telemetry

/// Notices when the channels of one machine no longer fit together, even if each of them is in its range.
///
/// Rows of all channels pass an EWMA with weight 0.1. The first ones train a `PrincipalResidual`; from then on
/// Q over its limit is the statistic: score 0.5 at 3 × the 99 % quantile of the training. A row costs about
/// 2·channels·4 multiplications. Training happens inside one `observe`: for 1,000 rows of 32 channels some ten
/// milliseconds, once. The EWMA makes neighbouring rows alike: spread the training by `trainingStride`.
public struct MultichannelDetector: Sendable {
  public static let channelsMax = 32
  public static let version: UInt8 = 1
  private static let weight = 0.1

  public struct Settings: Sendable, Equatable {
    /// Rows of the training, 50…2,000.
    public var trainingRows: Int
    /// Every so many rows one is kept for the training: 1 takes the first rows, more spreads them.
    public var trainingStride: Int

    public init(trainingRows: Int = 1_000, trainingStride: Int = 1) {
      self.trainingRows = min(max(trainingRows, 50), 2_000)
      self.trainingStride = max(trainingStride, 1)
    }
  }

  public let channels: Int
  public let settings: Settings
  /// Rows taken since the start or the last reset.
  public private(set) var rows: UInt64 = 0
  private var smoothed: [Double]
  private var residual: [Double]
  private var training: [Float] = []
  private var model: PrincipalResidual?

  /// - Parameter channels: 2…32.
  public init(channels: Int, settings: Settings = Settings()) {
    precondition((2...Self.channelsMax).contains(channels), "a machine has 2 to 32 channels here")
    self.channels = channels
    self.settings = settings
    smoothed = [Double](repeating: 0, count: channels)
    residual = [Double](repeating: 0, count: channels)
  }

  public var isLearning: Bool { model == nil }

  /// Takes the values that hold at one moment.
  ///
  /// - Parameter row: one number a channel; a row with one that is not finite is ignored.
  /// - Returns: 0…1, 0.5 at the limit; 0 while training.
  public mutating func observe(_ row: [Double]) -> Double {
    precondition(row.count == channels, "a row has one number a channel")
    for value in row where !value.isFinite { return 0 }
    for channel in 0..<channels {
      smoothed[channel] =
        rows == 0
        ? row[channel] : smoothed[channel] + Self.weight * (row[channel] - smoothed[channel])
    }
    rows += 1
    guard let model else {
      learn()
      return 0
    }
    let q = model.observe(smoothed, into: &residual)
    return DetectionScore.squashed(q / model.limit)
  }

  private mutating func learn() {
    guard rows % UInt64(settings.trainingStride) == 0 else { return }
    for value in smoothed { training.append(Float(value)) }
    guard training.count >= settings.trainingRows * channels else { return }
    model = PrincipalResidual(rows: training, channels: channels)
    training = []
  }

  /// What each channel adds to the score of the last row; they sum to it.
  public func contributions(to score: Double) -> [Double] {
    var sum = 0.0
    for channel in 0..<channels { sum += residual[channel] * residual[channel] }
    guard sum > 0, model != nil else { return [Double](repeating: 0, count: channels) }
    return residual.map { score * $0 * $0 / sum }
  }

  /// The channel that fits least in the last row; the first of equals.
  public var oddest: Int {
    var best = 0
    for channel in 1..<channels where residual[channel].magnitude > residual[best].magnitude {
      best = channel
    }
    return best
  }

  /// What a channel should have been in the last row, given all of them, smoothed as they are: the value, and
  /// its standard deviation in the training.
  public func expectation(of channel: Int) -> (value: Double, scale: Double) {
    guard let model else { return (smoothed[channel], 0) }
    let sigma = model.sigmas[channel]
    return (smoothed[channel] - residual[channel] * sigma, sigma)
  }

  /// Forgets the model and trains again.
  public mutating func reset(_ reason: NoveltyDetector.ResetReason) {
    self = MultichannelDetector(channels: channels, settings: settings)
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.version)
    writer.varint(UInt64(channels))
    writer.varint(UInt64(settings.trainingRows))
    writer.varint(UInt64(settings.trainingStride))
    writer.varint(rows)
    for channel in 0..<channels { writer.double(smoothed[channel]) }
    for channel in 0..<channels { writer.double(residual[channel]) }
    writer.varint(UInt64(training.count))
    for value in training { writer.float(value) }
    writer.byte(isLearning ? 0 : 1)
    model?.encode(into: &writer)
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.version else { throw ByteReader.Truncated() }
    let count = try reader.varint()
    guard (2...UInt64(Self.channelsMax)).contains(count) else { throw ByteReader.Truncated() }
    let (wanted, stride) = (try reader.number(upTo: 2_000), try reader.number(upTo: 1 << 30))
    self.init(
      channels: Int(count), settings: Settings(trainingRows: wanted, trainingStride: stride))
    rows = try reader.varint()
    for channel in 0..<channels { smoothed[channel] = try reader.double() }
    for channel in 0..<channels { residual[channel] = try reader.double() }
    for _ in 0..<(try reader.length()) { training.append(try reader.float()) }
    guard try reader.byte() == 1 else { return }
    let stored = try PrincipalResidual(from: &reader)
    guard stored.means.count == channels else { throw ByteReader.Truncated() }
    model = stored
  }
}

extension ByteReader {
  /// A number that is not a length in bytes, checked against its own limit.
  mutating func number(upTo limit: UInt64) throws(Truncated) -> Int {
    let value = try varint()
    guard value <= limit else { throw Truncated() }
    return Int(value)
  }
}
