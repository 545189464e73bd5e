import Payloads
import Telemetry

/// An edge node that speaks Sparkplug B 3.0: births with names and aliases, data by alias, deaths.
///
/// Pure: it counts `seq` and `bdSeq` as the specification says and makes messages; a publisher sends them.
public struct SparkplugEdge: Sendable {
  /// A metric of the node or of one of its devices.
  public struct Metric: Sendable, Hashable {
    public var name: String
    public var value: Value
    /// As engineering unit in the birth; empty: none.
    public var unit: String

    public init(_ name: String, _ value: Value, unit: String = "") {
      self.name = name
      self.value = value
      self.unit = unit
    }
  }

  public let group: String
  public let node: String
  private var bdSeq: UInt64
  private var seq: UInt8 = 0
  private var aliases: [String: UInt64] = [:]

  /// - Parameter bdSeq: of the connection that comes next.
  public init(group: String, node: String, bdSeq: UInt64 = 0) {
    self.group = group
    self.node = node
    self.bdSeq = bdSeq
  }

  /// The Will of the present connection: what the broker publishes when the node is gone.
  public func death(at time: Timestamp) -> SimulatedMessage {
    var payload = SparkplugPayload()
    payload.metrics = [session]
    return message("NDEATH", device: "", payload, at: time, qos: 1)
  }

  /// The first message of a connection; sequence numbers begin anew.
  public mutating func nodeBirth(_ metrics: [Metric], at time: Timestamp) -> SimulatedMessage {
    seq = 0
    var payload = numbered(at: time)
    payload.metrics =
      [session, rebirthControl] + metrics.map { described($0, device: "", at: time) }
    return message("NBIRTH", device: "", payload, at: time)
  }

  public mutating func deviceBirth(
    _ device: String, _ metrics: [Metric], at time: Timestamp
  ) -> SimulatedMessage {
    var payload = numbered(at: time)
    payload.metrics = metrics.map { described($0, device: device, at: time) }
    return message("DBIRTH", device: device, payload, at: time)
  }

  /// Changed values of a device, or of the node when `device` is empty; by alias alone.
  ///
  /// - Parameter time: `nil`: an edge without a clock, which sends no times at all.
  public mutating func data(
    _ device: String = "", _ metrics: [Metric], at time: Timestamp?
  ) -> SimulatedMessage {
    var payload = numbered(at: time ?? .epoch)
    if time == nil { payload.clearTimestamp() }
    payload.metrics = metrics.map { metric in
      var sent = SparkplugPayload.Metric()
      sent.alias = alias(of: metric.name, device: device)
      if let time { sent.timestamp = milliseconds(time) }
      sent.put(metric.value)
      return sent
    }
    return message(
      device.isEmpty ? "NDATA" : "DDATA", device: device, payload, at: time ?? .epoch)
  }

  public mutating func deviceDeath(_ device: String, at time: Timestamp) -> SimulatedMessage {
    message("DDEATH", device: device, numbered(at: time), at: time)
  }

  /// The connection is gone; the next one has another number.
  public mutating func disconnected() { bdSeq = (bdSeq + 1) % 256 }

  // MARK: - Parts

  private var session: SparkplugPayload.Metric {
    var metric = SparkplugPayload.Metric()
    metric.name = "bdSeq"
    metric.datatype = 8
    metric.longValue = bdSeq
    return metric
  }

  private var rebirthControl: SparkplugPayload.Metric {
    var metric = SparkplugPayload.Metric()
    metric.name = "Node Control/Rebirth"
    metric.datatype = 11
    metric.booleanValue = false
    return metric
  }

  private mutating func numbered(at time: Timestamp) -> SparkplugPayload {
    var payload = SparkplugPayload()
    payload.timestamp = milliseconds(time)
    payload.seq = UInt64(seq)
    seq &+= 1
    return payload
  }

  private mutating func described(
    _ metric: Metric, device: String, at time: Timestamp
  ) -> SparkplugPayload.Metric {
    var sent = SparkplugPayload.Metric()
    sent.name = metric.name
    sent.alias = alias(of: metric.name, device: device)
    sent.timestamp = milliseconds(time)
    sent.put(metric.value)
    switch metric.value {
    case .number: sent.datatype = 10
    case .boolean: sent.datatype = 11
    case .text: sent.datatype = 12
    }
    if !metric.unit.isEmpty {
      var value = SparkplugPayload.PropertyValue()
      value.type = 12
      value.stringValue = metric.unit
      sent.properties.keys = ["engUnit"]
      sent.properties.values = [value]
    }
    return sent
  }

  /// Unique in the node, as the specification asks; given in the order of the births.
  private mutating func alias(of name: String, device: String) -> UInt64 {
    let key = device + "/" + name
    if let known = aliases[key] { return known }
    aliases[key] = UInt64(aliases.count + 1)
    return aliases[key] ?? 0
  }

  private func milliseconds(_ time: Timestamp) -> UInt64 {
    UInt64(max(0, time.microseconds / 1_000))
  }

  private func message(
    _ kind: String, device: String, _ payload: SparkplugPayload, at time: Timestamp, qos: Int32 = 0
  ) -> SimulatedMessage {
    let base = "\(SparkplugTopic.namespace)/\(group)/\(kind)/\(node)"
    return SimulatedMessage(
      time: time, topic: device.isEmpty ? base : "\(base)/\(device)", payload: payload.encoded,
      qos: qos)
  }
}

extension SparkplugPayload.Metric {
  fileprivate mutating func put(_ value: Value) {
    switch value {
    case .number(let number): doubleValue = number
    case .boolean(let flag): booleanValue = flag
    case .text(let text): stringValue = text
    }
  }
}
