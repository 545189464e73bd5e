/// How to read metrics out of JSON whose shape is not ours; written under `map:` in devices/*.yaml.
///
/// Paths are dot-separated member names from the root of a point (`sensors.temp.value`); a member whose
/// name holds a dot is written with the dot escaped (`a\.b`). `items` leads from the root of the payload
/// to the array or object that holds the points; empty: the root itself.
public struct JSONMapping: Hashable, Sendable {
  /// A metric to take from a place in the point.
  public struct Metric: Hashable, Sendable {
    public var path: String
    /// Name in the store; empty: the path.
    public var name: String
    /// Unit the source uses; empty: not known.
    public var unit: String
    /// Paths, relative to the point, of a time, a quality and a unit of its own; empty: none.
    public var timePath: String
    public var qualityPath: String
    public var unitPath: String

    public init(
      path: String, name: String = "", unit: String = "", timePath: String = "",
      qualityPath: String = "", unitPath: String = ""
    ) {
      self.path = path
      self.name = name
      self.unit = unit
      self.timePath = timePath
      self.qualityPath = qualityPath
      self.unitPath = unitPath
    }
  }

  /// What to do with members that no `metrics` entry names.
  public enum Rest: String, Hashable, Sendable, CaseIterable {
    /// Every scalar leaf becomes a metric named by its dotted path.
    case take
    case ignore
  }

  /// What a member's name says wherever it stands among the rest: unit, or that it is nothing to store.
  ///
  /// Digits at the end of the member's name are passed over (`Temperature2`) unless a rule has them.
  public struct Leaf: Hashable, Sendable {
    public var name: String
    /// Where `unitPath` gives none; empty: not known.
    public var unit: String
    /// Path, from the root of the point, of the unit; empty: none.
    public var unitPath: String
    /// How the source writes units that we write otherwise: raw → unit.
    public var unitWords: [String: String]
    public var isIgnored: Bool

    public init(
      name: String, unit: String = "", unitPath: String = "", unitWords: [String: String] = [:],
      isIgnored: Bool = false
    ) {
      self.name = name
      self.unit = unit
      self.unitPath = unitPath
      self.unitWords = unitWords
      self.isIgnored = isIgnored
    }
  }

  public var items: String = ""
  public var devicePath: String = ""
  public var deviceTypePath: String = ""
  /// Tried in order; the first that is present gives the time of the point.
  public var timePaths: [String] = ["timestamp", "time", "ts"]
  public var metrics: [Metric] = []
  /// Paths never taken (and everything below them).
  public var ignore: [String] = []
  public var rest: Rest = .take
  /// Rules for the members that `rest` takes.
  public var leaves: [Leaf] = []
  /// Times that cannot be read are no times, rather than refused.
  public var passesOverBadTimes = false

  public init() {}

  /// Every scalar leaf is a metric; `timestamp`, `time` or `ts` at the root is the time.
  public static let standard = JSONMapping()
}
