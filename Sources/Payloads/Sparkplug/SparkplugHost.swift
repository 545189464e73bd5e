import Telemetry

/// The host's side of Sparkplug B 3.0: who is alive, what aliases mean, in which order messages count.
///
/// Sans-I/O: told what arrived and what time it is, it answers with steps, which the caller carries out in
/// order. It listens as a secondary host does: it never publishes STATE, and asks a node for a rebirth only
/// when something was missed (an unknown alias, data before a birth, a gap), a while later and throttled.
///
/// Order: `seq` counts 0–255 over all messages of a node. A message ahead of its turn is held until the
/// missing one comes or `reorderTimeout` ends; nothing that is held is dropped. A message behind its turn
/// is late or a repetition: its samples have times of their own, so it is taken at once.
///
/// What must outlive a restart leaves as `.remember` steps and comes back through `restore`.
public struct SparkplugHost: Sendable {
  public enum Step: Sendable {
    /// The message in hand counts now; its readings stand in what the caller lent.
    case take
    /// The message in hand cannot count.
    case refuse(PayloadError)
    /// A message that was held counts now.
    case takeHeld(SparkplugHeld, Readings)
    case refuseHeld(SparkplugHeld, PayloadError)
    /// A device, or the node itself when `device` is empty, is gone; `nil`: as of the receive time.
    case wentStale(SparkplugTopic, time: Timestamp?)
    /// Empty content forgets.
    case remember(name: String, content: [UInt8])
  }

  public struct Counters: Hashable, Sendable {
    public var births: UInt64 = 0
    public var deaths: UInt64 = 0
    /// Deaths of a session that is over already.
    public var ignoredDeaths: UInt64 = 0
    public var heldMessages: UInt64 = 0
    /// Messages that never came.
    public var missedMessages: UInt64 = 0
    public var lateMessages: UInt64 = 0
    public var rebirthRequests: UInt64 = 0

    public init() {}
  }

  public static let nodesMax = 10_000
  public static let devicesMax = 10_000
  /// Nodes that were heard but never born; only to ask them for a birth.
  public static let strangersMax = 1_000
  /// Bytes that wait for their turn, of all nodes together; beyond it the wait is over.
  public static let heldBytesMax = 16 << 20

  public var settings: SparkplugSettings
  public internal(set) var counters = Counters()
  var nodes: [SparkplugNode] = []
  var indexes: [String: Int] = [:]
  var nextOrdinal = 0
  var heldBytes = 0
  private var strangers = 0
  /// Nodes whose next sequence number is to be remembered.
  var moved: Set<Int> = []
  /// Nodes that wait for something by the clock.
  var waiting: Set<Int> = []

  public init(settings: SparkplugSettings = SparkplugSettings()) { self.settings = settings }

  public var nodeCount: Int { nodes.count }
  public var onlineNodeCount: Int { nodes.count { $0.isOnline } }
  public var heldCount: Int { nodes.reduce(0) { $0 + $1.held.count } }

  private static let unborn = -1

  /// The places of a node and its device; only a birth makes a device, and a node more than a stranger.
  ///
  /// - Throws: `too_many_nodes` and `too_many_devices`.
  private mutating func place(
    of topic: SparkplugTopic
  ) throws(PayloadError) -> (node: Int, device: Int) {
    let known = indexes[topic.nodeKey]
    let node = if let known { known } else { try newNode(topic) }
    guard !topic.device.isEmpty else { return (node, 0) }
    if let device = nodes[node].knownDevice(topic.device) { return (node, device) }
    guard topic.kind == .deviceBirth else { return (node, SparkplugHost.unborn) }
    guard nodes[node].devices.count < SparkplugHost.devicesMax else {
      throw PayloadError(
        code: "too_many_devices",
        detail: "Node \(topic.nodeKey) has \(nodes[node].devices.count) devices already.")
    }
    return (node, nodes[node].deviceIndex(topic.device))
  }

  private mutating func newNode(_ topic: SparkplugTopic) throws(PayloadError) -> Int {
    let isStranger = topic.kind != .nodeBirth
    guard nodes.count < SparkplugHost.nodesMax,
      !isStranger || strangers < SparkplugHost.strangersMax
    else {
      throw PayloadError(
        code: "too_many_nodes",
        detail:
          "There are \(nodes.count) Sparkplug edge nodes already; \(topic.nodeKey) is not taken.")
    }
    var node = SparkplugNode(topic: topic, ordinal: nextOrdinal)
    node.isStranger = isStranger
    if isStranger { strangers += 1 }
    nodes.append(node)
    nextOrdinal += 1
    indexes[topic.nodeKey] = nodes.count - 1
    return nodes.count - 1
  }

