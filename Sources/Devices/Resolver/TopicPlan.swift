import Payloads
import Telemetry

/// What the topic of a message says about it, worked out once per topic.
struct TopicPlan: Sendable {
  var isIgnored = false
  /// A route or a declared device says what comes here.
  var isRouted = false
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
  /// What the name of each metric of the payload begins with; empty: nothing.
  var metricPath: [UInt8] = []
  /// Bytes of the last level in it.
  var metricPathLast = 0
  /// Units that the mapping gives to metrics of the payload.
  var units: [MappedUnit] = []
  var decoder = CachedDecoder()
  /// Set where the topic is laid out as Sparkplug says and nothing else is asked for.
  var sparkplug: SparkplugTopic?
  /// Messages announce what others mean.
  var isAnnouncement = false
  /// Set where an announcement, or the habits of a family, tell what comes here.
  var family: AnnouncementFamily?
  /// Values without a unit are in the unit that was announced for their metric.
  var isAnnounced = false
  var carriesValues = true
  /// Overrules the mapping of the route, which is none then.
  var mapping: JSONMapping?
  var availability: AnnouncedAvailability?
  /// Ids of devices that are gone with this one.
  var behind: [String] = []
  /// The model, which may be the id of a profile.
  var deviceType = ""
  /// Positions of the plans for other devices of the same messages.
  var also: [Int] = []

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
  /// The plans of a topic under a configuration: one, or one for each device it was announced for.
  ///
  /// A route or a declared device comes first, then what was announced, then the habits of the families,
  /// then the rules for any topic. Announcements themselves are heard also under a route, which often has
  /// wildcards and was not meant for them, unless it ignores them.
  static func plans(
    of topic: String, configuration: DeviceConfiguration, table: RouteTable,
    book: AnnouncementBook
  ) -> [TopicPlan] {
    let plain = TopicPlan(topic: topic, configuration: configuration, table: table)
    if !plain.isIgnored, book.announces(topic) {
      var plan = plain
      plan.isAnnouncement = true
      return [plan]
    }
    guard !plain.isRouted, plain.sparkplug == nil else { return [plain] }
    let announced = book.announced(topic)
    if !announced.isEmpty {
      let told = announced.filter { $0.content != .ignored || $0.availability != nil }
      return (told.isEmpty ? [announced[0]] : told).map { TopicPlan(plain, $0, isAnnounced: true) }
    }
    return [book.habitual(topic).map { TopicPlan(plain, $0, isAnnounced: false) } ?? plain]
  }

  private init(_ plain: TopicPlan, _ meaning: AnnouncementBook.Meaning, isAnnounced: Bool) {
    self = plain
    self.isAnnounced = isAnnounced
    family = meaning.family
    payloadNamesDevice = false
    device.id = meaning.device
    deviceType = meaning.type
    availability = meaning.availability
    behind = meaning.behind
    switch meaning.content {
    case .values(let mapping):
      self.mapping = mapping
      if isAnnounced {
        format = .json
        scalarDevice.id = meaning.device
      } else {
        // One value on a topic of its own: the last level is the metric.
        scalarDevice.id = meaning.device.split(separator: ".").dropLast().joined(separator: ".")
      }
    case .scalar(let metric):
      format = .scalar
      scalarDevice.id = meaning.device
      scalarMetric = Array(metric.utf8)
    case .ignored: isIgnored = meaning.availability == nil
    case nil: break
    }
    carriesValues = meaning.content != nil && meaning.content != .ignored
  }

  /// The plan of a topic without announcements.
  private init(topic: String, configuration: DeviceConfiguration, table: RouteTable) {
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
    isRouted = true
    switch target {
    case .device(let position): follow(configuration.devices[position])
    case .route(let position):
      let route = configuration.routes[position]
      // A namespace of all topics does not mean those that Sparkplug lays out its own way.
      if route.namespace != nil, self.sparkplug != nil {
        isRouted = false
        return
      }
      follow(route, position, captures)
      if let namespace = route.namespace {
        follow(namespace, topic, hasDevice: route.device != nil)
      }
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

  /// The levels of the topic tell device, asset and the beginning of each metric.
  private mutating func follow(_ namespace: UnifiedNamespace, _ topic: String, hasDevice: Bool) {
    let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
    guard let place = namespace.place(of: levels) else { return }
    payloadNamesDevice = false
    isIgnored = namespace.ignoredContracts.contains(String(place.contract))
    asset = place.location.joined(separator: "/")
    if !hasDevice { device.id = place.location.joined(separator: ".") }
    scalarDevice.id = device.id
    metricPath = Array(place.path.joined(separator: ".").utf8)
    metricPathLast = place.path.last?.utf8.count ?? 0
    scalarMetric = metricPath.isEmpty ? Array("value".utf8) : metricPath
  }
}
