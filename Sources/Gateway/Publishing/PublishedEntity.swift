/// One value of ours that others may show: what it is called, what it means and where it stands.
///
/// A module that computes something adds its entities to the list in `Publications` and publishes their values
/// under our root; discovery follows from the list.
struct PublishedEntity: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    /// A number; the unit as Home Assistant spells it, empty for a bare count.
    case sensor(unit: String, StateClass)
    case binarySensor(on: String, off: String)
  }

  enum StateClass: String, Sendable {
    case measurement
    /// Grows, and begins again at 0 after a restart.
    case totalIncreasing = "total_increasing"
  }

  /// Stable for ever: part of the unique id.
  var key: String
  var name: String
  var kind: Kind
  /// One of Home Assistant's for the kind; empty: none of them fits.
  var deviceClass = ""
  /// Below our root.
  var topic: String
  /// The member of the JSON object on that topic.
  var member: String
  /// Whether it is about the gateway rather than about what the gateway measures.
  var isDiagnostic = true
  /// Whether it means nothing while the gateway is away.
  var needsGateway = true
}

extension PublishedEntity {
  static let statusTopic = "status"

  /// Whether the gateway is there, from its status and Will.
  static let connectivity = PublishedEntity(
    key: "connectivity", name: "Connectivity", kind: .binarySensor(on: "online", off: "offline"),
    deviceClass: "connectivity", topic: statusTopic, member: "status", needsGateway: false)
}