  /// Takes note of a message and says what is to be done.
  ///
  /// - Parameters:
  ///   - now: by a monotonic clock, in microseconds.
  ///   - held: makes the message as it would be held; called only when it is ahead.
  ///   - readings: gets what the message says when it counts now.
  package mutating func receive(
    _ topic: SparkplugTopic, _ payload: SparkplugPayload, now: Int64, isRetained: Bool = false,
    held: () -> SparkplugHeld, readings: inout Readings, into steps: inout [Step]
  ) {
    do throws(PayloadError) {
      let (node, device) = try place(of: topic)
      switch topic.kind {
      case .nodeBirth: nodeBorn(node, payload, now, &readings, &steps)
      case .nodeDeath: nodeDied(node, payload, now, &steps)
      case .deviceBirth, .deviceDeath, .nodeData, .deviceData:
        if isRetained || !payload.hasSeq || !nodes[node].isOnline {
          try take(topic, node, device, payload, now, &readings, &steps)
        } else {
          try inOrder(topic, node, device, payload, now, held, &readings, &steps)
        }
      case .nodeCommand, .deviceCommand, .hostState: break
      }
    } catch {
      steps.append(.refuse(error))
    }
  }

  // MARK: - Births and deaths

  private mutating func nodeBorn(
    _ node: Int, _ payload: SparkplugPayload, _ now: Int64, _ readings: inout Readings,
    _ steps: inout [Step]
  ) {
    counters.births += 1
    // What still waits belongs to the session before.
    releaseAll(node, now, &steps)
    let wasBorn = !nodes[node].isStranger
    nodes[node].isStranger = false
    nodes[node].isOnline = true
    nodes[node].rebirth.born()
    nodes[node].bdSeq = payload.bdSeq
    nodes[node].lastBehind = nil
    // The topics chapter says 0, the payload chapter 0–255: what comes is where counting goes on.
    nodes[node].expected = payload.hasSeq ? UInt8(truncatingIfNeeded: payload.seq) &+ 1 : nil
    moved.insert(node)
    for device in nodes[node].devices.indices {
      nodes[node].devices[device].isOnline = device == 0
    }
    if !wasBorn { strangers -= 1 }
    nodes[node].generation += 1
    nodes[node].forgetAliases()
    define(payload, node, device: 0, &steps)
    rememberState(node, &steps)
    read(payload, node, 0, into: &readings)
    steps.append(.take)
  }

  private mutating func nodeDied(
    _ node: Int, _ payload: SparkplugPayload, _ now: Int64, _ steps: inout [Step]
  ) {
    let current = nodes[node].bdSeq
    let died = payload.bdSeq
    guard nodes[node].isOnline, current == nil || died == nil || died == current else {
      counters.ignoredDeaths += 1
      return
    }
    counters.deaths += 1
    releaseAll(node, now, &steps)
    nodes[node].isOnline = false
    nodes[node].expected = nil
    for device in nodes[node].devices.indices {
      nodes[node].devices[device].isOnline = false
      var topic = nodes[node].topic
      topic.device = nodes[node].devices[device].name
      steps.append(.wentStale(topic, time: nil))
    }
    rememberState(node, &steps)
  }

  /// Puts the metrics of a birth in force, and in memory when they differ from before.
  private mutating func define(
    _ payload: SparkplugPayload, _ node: Int, device: Int, _ steps: inout [Step]
  ) {
    let metrics = SparkplugMetrics(payload)
    let isNew = metrics != nodes[node].devices[device].metrics
    nodes[node].define(metrics, of: device)
    if isNew { steps.append(rememberMetrics(node, device)) }
  }

  // MARK: - Order

