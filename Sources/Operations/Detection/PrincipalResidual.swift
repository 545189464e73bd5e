import Statistics
import Telemetry

/// A few principal components of several channels, and how much of a row they leave unexplained.
///
/// Channels are standardized; Q = the squared length of what is left of a row after its projection on up to
/// four components is taken away (Jackson and Mudholkar, Technometrics 21, 1979). A channel that never moved
/// while this was trained has no weight.
struct PrincipalResidual: Sendable {
  private(set) var means: [Double]
  /// 0 for a channel that never moved.
  private(set) var sigmas: [Double]
  /// One after the other, each of one number a channel.
  private var components: [Double]
  /// 3 × the 99 % quantile of Q over the rows of the training.
  private(set) var limit: Double

  static let componentsMax = 4
  /// Components are added until this share of the variance is explained: with as many as there are channels
  /// but one, what is left could not tell one channel from another.
  private static let enough = 0.9

  /// - Parameters:
  ///   - rows: one after the other, `channels` numbers each, at least two rows.
  init(rows: [Float], channels: Int) {
    let count = rows.count / channels
    var moments = [RunningMoments](repeating: RunningMoments(), count: channels)
    for index in 0..<count * channels { moments[index % channels].observe(Double(rows[index])) }
    means = moments.map(\.mean)
    sigmas = moments.map { moment in
      let sigma = moment.sampleVariance.squareRoot()
      return sigma > 1e-6 * moment.mean.magnitude ? sigma : 0
    }
    components = []
    limit = .infinity
    let moving = sigmas.reduce(0) { $0 + ($1 > 0 ? 1 : 0) }
    guard moving > 1 else { return }
    let eigen = SymmetricEigen(correlation(rows, count), size: channels)
    var explained = 0.0
    for index in 0..<min(Self.componentsMax, moving - 1)
    where explained < Self.enough * Double(moving) {
      components += eigen.vectors[index]
      explained += eigen.values[index]
    }
    limit = 3 * quantile(rows, count)
  }

  private func standardized(_ value: Double, _ channel: Int) -> Double {
    sigmas[channel] > 0 ? (value - means[channel]) / sigmas[channel] : 0
  }

  private func correlation(_ rows: [Float], _ count: Int) -> [Double] {
    let channels = means.count
    var matrix = [Double](repeating: 0, count: channels * channels)
    var row = [Double](repeating: 0, count: channels)
    for index in 0..<count {
      for channel in 0..<channels {
        row[channel] = standardized(Double(rows[index * channels + channel]), channel)
      }
      for i in 0..<channels {
        for j in 0..<channels { matrix[i * channels + j] += row[i] * row[j] }
      }
    }
    return matrix.map { $0 / Double(max(count - 1, 1)) }
  }

  private func quantile(_ rows: [Float], _ count: Int) -> Double {
    let channels = means.count
    var residual = [Double](repeating: 0, count: channels)
    var all: [Double] = []
    for index in 0..<count {
      let row = rows[index * channels..<(index + 1) * channels].map(Double.init)
      all.append(observe(row, into: &residual))
    }
    all.sort()
    let place = min(Int(Double(count) * 0.99), count - 1)
    // Channels that follow each other exactly leave nothing: rounding must not become an alarm.
    return max(all[place], 1e-6)
  }

  /// - Parameter residual: gets what is left of each channel, in its standard deviations.
  /// - Returns: Q.
  func observe(_ row: [Double], into residual: inout [Double]) -> Double {
    let channels = means.count
    for channel in 0..<channels { residual[channel] = standardized(row[channel], channel) }
    // Components are orthogonal: taking one away does not change the projection on the next.
    var start = 0
    while start < components.count {
      var projection = 0.0
      for channel in 0..<channels { projection += components[start + channel] * residual[channel] }
      for channel in 0..<channels { residual[channel] -= projection * components[start + channel] }
      start += channels
    }
    var sum = 0.0
    for channel in 0..<channels { sum += residual[channel] * residual[channel] }
    return sum
  }

  func encode(into writer: inout ByteWriter) {
    for list in [means, sigmas, components] {
      writer.varint(UInt64(list.count))
      for number in list { writer.double(number) }
    }
    writer.double(limit)
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    var lists: [[Double]] = []
    for _ in 0..<3 {
      var list: [Double] = []
      for _ in 0..<(try reader.length()) { list.append(try reader.double()) }
      lists.append(list)
    }
    (means, sigmas, components) = (lists[0], lists[1], lists[2])
    limit = try reader.double()
    guard sigmas.count == means.count, components.count % max(means.count, 1) == 0 else {
      throw ByteReader.Truncated()
    }
  }
}
