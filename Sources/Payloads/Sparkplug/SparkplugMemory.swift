import Telemetry

/// What the host must know again after a restart, as named pieces of bytes.
///
/// ```
/// name                     content
/// sparkplug/<n>            the node <n>: topic, session, births so far
/// sparkplug/<n>/device/<device>    whether a device is online, and of which birth of the node
/// sparkplug/<n>/metrics/<device>   what the birth of a device (or, empty, of the node) named
/// sparkplug/<n>/seq        the sequence number that comes next
/// sparkplug/<n>/held/<seq> a message that waits for its turn
/// ```
/// Each content begins with a version byte, 1. Texts are a varint of their length and UTF-8.
extension SparkplugHost {
  static let memoryPrefix = "sparkplug/"

  func rememberState(_ node: Int, _ steps: inout [Step]) {
    let state = nodes[node]
    var writer = MemoryWriter()
    writer.text(state.topic.prefix)
    writer.text(state.topic.group)
    writer.text(state.topic.node)
    writer.byte(state.isOnline ? 1 : 0)
    writer.optional(state.bdSeq)
    writer.varint(state.generation)
    steps.append(.remember(name: "\(Self.memoryPrefix)\(state.ordinal)", content: writer.bytes))
  }

  /// One device: a node may have thousands.
  func rememberDevice(_ node: Int, _ device: Int) -> Step {
    var writer = MemoryWriter()
    writer.byte(nodes[node].devices[device].isOnline ? 1 : 0)
    writer.varint(nodes[node].generation)
    let name = nodes[node].devices[device].name
    return .remember(
      name: "\(Self.memoryPrefix)\(nodes[node].ordinal)/device/\(name)", content: writer.bytes)
  }

  func rememberMetrics(_ node: Int, _ device: Int) -> Step {
    let metrics = nodes[node].devices[device].metrics
    var writer = MemoryWriter()
    writer.varint(UInt64(metrics.names.count))
    for index in metrics.names.indices {
      writer.text(metrics.string(metrics.names[index]))
      writer.text(metrics.string(metrics.units[index]))
      writer.varint(UInt64(metrics.datatypes[index]))
      writer.optional(metrics.aliases[index])
    }
    let name = nodes[node].devices[device].name
    return .remember(
      name: "\(Self.memoryPrefix)\(nodes[node].ordinal)/metrics/\(name)", content: writer.bytes)
  }

  func rememberHeld(_ node: Int, _ seq: UInt8, _ message: SparkplugHeld) -> Step {
    var writer = MemoryWriter()
    writer.text(message.topic)
    writer.varint(UInt64(bitPattern: message.received.microseconds))
    writer.varint(UInt64(message.payload.count))
    writer.bytes.append(contentsOf: message.payload)
    return .remember(name: heldName(node, seq), content: writer.bytes)
  }

  func forgetHeld(_ node: Int, _ seq: UInt8) -> Step {
    .remember(name: heldName(node, seq), content: [])
  }

  private func heldName(_ node: Int, _ seq: UInt8) -> String {
    "\(Self.memoryPrefix)\(nodes[node].ordinal)/held/\(seq)"
  }

  /// The sequence numbers that moved since the last call; to be asked before each commit.
  public mutating func takeMoved() -> [(name: String, content: [UInt8])] {
    guard !moved.isEmpty else { return [] }
    defer { moved.removeAll(keepingCapacity: true) }
    return moved.sorted().map { node in
      let expected = nodes[node].expected.map { [$0] } ?? []
      return ("\(Self.memoryPrefix)\(nodes[node].ordinal)/seq", [MemoryWriter.version] + expected)
    }
  }

  /// Takes back what was remembered; other names than its own are passed over.
  ///
  /// - Parameter pieces: in any order; pieces that cannot be read are left out, the next birth repairs them.
  public mutating func restore(_ pieces: [(name: String, content: [UInt8])]) {
    let own = pieces.filter { $0.name.hasPrefix(Self.memoryPrefix) && !$0.content.isEmpty }
      .map { piece in
        let path = piece.name.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return (path: path, content: piece.content)
      }
    let heads = own.filter { $0.path.count == 2 }
      .compactMap { piece in Int(piece.path[1]).map { ($0, piece.content) } }
      .sorted { $0.0 < $1.0 }
    var positions: [Int: Int] = [:]
    for (ordinal, content) in heads {
      guard let node = restoredNode(ordinal, content) else { continue }
      positions[ordinal] = nodes.count
      indexes[node.topic.nodeKey] = nodes.count
      nodes.append(node)
      nextOrdinal = max(nextOrdinal, ordinal + 1)
    }
    // Who is online decides whether aliases hold.
    let others = own.filter { $0.path.count > 2 }
    let ordered =
      others.filter { $0.path[2] == "device" } + others.filter { $0.path[2] != "device" }
    for piece in ordered {
      guard let node = Int(piece.path[1]).flatMap({ positions[$0] }) else { continue }
      restore(
        piece.path[2], piece.path.count > 3 ? String(piece.path[3]) : "", piece.content, of: node)
    }
  }

  private func restoredNode(_ ordinal: Int, _ content: [UInt8]) -> SparkplugNode? {
    var reader = MemoryReader(content)
    guard let prefix = reader.text(), let group = reader.text(), let name = reader.text(),
      var topic = SparkplugTopic("\(SparkplugTopic.namespace)/\(group)/NBIRTH/\(name)"),
      let isOnline = reader.byte(), let bdSeq = reader.optional(),
      let generation = reader.varint()
    else { return nil }
    topic.prefix = prefix
    var node = SparkplugNode(topic: topic, ordinal: ordinal)
    node.isOnline = isOnline == 1
    node.bdSeq = bdSeq
    node.generation = generation
    node.devices[0].isOnline = node.isOnline
    return node
  }

  private mutating func restore(_ kind: Substring, _ key: String, _ content: [UInt8], of node: Int)
  {
    var reader = MemoryReader(content)
    switch kind {
    case "seq":
      nodes[node].expected = reader.byte()
    case "device":
      guard let isOnline = reader.byte(), let generation = reader.varint() else { return }
      let device = nodes[node].deviceIndex(key)
      nodes[node].devices[device].isOnline =
        isOnline == 1 && nodes[node].isOnline && generation == nodes[node].generation
    case "metrics":
      var metrics = SparkplugMetrics()
      for _ in 0..<(reader.varint() ?? 0) {
        guard let name = reader.text(), let unit = reader.text(), let datatype = reader.varint(),
          let alias = reader.optional()
        else { break }
        metrics.append(
          name: name, unit: unit, datatype: UInt32(truncatingIfNeeded: datatype), alias: alias)
      }
      let device = nodes[node].deviceIndex(key)
      // Of a device that is gone, aliases may mean something else by now.
      if nodes[node].devices[device].isOnline {
        nodes[node].define(metrics, of: device)
      } else {
        nodes[node].devices[device].metrics = metrics
      }
    case "held":
      guard let seq = UInt8(key), let topic = reader.text(), let received = reader.varint(),
        let count = reader.varint(), let payload = reader.take(count)
      else { return }
      nodes[node].held[seq] = SparkplugHeld(
        topic: topic, received: Timestamp(microseconds: Int64(bitPattern: received)),
        payload: payload)
      heldBytes += payload.count
      waiting.insert(node)
    default: break
    }
  }
}
