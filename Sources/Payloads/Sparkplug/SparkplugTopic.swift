/// Whom a Sparkplug message speaks of and what it is: `spBv1.0/<group>/<kind>/<node>[/<device>]`.
public struct SparkplugTopic: Hashable, Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case nodeBirth = "NBIRTH"
    case nodeDeath = "NDEATH"
    case nodeData = "NDATA"
    case nodeCommand = "NCMD"
    case deviceBirth = "DBIRTH"
    case deviceDeath = "DDEATH"
    case deviceData = "DDATA"
    case deviceCommand = "DCMD"
    case hostState = "STATE"

    var namesDevice: Bool {
      switch self {
      case .deviceBirth, .deviceDeath, .deviceData, .deviceCommand: true
      default: false
      }
    }

    var isBirth: Bool { self == .nodeBirth || self == .deviceBirth }
    var isData: Bool { self == .nodeData || self == .deviceData }
  }

  public static let namespace = "spBv1.0"

  /// Levels before the namespace, as a bridge adds them; usually empty. Ends with a slash when not.
  public var prefix: String
  public var kind: Kind
  /// Empty for the state of a host.
  public var group: String
  /// The edge node; for the state of a host, the host's id.
  public var node: String
  /// Empty for messages of the node itself.
  public var device: String

  /// - Returns: `nil` when no level is the namespace, or what follows is not laid out as Sparkplug says.
  public init?(_ topic: String) {
    let levels = topic.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard let start = levels.firstIndex(of: SparkplugTopic.namespace) else { return nil }
    let rest = levels[(start + 1)...].map { $0 }
    guard rest.allSatisfy({ !$0.isEmpty }) else { return nil }
    prefix = levels[..<start].map { $0 + "/" }.joined()
    if rest.count == 2, rest[0] == Kind.hostState.rawValue {
      (kind, group, node, device) = (.hostState, "", rest[1], "")
      return
    }
    guard rest.count >= 3, let kind = Kind(rawValue: rest[1]), kind != .hostState,
      rest.count == (kind.namesDevice ? 4 : 3)
    else { return nil }
    (self.kind, group, node) = (kind, rest[0], rest[2])
    device = kind.namesDevice ? rest[3] : ""
  }

  /// The id that this device has with us unless a route says otherwise: its levels joined by `.`.
  public var deviceID: String {
    ((prefix.isEmpty ? [] : prefix.split(separator: "/").map(String.init)) + [group, node]
      + (device.isEmpty ? [] : [device])).joined(separator: ".")
  }

  /// Where the node listens for commands.
  public var commandTopic: String { "\(prefix)\(SparkplugTopic.namespace)/\(group)/NCMD/\(node)" }

  /// Where the data of this device, or of the node itself, arrives.
  public var dataTopic: String {
    let base = "\(prefix)\(SparkplugTopic.namespace)/\(group)"
    return device.isEmpty ? "\(base)/NDATA/\(node)" : "\(base)/DDATA/\(node)/\(device)"
  }

  /// The node's name in memory and figures.
  var nodeKey: String { "\(prefix)\(group)/\(node)" }
}
