import Telemetry

/// A press behind an edge node: what changed is sent by alias, once a tick.
struct SparkplugPress: Sendable {
  static let commandTopic = "spBv1.0/plant/NCMD/edge9"
  private var edge = SparkplugEdge(group: "plant", node: "edge9")
  private var machine: Machine
  private var random: RandomSource
  private var sent: [SparkplugEdge.Metric] = []
  private var isConnected = false

  /// Says everything again at the next tick, as a host asked; the connection stays.
  mutating func rebirth() { isConnected = false }

  init(seed: UInt64) {
    machine = Machine(kind: .press, line: 9, seed: seed)
    random = RandomSource(seed: seed, name: "edge9")
  }

  mutating func messages(
    at time: Timestamp, seconds: Double, ambient: Double, isLost: Bool
  ) -> [SimulatedMessage] {
    _ = machine.advance(
      seconds: seconds, ambient: ambient,
      .drawn(StateChances(isUpstreamHalted: false, isDownstreamHalted: false)))
    let metrics = self.metrics
    if isLost, isConnected {
      // The broker publishes the Will; at the next tick the node is back.
      isConnected = false
      defer { edge.disconnected() }
      return [edge.death(at: time)]
    }
    defer { sent = metrics }
    guard isConnected else {
      isConnected = true
      return [
        edge.nodeBirth(
          [SparkplugEdge.Metric("Properties/Firmware", .text("4.2.1"))], at: time),
        edge.deviceBirth("press9", metrics, at: time),
      ]
    }
    let changed = zip(metrics, sent).filter { $0.value != $1.value }.map(\.0)
    return changed.isEmpty ? [] : [edge.data("press9", changed, at: time)]
  }

  private var metrics: [SparkplugEdge.Metric] {
    mutating get {
      let rumble = machine.state == .running ? 1.9 * (1 + 0.05 * random.noise()) : 0.08
      return [
        SparkplugEdge.Metric("State/Current", .text(machine.state.rawValue)),
        SparkplugEdge.Metric("Production/Cycles", .number(Double(machine.cycles))),
        SparkplugEdge.Metric("Production/Good", .number(Double(machine.good))),
        SparkplugEdge.Metric("Production/Scrap", .number(Double(machine.scrap))),
        SparkplugEdge.Metric(
          "Hydraulics/Temperature", .number(Decimal.rounded(machine.temperature, decimals: 2)),
          unit: "°C"),
        SparkplugEdge.Metric(
          "Hydraulics/Vibration", .number(Decimal.rounded(max(0, rumble), decimals: 3)),
          unit: "mm/s"),
        SparkplugEdge.Metric("Drive/Power", .number(machine.power), unit: "kW"),
        SparkplugEdge.Metric(
          "Drive/Energy", .number(Decimal.rounded(machine.energy, decimals: 3)), unit: "kWh"),
        SparkplugEdge.Metric("Drive/Enabled", .boolean(machine.state == .running)),
      ]
    }
  }
}