  private mutating func inOrder(
    _ topic: SparkplugTopic, _ node: Int, _ device: Int, _ payload: SparkplugPayload, _ now: Int64,
    _ held: () -> SparkplugHeld, _ readings: inout Readings, _ steps: inout [Step]
  ) throws(PayloadError) {
    let seq = UInt8(truncatingIfNeeded: payload.seq)
    let ahead = seq &- (nodes[node].expected ?? seq)
    if ahead == 0 {
      nodes[node].expected = seq &+ 1
      nodes[node].lastBehind = nil
      moved.insert(node)
      do throws(PayloadError) {
        try take(topic, node, device, payload, now, &readings, &steps)
      } catch {
        // It was its turn all the same: what waits behind it goes on.
        steps.append(.refuse(error))
      }
      if !nodes[node].held.isEmpty { releaseReady(node, now, &steps) }
    } else if ahead < 128, nodes[node].held[seq] == nil {
      hold(seq, node, held(), now, &steps)
    } else {
      counters.lateMessages += 1
      if ahead < 128 {
        // The same message twice waits once. Another one with its number is taken: two senders share a name.
        if nodes[node].held[seq]?.payload == held().payload { return }
      } else if let last = nodes[node].lastBehind, last &+ 1 == seq {
        // Two in a row behind: the node counts anew, or more than 127 were missed.
        releaseAll(node, now, &steps)
        nodes[node].expected = seq &+ 1
        nodes[node].lastBehind = nil
        moved.insert(node)
        want(node, "sequence numbers jumped to \(seq)", now)
      } else {
        nodes[node].lastBehind = seq
      }
      try take(topic, node, device, payload, now, &readings, &steps)
    }
  }

  private mutating func hold(
    _ seq: UInt8, _ node: Int, _ message: SparkplugHeld, _ now: Int64, _ steps: inout [Step]
  ) {
    counters.heldMessages += 1
    nodes[node].held[seq] = message
    heldBytes += message.payload.count
    steps.append(rememberHeld(node, seq, message))
    if nodes[node].reorderDeadline == nil {
      nodes[node].reorderDeadline = now + settings.reorderTimeout.microseconds
      waiting.insert(node)
    }
    if nodes[node].held.count > settings.heldMax || heldBytes > SparkplugHost.heldBytesMax {
      giveUp(node, now, &steps)
    }
  }

  /// The one that was missed will not come: what waits counts now, in order.
  private mutating func giveUp(_ node: Int, _ now: Int64, _ steps: inout [Step]) {
    guard let expected = nodes[node].expected ?? nodes[node].held.keys.min(),
      let missed = nodes[node].held.keys.map({ $0 &- expected }).min()
    else { return }
    counters.missedMessages += UInt64(missed)
    releaseAll(node, now, &steps)
    let last = expected &+ missed &- 1
    want(
      node,
      missed == 1
        ? "message \(expected) never came" : "messages \(expected) to \(last) never came", now)
  }

  /// Messages whose turn has come because the one before them did.
  private mutating func releaseReady(_ node: Int, _ now: Int64, _ steps: inout [Step]) {
    while let expected = nodes[node].expected, let message = nodes[node].held[expected] {
      release(node, expected, message, now, &steps)
    }
    if nodes[node].held.isEmpty { nodes[node].reorderDeadline = nil }
  }

  private mutating func releaseAll(_ node: Int, _ now: Int64, _ steps: inout [Step]) {
    nodes[node].reorderDeadline = nil
    guard let expected = nodes[node].expected ?? nodes[node].held.keys.min() else { return }
    let order = nodes[node].held.sorted { ($0.key &- expected) < ($1.key &- expected) }
    for (seq, message) in order { release(node, seq, message, now, &steps) }
  }

  private mutating func release(
    _ node: Int, _ seq: UInt8, _ message: SparkplugHeld, _ now: Int64, _ steps: inout [Step]
  ) {
    nodes[node].held[seq] = nil
    heldBytes -= message.payload.count
    nodes[node].expected = seq &+ 1
    moved.insert(node)
    steps.append(forgetHeld(node, seq))
    do throws(PayloadError) {
      let (topic, payload) = try message.parsed()
      let device = try place(of: topic).device
      var readings = Readings()
      var own: [Step] = []
      try take(topic, node, device, payload, now, &readings, &own)
      for step in own {
        if case .take = step {
          steps.append(.takeHeld(message, readings))
        } else {
          steps.append(step)
        }
      }
    } catch {
      steps.append(.refuseHeld(message, error))
    }
  }

  // MARK: - One message whose turn it is

  private mutating func take(
    _ topic: SparkplugTopic, _ node: Int, _ device: Int, _ payload: SparkplugPayload, _ now: Int64,
    _ readings: inout Readings, _ steps: inout [Step]
  ) throws(PayloadError) {
    guard nodes[node].isOnline else {
      throw missing(node, "node \(topic.nodeKey) sent \(topic.kind.rawValue) without a birth", now)
    }
    guard device != SparkplugHost.unborn else {
      // It had nothing that could end.
      if topic.kind == .deviceDeath { return }
      throw missing(node, "device \(topic.deviceID) sent DDATA without a birth", now)
    }
    switch topic.kind {
    case .deviceBirth:
      counters.births += 1
      nodes[node].devices[device].isOnline = true
      define(payload, node, device: device, &steps)
      steps.append(rememberDevice(node, device))
    case .deviceDeath:
      guard nodes[node].devices[device].isOnline else { return }
      counters.deaths += 1
      nodes[node].devices[device].isOnline = false
      steps.append(rememberDevice(node, device))
      let time = payload.hasTimestamp ? Timestamp(sparkplug: payload.timestamp) : nil
      return steps.append(.wentStale(topic, time: time))
    case .deviceData where !nodes[node].devices[device].isOnline:
      throw missing(node, "device \(topic.deviceID) sent DDATA without a birth", now)
    default: break
    }
    if read(payload, node, device, into: &readings) == .metAlienAlias {
      want(node, "an alias of \(topic.deviceID) is not known", now)
    }
    steps.append(.take)
  }

