import Payloads

/// A device written down in devices/*.yaml: known before its first message.
public struct DeclaredDevice: Hashable, Sendable {
  public var id: String
  /// Ids it had before: the known device of such an id becomes this one, with all its history.
  public var was: [String]
  public var description: String
  /// Id of its profile; empty: none.
  public var profile: String
  /// ISA-95 path; empty: not placed (a route's asset template may place it).
  public var asset: String
  /// Where its messages arrive; works as a route that names this device.
  public var topic: TopicPattern?
  /// Ids of the users who work with it.
  public var users: [String]
  public var labels: [Label]

  public init(
    id: String, was: [String] = [], description: String = "", profile: String = "",
    asset: String = "",
    topic: TopicPattern? = nil, users: [String] = [], labels: [Label] = []
  ) {
    self.id = id
    self.was = was
    self.description = description
    self.profile = profile
    self.asset = asset
    self.topic = topic
    self.users = users
    self.labels = labels
  }
}

/// What happens to messages of a device that is neither declared nor adopted.
public enum UnknownDevicePolicy: String, Sendable, Hashable, CaseIterable {
  /// It becomes known at once, marked as adopted.
  case adopt
  /// Its messages are kept aside until an operator adopts it.
  case quarantine
}

/// Bounds and clocks of ingest; `settings:` in devices/*.yaml.
public struct DeviceSettings: Hashable, Sendable {
  public var unknownDevices: UnknownDevicePolicy = .adopt
  public var sparkplug = SparkplugSettings()
  public var announcements = AnnouncementSettings()
  /// Source times further ahead of the receive time are replaced by it.
  public var farFuture: Duration = .seconds(3_600)
  /// Source times further behind the receive time are replaced by it (ten years of 365 days).
  public var farPast: Duration = .seconds(3_650 * 86_400)
  /// Bytes kept of a payload in quarantine.
  public var quarantinePayloadBytesMax = 65_536
  public var devicesMax = 100_000
  public var seriesMax = 1_000_000
  public var wordsMax = 200_000

  public init() {}
}
