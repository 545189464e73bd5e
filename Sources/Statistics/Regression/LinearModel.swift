import Telemetry

/// An intercept and a weight per feature, with the means about which contributions are told.
public struct LinearModel: Sendable, Equatable {
  /// The value where every feature stands at its mean of the training rows.
  public var base: Double
  public var weights: [Double]
  public var means: [Double]

  public init(base: Double, weights: [Double], means: [Double]) {
    precondition(weights.count == means.count, "every weight has a mean")
    self.base = base
    self.weights = weights
    self.means = means
  }

  /// base + Σ weight·(feature − mean); a missing feature (NaN) counts as its mean.
  public func value(_ features: [Double]) -> Double {
    var sum = base
    for index in weights.indices { sum += contribution(of: index, features[index]) }
    return sum
  }

  /// What each feature adds to `base`; exact, because the model is additive.
  public func contributions(_ features: [Double]) -> [Double] {
    weights.indices.map { contribution(of: $0, features[$0]) }
  }

  private func contribution(of index: Int, _ feature: Double) -> Double {
    feature.isNaN ? 0 : weights[index] * (feature - means[index])
  }

  static let formatVersion: UInt8 = 1

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.double(base)
    writer.varint(UInt64(weights.count))
    for index in weights.indices {
      writer.double(weights[index])
      writer.double(means[index])
    }
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    base = try reader.double()
    let count = try reader.length()
    weights = []
    means = []
    for _ in 0..<count {
      weights.append(try reader.double())
      means.append(try reader.double())
    }
  }
}

/// Means and standard deviations of the columns of a matrix; missing numbers (NaN) are left out.
public struct ColumnMoments: Sendable, Equatable {
  public var means: [Double]
  /// Of the sample (n − 1); 0 for a constant column.
  public var deviations: [Double]

  public init(_ matrix: Matrix) {
    let columns = matrix.columnCount
    var counts = [Double](repeating: 0, count: columns)
    means = [Double](repeating: 0, count: columns)
    var squares = means
    for row in 0..<matrix.rowCount {
      for column in 0..<columns where !matrix[row, column].isNaN {
        counts[column] += 1
        let value = matrix[row, column]
        let delta = value - means[column]
        means[column] += delta / counts[column]
        squares[column] += delta * (value - means[column])
      }
    }
    deviations = (0..<columns).map {
      counts[$0] > 1 ? (squares[$0] / (counts[$0] - 1)).squareRoot() : 0
    }
  }

  /// Columns about 0 with deviation 1; what is missing or constant becomes 0.
  func standardize(_ matrix: Matrix) -> Matrix {
    var result = matrix
    for row in 0..<matrix.rowCount {
      for column in 0..<matrix.columnCount {
        let value = matrix[row, column]
        result[row, column] =
          value.isNaN || deviations[column] == 0
          ? 0 : (value - means[column]) / deviations[column]
      }
    }
    return result
  }
}
