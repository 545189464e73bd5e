/// Something a person or a machine did, as the event log keeps it.
///
/// Events are told apart by `id` alone: the second event with an id is a duplicate whatever it says.
public struct Event: Hashable, Sendable {
  public var id: String
  /// CamelCase name: `PageView`, `HMIAction`, `AlarmAcknowledged`.
  public var name: String
  public var time: Timestamp
  /// The time was given by the gateway because the event carried none.
  public var timeIsReceived: Bool
  public var user: String?
  public var device: String?
  public var session: String?
  /// A JSON object, UTF-8, at most the size limit of the endpoint that took it.
  public var properties: String
  /// A JSON object: device, location, referrer and the like; empty object when there is none.
  public var context: String

  public init(
    id: String, name: String, time: Timestamp, timeIsReceived: Bool = false, user: String? = nil,
    device: String? = nil, session: String? = nil, properties: String = "{}", context: String = "{}"
  ) {
    self.id = id
    self.name = name
    self.time = time
    self.timeIsReceived = timeIsReceived
    self.user = user
    self.device = device
    self.session = session
    self.properties = properties
    self.context = context
  }
}
