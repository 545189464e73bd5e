import Statistics
import Telemetry

/// ```
/// version u8 1 · name text · version varint · trained_at zigzag (µs) · basis text · features
/// kind   u8  0 trees, 1 ridge, 2 logistic, 3 weibull, 4 hazard · the model in its own format
/// output u8  0 probability: has horizon u8 · horizon · slope f64 · offset f64
///            1 remaining life: unit text · limit f64 (NaN: none) · has intervals u8 · intervals
/// ```
extension ScoringModel {
  private static let formatVersion: UInt8 = 1

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.text(reference.name)
    writer.varint(UInt64(reference.version))
    writer.zigzag(reference.trainedAt.microseconds)
    writer.text(basis.rawValue)
    features.encode(into: &writer)
    switch kind {
    case .trees(let trees):
      writer.byte(0)
      trees.encode(into: &writer)
    case .ridge(let model):
      writer.byte(1)
      model.encode(into: &writer)
    case .logistic(let model):
      writer.byte(2)
      model.encode(into: &writer)
    case .weibull(let weibull):
      writer.byte(3)
      weibull.encode(into: &writer)
    case .hazard(let model):
      writer.byte(4)
      model.encode(into: &writer)
    }
    encodeOutput(into: &writer)
  }

  private func encodeOutput(into writer: inout ByteWriter) {
    switch output {
    case .probability(let horizon, let calibration):
      writer.byte(0)
      writer.byte(horizon == nil ? 0 : 1)
      horizon?.encode(into: &writer)
      calibration.encode(into: &writer)
    case .remainingLife(let unit, let limit, let intervals):
      writer.byte(1)
      writer.text(unit)
      writer.double(limit ?? .nan)
      writer.byte(intervals == nil ? 0 : 1)
      intervals?.encode(into: &writer)
    }
  }

  /// - Throws: `Truncated` when the bytes are no model of this format.
  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    let reference = ModelReference(
      name: try reader.text(), version: try reader.count(),
      trainedAt: Timestamp(microseconds: try reader.zigzag()))
    guard let basis = Score.Basis(rawValue: try reader.text()) else { throw ByteReader.Truncated() }
    let features = try [Feature](from: &reader)
    let kind = try Self.kind(from: &reader)
    self.init(
      reference: reference, features: features, kind: kind, output: try Self.output(from: &reader),
      basis: basis)
    guard kind.featureCount == features.count else { throw ByteReader.Truncated() }
  }

  private static func kind(from reader: inout ByteReader) throws(ByteReader.Truncated) -> Kind {
    switch try reader.byte() {
    case 0: .trees(try TreeEnsemble(from: &reader))
    case 1: .ridge(try LinearModel(from: &reader))
    case 2: .logistic(try LinearModel(from: &reader))
    case 3: .weibull(try Weibull(from: &reader))
    case 4: .hazard(try HazardModel(from: &reader))
    default: throw ByteReader.Truncated()
    }
  }

  private static func output(from reader: inout ByteReader) throws(ByteReader.Truncated) -> Output {
    switch try reader.byte() {
    case 0:
      let horizon = try reader.byte() == 0 ? nil : try Horizon(from: &reader)
      return .probability(horizon: horizon, calibration: try PlattScaling(from: &reader))
    case 1:
      let unit = try reader.text()
      let limit = try reader.double()
      let intervals = try reader.byte() == 0 ? nil : try ConformalIntervals(from: &reader)
      return .remainingLife(
        unit: unit, limit: limit.isNaN ? nil : limit, intervals: intervals)
    default: throw ByteReader.Truncated()
    }
  }
}

extension ScoringModel.Kind {
  /// How many features a row must have.
  var featureCount: Int {
    switch self {
    case .trees(let trees): trees.featureCount
    case .ridge(let model), .logistic(let model): model.weights.count
    case .weibull: 1
    case .hazard(let model): model.logit.weights.count
    }
  }
}