  private mutating func missing(_ node: Int, _ what: String, _ now: Int64) -> PayloadError {
    want(node, what, now)
    let next =
      settings.asksForRebirth
      ? "a rebirth is asked for; adopt the message from the quarantine after it"
      : "send `Node Control/Rebirth` to the node, then adopt the message from the quarantine"
    return PayloadError(code: "no_birth", detail: "\(what); \(next)")
  }

  // MARK: - Rebirth

  /// Asks for a rebirth of a node some time from now, unless that is wanted already.
  mutating func want(_ node: Int, _ reason: String, _ now: Int64) {
    guard settings.asksForRebirth else { return }
    // Between one and three seconds, different for each node and gateway.
    let jitter = Hash64.mix(settings.seed, Hash64.hash(nodes[node].topic.nodeKey)) % 2_000_000
    nodes[node].rebirth.want(reason, now: now, delay: 1_000_000 + Int64(jitter))
    waiting.insert(node)
  }

  /// A node that is to be asked for a rebirth.
  public struct RebirthRequest: Hashable, Sendable {
    /// `Node Control/Rebirth` = true, by name.
    public var payload: [UInt8]
    public var topic: String
    public var reason: String
  }

  /// What is due by the clock: waits that are over, and requests to send. Cheap when nothing waits.
  package mutating func advance(
    to now: Int64, timestamp: Timestamp, into steps: inout [Step]
  ) -> [RebirthRequest] {
    var requests: [RebirthRequest] = []
    for node in waiting.sorted() {
      if !nodes[node].held.isEmpty, nodes[node].reorderDeadline == nil {
        nodes[node].reorderDeadline = now + settings.reorderTimeout.microseconds
      }
      if let deadline = nodes[node].reorderDeadline, now >= deadline { giveUp(node, now, &steps) }
      if let reason = nodes[node].rebirth.take(now: now, settings: settings) {
        counters.rebirthRequests += 1
        requests.append(
          RebirthRequest(
            payload: SparkplugPayload.rebirthCommand(at: timestamp),
            topic: nodes[node].topic.commandTopic, reason: reason))
      }
      if nodes[node].held.isEmpty, nodes[node].rebirth.reason == nil { waiting.remove(node) }
    }
    return requests
  }

  /// The earliest moment at which `advance` has something to do; `nil` when nothing waits.
  public var nextDeadline: Int64? {
    waiting.map { node in
      min(
        nodes[node].held.isEmpty ? .max : nodes[node].reorderDeadline ?? 0,
        nodes[node].rebirth.reason == nil ? .max : nodes[node].rebirth.dueAt)
    }.min()
  }
}

extension SparkplugPayload {
  /// The session's number that birth and death of one connection share.
  var bdSeq: UInt64? {
    for metric in metrics where metric.name == "bdSeq" {
      switch metric.value {
      case .longValue(let number): return number
      case .intValue(let number): return UInt64(number)
      default: return nil
      }
    }
    return nil
  }

  static func rebirthCommand(at time: Timestamp) -> [UInt8] {
    var metric = Metric()
    metric.name = "Node Control/Rebirth"
    metric.timestamp = UInt64(max(0, time.microseconds / 1_000))
    metric.datatype = 11
    metric.booleanValue = true
    var payload = SparkplugPayload()
    payload.timestamp = metric.timestamp
    payload.metrics = [metric]
    return payload.encoded
  }

  package var encoded: [UInt8] {
    // No field is required and 2 GiB are never reached, so that encoding cannot fail.
    (try? serializedBytes()) ?? []
  }
}

extension Timestamp {
  /// Milliseconds since 1970; beyond the range of a timestamp the far end, which no receive time is near.
  init(sparkplug milliseconds: UInt64) {
    self.init(
      microseconds: milliseconds > 9_000_000_000_000_000 ? .max : Int64(milliseconds) * 1_000)
  }
}
