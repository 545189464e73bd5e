import Telemetry

/// The channels of one device, held between samples and put together as rows.
struct MachineWatch: Sendable {
  var device: UInt32
  /// Series by channel.
  var series: [UInt32]
  var held: [Double]
  /// Whether a channel has a good value.
  var isKnown: [Bool]
  var missing: Int
  /// On the elapsed clock; `.min`: at once.
  var nextRow: Int64 = .min
  var detector: MultichannelDetector
  var episode = Episode()

  init(device: UInt32, series: [UInt32], settings: MultichannelDetector.Settings) {
    self.device = device
    self.series = series
    held = [Double](repeating: 0, count: series.count)
    isKnown = [Bool](repeating: false, count: series.count)
    missing = series.count
    detector = MultichannelDetector(channels: series.count, settings: settings)
  }

  mutating func hold(_ value: Double, channel: Int) {
    held[channel] = value
    guard !isKnown[channel] else { return }
    isKnown[channel] = true
    missing -= 1
  }

  /// The channel has no value one could use: rows rest until it has.
  mutating func drop(channel: Int) {
    guard isKnown[channel] else { return }
    isKnown[channel] = false
    missing += 1
  }

  /// - Returns: the score of a row if one is due, else `nil`.
  mutating func row(at elapsed: Int64, every interval: Int64) -> Double? {
    guard missing == 0, elapsed >= nextRow else { return nil }
    nextRow = elapsed + interval
    return detector.observe(held)
  }

  func encode(into writer: inout ByteWriter) {
    writer.fixed(device)
    writer.varint(UInt64(series.count))
    for channel in series.indices {
      writer.fixed(series[channel])
      writer.double(held[channel])
      writer.byte(isKnown[channel] ? 1 : 0)
    }
    writer.fixed(nextRow)
    detector.encode(into: &writer)
    episode.encode(into: &writer)
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    device = try reader.fixed(UInt32.self)
    (series, held, isKnown, missing) = ([], [], [], 0)
    for _ in 0..<(try reader.number(upTo: UInt64(MultichannelDetector.channelsMax))) {
      series.append(try reader.fixed(UInt32.self))
      held.append(try reader.double())
      isKnown.append(try reader.byte() == 1)
      if isKnown.last == false { missing += 1 }
    }
    nextRow = try reader.fixed(Int64.self)
    detector = try MultichannelDetector(from: &reader)
    episode = try Episode(from: &reader)
    guard detector.channels == series.count else { throw ByteReader.Truncated() }
  }
}
