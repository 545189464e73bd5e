import Payloads
import Telemetry

/// What the topic of a message says about it, worked out once per topic.
struct TopicPlan: Sendable {
  var isIgnored = false
  var format: PayloadFormat?
  var linePrecision = TimePrecision.nanoseconds
  /// Position in `configuration.routes`; −1 without a route.
  var route = -1
  /// `nil`: as in the settings.
  var unknownDevices: UnknownDevicePolicy?
  /// A device named by the payload comes before the ones below.
  var payloadNamesDevice = true
  var device = TopicDevice(id: "")
  /// The device of a scalar, whose last level is the metric.
  var scalarDevice = TopicDevice(id: "")
  var scalarMetric: [UInt8] = []
  var profile = ""
  var asset = ""
  /// Units that the mapping gives to metrics of the payload.
  var units: [MappedUnit] = []
  var decoder = CachedDecoder()
  /// Set where the topic is laid out as Sparkplug says and nothing else is asked for.
  var sparkplug: SparkplugTopic?

  struct TopicDevice: Sendable {
    var id: String
    /// Index in the registry once it is known there.
    var index: UInt32?
  }

  struct MappedUnit: Sendable {
    var metric: [UInt8]
    var unit: [UInt8]
  }

  /// The decoder used last under this plan.
  struct CachedDecoder: Sendable {
    var position = -1
    var format = PayloadFormat.json
    var precision = TimePrecision.nanoseconds
  }
}

extension TopicPlan {
  /// The plan of a topic under a configuration.
  init(topic: String, configuration: DeviceConfiguration, table: RouteTable) {
    let levels = topic.split(separator: "/")
    device.id = levels.joined(separator: ".")
    scalarDevice.id = levels.dropLast().joined(separator: ".")
    scalarMetric = Array((levels.last ?? "").utf8)
    let sparkplug = SparkplugTopic(topic)
    if let sparkplug, configuration.settings.sparkplug.isOn {
      self.sparkplug = sparkplug
      device.id = sparkplug.deviceID
    }
    defer { if format ?? .sparkplug != .sparkplug { self.sparkplug = nil } }
    guard let (target, captures) = table.match(topic) else { return }
    switch target {
    case .device(let position): follow(configuration.devices[position])
    case .route(let position): follow(configuration.routes[position], position, captures)
    }
  }

  /// On a device's own topic everything is that device's.
  private mutating func follow(_ declared: DeclaredDevice) {
    payloadNamesDevice = false
    device.id = declared.id
    scalarDevice.id = declared.id
  }

  private mutating func follow(_ route: Route, _ position: Int, _ captures: [TopicCapture]) {
    self.route = position
    isIgnored = route.isIgnored
    format = route.format
    linePrecision = route.linePrecision
    unknownDevices = route.unknownDevices
    profile = route.profile
    asset = route.asset?.filled(with: captures, separator: "/") ?? ""
    if let template = route.device {
      payloadNamesDevice = !route.mapping.devicePath.isEmpty
      device.id = template.filled(with: captures, separator: ".")
      scalarDevice.id = device.id
    }
    if let template = route.metric {
      scalarMetric = Array(template.filled(with: captures, separator: ".").utf8)
      // A metric that is not the last level leaves that level to the device.
      let isLastLevel = device.id.hasSuffix(".\(String(decoding: scalarMetric, as: UTF8.self))")
      if route.device == nil, !isLastLevel { scalarDevice.id = device.id }
    }
    units = route.mapping.metrics.filter { !$0.unit.isEmpty }.map { metric in
      MappedUnit(
        metric: Array((metric.name.isEmpty ? metric.path : metric.name).utf8),
        unit: Array(metric.unit.utf8))
    }
  }
}
