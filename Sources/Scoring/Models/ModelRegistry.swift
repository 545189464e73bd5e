import Telemetry

/// All models by name and version; a value, so that a replay brings the same models back.
///
/// A model is a journalled event's content: what `encode` writes is the whole of it.
public struct ModelRegistry: Sendable, Equatable {
  private static let formatVersion: UInt8 = 1

  public enum Refusal: Error, Equatable, CustomStringConvertible {
    case versionExists(name: String, version: Int)

    public var description: String {
      switch self {
      case .versionExists(let name, let version):
        "version \(version) of the model \(name) exists already; a version is never written over"
      }
    }
  }

  /// By name, then version.
  public private(set) var models: [ScoringModel] = []

  public init() {}

  /// - Throws: `Refusal` when that version is there and differs; the same model again changes nothing.
  public mutating func add(_ model: ScoringModel) throws(Refusal) {
    let (name, version) = (model.reference.name, model.reference.version)
    let place =
      models.firstIndex { ($0.reference.name, $0.reference.version) >= (name, version) }
      ?? models.count
    if place < models.count,
      (models[place].reference.name, models[place].reference.version) == (name, version)
    {
      guard models[place] == model else { throw .versionExists(name: name, version: version) }
      return
    }
    models.insert(model, at: place)
  }

  public func model(named name: String, version: Int) -> ScoringModel? {
    models.first { $0.reference.name == name && $0.reference.version == version }
  }

  /// The highest version of that name.
  public func current(_ name: String) -> ScoringModel? {
    models.last { $0.reference.name == name }
  }

  /// What the next training of that name is called.
  public func nextVersion(of name: String) -> Int {
    (current(name)?.reference.version ?? 0) + 1
  }

  /// Drops all but the newest `count` versions of each name.
  public mutating func keepNewest(_ count: Int) {
    models = models.indices.filter { index in
      let name = models[index].reference.name
      return models[index...].prefix { $0.reference.name == name }.count <= count
    }.map { models[$0] }
  }

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.varint(UInt64(models.count))
    for model in models { model.encode(into: &writer) }
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    for _ in 0..<(try reader.length()) {
      do { try add(try ScoringModel(from: &reader)) } catch { throw ByteReader.Truncated() }
    }
  }
}
