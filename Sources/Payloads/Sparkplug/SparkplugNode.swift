import Telemetry

/// What one edge node and its devices said at birth, and how far their messages have come.
struct SparkplugNode: Sendable {
  let topic: SparkplugTopic
  /// Short, stable name of the node in memory.
  let ordinal: Int
  var isOnline = false
  /// It was heard, but never born.
  var isStranger = false
  /// Of the birth in force; `nil` when it named none.
  var bdSeq: UInt64?
  /// The sequence number that comes next; `nil` before the first message.
  var expected: UInt8?
  /// The sequence number of a message that was behind; two in a row mean that the node counts anew.
  var lastBehind: UInt8?
  /// Messages ahead of their turn, by sequence number.
  var held: [UInt8: SparkplugHeld] = [:]
  /// When waiting for the missing one ends, by the monotonic clock.
  var reorderDeadline: Int64?
  var rebirth = SparkplugRebirth()
  /// The first is the node itself.
  var devices: [SparkplugDevice]

  /// Births of the node so far: what a device said before the present one no longer holds.
  var generation: UInt64 = 0
  private var deviceIndexes = ["": 0]

  /// Where an alias stands: the device and the place among its metrics.
  private struct Place: Sendable {
    var device: Int32
    var metric: Int32
  }

  /// Small aliases, most often all of them; a device of −1 is none.
  private var dense: [Place] = []
  private var sparse: [UInt64: Place] = [:]
  private static let denseMax: UInt64 = 4_096

  init(topic: SparkplugTopic, ordinal: Int) {
    var topic = topic
    topic.device = ""
    self.topic = topic
    self.ordinal = ordinal
    devices = [SparkplugDevice(name: "")]
  }

  /// `nil`: no birth named the device.
  func knownDevice(_ name: String) -> Int? { deviceIndexes[name] }

  /// The index of a device, which is made when it is new.
  mutating func deviceIndex(_ name: String) -> Int {
    if let known = deviceIndexes[name] { return known }
    deviceIndexes[name] = devices.count
    devices.append(SparkplugDevice(name: name))
    return devices.count - 1
  }

  /// - Returns: the device and the metric's place with it; `nil` when no birth named the alias.
  @inline(__always)
  func place(ofAlias alias: UInt64) -> (device: Int, metric: Int)? {
    if alias < UInt64(dense.count) {
      let place = dense[Int(alias)]
      return place.device < 0 ? nil : (Int(place.device), Int(place.metric))
    }
    return sparse[alias].map { (Int($0.device), Int($0.metric)) }
  }

  /// Puts the metrics of a birth in the place of those that the device had.
  mutating func define(_ metrics: SparkplugMetrics, of device: Int) {
    for case let alias? in devices[device].metrics.aliases { forget(alias, of: device) }
    devices[device].metrics = metrics
    for (index, alias) in metrics.aliases.enumerated() {
      guard let alias else { continue }
      put(Place(device: Int32(device), metric: Int32(index)), at: alias)
    }
  }

  /// A birth of the node: no alias means anything any more.
  mutating func forgetAliases() {
    dense.removeAll()
    sparse.removeAll()
  }

  private mutating func put(_ place: Place, at alias: UInt64) {
    guard alias < SparkplugNode.denseMax else {
      sparse[alias] = place
      return
    }
    while dense.count <= Int(alias) { dense.append(Place(device: -1, metric: 0)) }
    dense[Int(alias)] = place
  }

  private mutating func forget(_ alias: UInt64, of device: Int) {
    if alias < UInt64(dense.count) {
      if dense[Int(alias)].device == device { dense[Int(alias)].device = -1 }
    } else if let place = sparse[alias], place.device == device {
      sparse[alias] = nil
    }
  }
}

/// A device of a node, or the node itself.
struct SparkplugDevice: Sendable {
  let name: String
  var isOnline = false
  var metrics = SparkplugMetrics()
}

/// The metrics that a birth named, as flat arrays.
struct SparkplugMetrics: Hashable, Sendable {
  /// A name or unit in `bytes`.
  struct Text: Hashable, Sendable {
    var offset: Int32
    var count: Int32
  }

  private(set) var names: [Text] = []
  private(set) var units: [Text] = []
  private(set) var datatypes: [UInt32] = []
  private(set) var aliases: [UInt64?] = []
  /// Ways to command the node: `Node Control/Rebirth` and the like.
  private(set) var isControl: [Bool] = []
  private(set) var bytes: [UInt8] = []
  /// By name, for metrics that come without an alias.
  private(set) var indexes: [String: Int] = [:]

  mutating func append(name: String, unit: String, datatype: UInt32, alias: UInt64?) {
    indexes[name] = names.count
    names.append(add(name))
    units.append(add(unit))
    datatypes.append(datatype)
    aliases.append(alias)
    isControl.append(SparkplugMetrics.isControl(name))
  }

  private mutating func add(_ text: String) -> Text {
    let start = bytes.count
    bytes.append(contentsOf: text.utf8)
    return Text(offset: Int32(start), count: Int32(bytes.count - start))
  }

  func string(_ text: Text) -> String {
    String(decoding: bytes[Int(text.offset)..<Int(text.offset + text.count)], as: UTF8.self)
  }
}

/// A message that came ahead of its turn.
public struct SparkplugHeld: Hashable, Sendable {
  public var topic: String
  public var received: Timestamp
  public var payload: [UInt8]

  package init(topic: String, received: Timestamp, payload: [UInt8]) {
    self.topic = topic
    self.received = received
    self.payload = payload
  }

  func parsed() throws(PayloadError) -> (SparkplugTopic, SparkplugPayload) {
    guard let topic = SparkplugTopic(topic) else {
      throw PayloadError(code: "bad_topic", detail: "`\(self.topic)` is no Sparkplug topic.")
    }
    let payload = payload.withUnsafeBytes { bytes -> Result<SparkplugPayload, PayloadError> in
      do throws(PayloadError) {
        return .success(try SparkplugPayload(reading: bytes))
      } catch {
        return .failure(error)
      }
    }
    return (topic, try payload.get())
  }
}

/// When a node may be asked for a rebirth: not at once, and less and less often while it does not help.
struct SparkplugRebirth: Sendable {
  var reason: String?
  var dueAt: Int64 = 0
  private var notBefore: Int64 = .min
  private var doublings = 0

  /// - Parameter delay: microseconds to wait first, since a birth often comes by itself.
  mutating func want(_ reason: String, now: Int64, delay: Int64) {
    guard self.reason == nil else { return }
    self.reason = reason
    dueAt = max(now + delay, notBefore)
  }

  mutating func born() { reason = nil }

  /// - Returns: the reason when it is time to ask.
  mutating func take(now: Int64, settings: SparkplugSettings) -> String? {
    guard let reason, now >= dueAt else { return nil }
    self.reason = nil
    // Quiet for long since it could have been asked again: the last request helped.
    if notBefore != .min, now - notBefore > 10 * settings.rebirthInterval.microseconds {
      doublings = 0
    }
    let wait = settings.rebirthInterval.microseconds << Int64(doublings)
    notBefore = now + min(wait, 64 * settings.rebirthInterval.microseconds)
    doublings = min(doublings + 1, 10)
    return reason
  }
}
