import Telemetry

/// Models that were trained together for one machine or all of a profile, put in force as a whole.
public struct MaintenanceModelSet: Sendable, Equatable {
  private static let formatVersion: UInt8 = 1

  /// `press1` or `profile:press`.
  public var scope: String
  /// Counts up from 1 with every training of the scope.
  public var version: Int
  public var trainedAt: Timestamp
  /// Failures that were labelled in what they were trained on.
  public var labelledFailures: Int
  /// What rows must hold, in their order.
  public var features: [Feature]
  public var periodMicroseconds: Int64
  public var usageUnit: String
  /// Heads of horizons, a hazard or a Weibull, and a model of remaining life.
  public var models: [ScoringModel]
  /// How they were judged: a JSON object.
  public var report: String

  public init(
    scope: String, version: Int, trainedAt: Timestamp, labelledFailures: Int, features: [Feature],
    periodMicroseconds: Int64, usageUnit: String, models: [ScoringModel], report: String
  ) {
    self.scope = scope
    self.version = version
    self.trainedAt = trainedAt
    self.labelledFailures = labelledFailures
    self.features = features
    self.periodMicroseconds = periodMicroseconds
    self.usageUnit = usageUnit
    self.models = models
    self.report = report
  }

  public static func scope(_ subject: MaintainedMachine.Subject) -> String {
    switch subject {
    case .device(let id): id
    case .profile(let id): "profile:" + id
    }
  }

  /// Whether its rows are those that this machine makes.
  public func fits(_ machine: MaintainedMachine) -> Bool {
    features == MachineCondition.features(of: machine) && usageUnit == machine.usage.unit
      && periodMicroseconds == machine.periodMicroseconds
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.text(scope)
    writer.varint(UInt64(version))
    writer.zigzag(trainedAt.microseconds)
    writer.varint(UInt64(labelledFailures))
    features.encode(into: &writer)
    writer.zigzag(periodMicroseconds)
    writer.text(usageUnit)
    writer.varint(UInt64(models.count))
    for model in models { model.encode(into: &writer) }
    writer.text(report)
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    scope = try reader.text()
    version = try reader.count()
    trainedAt = Timestamp(microseconds: try reader.zigzag())
    labelledFailures = try reader.count()
    features = try [Feature](from: &reader)
    periodMicroseconds = try reader.zigzag()
    usageUnit = try reader.text()
    models = []
    for _ in 0..<(try reader.length()) { models.append(try ScoringModel(from: &reader)) }
    report = try reader.text()
    for model in models where model.features.count != features.count {
      guard case .weibull = model.kind, model.features.count == 1 else {
        throw ByteReader.Truncated()
      }
    }
  }

  /// The bytes of a set, for a command or a file.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    encode(into: &writer)
    return Array(writer.bytes)
  }

  /// - Throws: for bytes that are no set of this version.
  public init(encoded bytes: [UInt8]) throws(ByteReader.Truncated) {
    let result: Result<MaintenanceModelSet, ByteReader.Truncated> = bytes.withUnsafeBytes {
      var reader = ByteReader($0)
      return Result { () throws(ByteReader.Truncated) in try MaintenanceModelSet(from: &reader) }
    }
    self = try result.get()
  }
}
