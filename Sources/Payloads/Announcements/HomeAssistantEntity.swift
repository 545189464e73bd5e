import Telemetry

/// One entity of Home Assistant's discovery, as the metrics and topics that it means.
struct HomeAssistantEntity {
  var component: String
  var fields: HomeAssistantFields
  /// What its value is called with us.
  var metric: String
  /// Where it stands in the announcement, for refusals.
  var place: String

  /// Of one entity; Home Assistant's own bridges name two.
  private static let availabilityTopicsMax = 16

  /// Classes whose values are words or times; every other class is a quantity.
  private static let wordClasses: Set<String> = ["enum", "date", "timestamp"]

  /// Adds what the entity says to its device.
  ///
  /// - Returns: false when it is of a component that is passed over.
  /// - Throws: `missing_topic` and `unsupported_template`.
  func read(
    into device: inout AnnouncedDevice, _ refusals: inout [Refusal]
  ) throws(PayloadError) -> Bool {
    switch component {
    case "sensor": try add(sensor, to: &device)
    case "binary_sensor", "switch": try add(onOff, to: &device)
    case "light": try light(&device)
    case "number": try add(number, to: &device)
    case "select":
      try add(AnnouncedMetric(name: metric, type: .text, kind: .state, words: options), to: &device)
    case "text": try add(AnnouncedMetric(name: metric, type: .text, kind: .state), to: &device)
    case "event":
      let event = AnnouncedMetric(name: metric, type: .text, kind: .event)
      try add(event, to: &device, path: "event_type")
    case "climate": try climate(&device)
    default: return false
    }
    addAvailability(to: &device, &refusals)
    if let topic = fields.topic("json_attributes_topic") {
      device.topics.append(AnnouncedTopic(topic, .ignored))
    }
    return true
  }

  // MARK: - Components

  private var sensor: AnnouncedMetric {
    let unit = (fields.string("unit_of_measurement") ?? "").trimmingASCIISpaces()
    let stateClass = fields.string("state_class")
    let deviceClass = fields.string("device_class")
    if let deviceClass, Self.wordClasses.contains(deviceClass) {
      return AnnouncedMetric(name: metric, type: .text, kind: .state, words: options)
    }
    guard !unit.isEmpty || stateClass != nil || deviceClass != nil else {
      return AnnouncedMetric(name: metric)
    }
    let counts = stateClass == "total" || stateClass == "total_increasing"
    return AnnouncedMetric(
      name: metric, type: .number, kind: counts ? .counter : .gauge, unit: unit)
  }

  private var onOff: AnnouncedMetric {
    let on = fields.string("payload_on") ?? "ON"
    let off = fields.string("payload_off") ?? "OFF"
    return .state(
      metric, on: fields.string("state_on") ?? on, off: fields.string("state_off") ?? off)
  }

  private var number: AnnouncedMetric {
    let low = fields["min"]?.number ?? -.infinity
    let high = fields["max"]?.number ?? .infinity
    let isBounded = low < high && (low.isFinite || high.isFinite)
    return AnnouncedMetric(
      name: metric, type: .number, kind: .gauge,
      unit: (fields.string("unit_of_measurement") ?? "").trimmingASCIISpaces(),
      range: isBounded ? low...high : nil)
  }

  private var options: [AnnouncedMetric.Word] {
    (fields["options"]?.values ?? []).compactMap(\.word).map { .init(raw: $0, word: $0) }
  }

  /// The state alone: brightness and colour are commands more than measurements.
  private func light(_ device: inout AnnouncedDevice) throws(PayloadError) {
    switch fields.string("schema") ?? "basic" {
    case "json": try add(.state(metric, on: "ON", off: "OFF"), to: &device, path: "state")
    case "basic": try add(onOff, to: &device, template: "state_value_template")
    default:
      throw PayloadError(
        code: "unsupported_template", detail: "`schema: template` of a light is not read.")
    }
  }

  private func climate(_ device: inout AnnouncedDevice) throws(PayloadError) {
    let unit = fields.string("temperature_unit").map { $0 == "F" ? "°F" : "°C" } ?? ""
    let parts: [(String, String, AnnouncedMetric)] = [
      (
        "current_temperature_topic", "current_temperature_template",
        AnnouncedMetric(
          name: metric + ".current_temperature", type: .number, kind: .gauge, unit: unit)
      ),
      (
        "temperature_state_topic", "temperature_state_template",
        AnnouncedMetric(name: metric + ".temperature", type: .number, kind: .gauge, unit: unit)
      ),
      (
        "current_humidity_topic", "current_humidity_template",
        AnnouncedMetric(
          name: metric + ".current_humidity", type: .number, kind: .gauge, unit: "%")
      ),
      (
        "mode_state_topic", "mode_state_template",
        AnnouncedMetric(name: metric + ".mode", type: .text, kind: .state)
      ),
      (
        "action_topic", "action_template",
        AnnouncedMetric(name: metric + ".action", type: .text, kind: .state)
      ),
    ]
    for (topic, template, metric) in parts where fields.topic(topic) != nil {
      try add(metric, to: &device, topic: topic, template: template)
    }
  }

  // MARK: - Topics

  /// - Parameter path: where the value stands when there is no template.
  private func add(
    _ metric: AnnouncedMetric, to device: inout AnnouncedDevice, topic: String = "state_topic",
    template: String = "value_template", path: String = ""
  ) throws(PayloadError) {
    guard let name = fields.topic(topic) else {
      throw PayloadError(
        code: "missing_topic",
        detail:
          "`\(place)\(topic)` is missing: without it no value of `\(metric.name)` can be found.")
    }
    var path = path
    if let text = fields.string(template) { path = try self.path(text, in: template) }
    device.metrics.append(metric)
    if path.isEmpty {
      device.topics.append(AnnouncedTopic(name, .scalar(metric: metric.name)))
      return
    }
    var mapping = JSONMapping()
    mapping.rest = .ignore
    mapping.metrics = [JSONMapping.Metric(path: path, name: metric.name)]
    device.topics.append(AnnouncedTopic(name, .values(mapping)))
  }

  private func path(_ text: String, in field: String) throws(PayloadError) -> String {
    if let template = ValueTemplate(text) { return template.path }
    throw PayloadError(
      code: "unsupported_template",
      detail:
        "`\(place)\(field)` is `\(text.prefix(200))`; supported is \(ValueTemplate.supported). "
        + "Announce a plainer template, or add a route for the topic in devices/*.yaml.")
  }

  /// Each topic speaks for itself and the last word counts, as with `availability_mode: latest`: all and
  /// any would need the state of topics that may never have sent one.
  private func addAvailability(to device: inout AnnouncedDevice, _ refusals: inout [Refusal]) {
    var sources: [(fields: HomeAssistantFields, topic: String?, template: String)] = []
    sources.append((fields, fields.topic("availability_topic"), "availability_template"))
    let listed = fields["availability"]
    for entry in listed?.isObject == true ? [listed ?? .null] : listed?.values ?? [] {
      let fields = HomeAssistantFields(entry, base: fields.baseTopic)
      sources.append((fields, fields.topic("topic"), "value_template"))
    }
    for source in sources.prefix(Self.availabilityTopicsMax) {
      guard let topic = source.topic else { continue }
      var availability = AnnouncedAvailability(
        online: source.fields.string("payload_available") ?? "online",
        offline: source.fields.string("payload_not_available") ?? "offline")
      if let text = source.fields.string(source.template) {
        do throws(PayloadError) {
          availability.path = try path(text, in: source.template)
        } catch {
          refusals.append(
            Refusal(place: place + "availability", code: error.code, detail: error.detail))
          continue
        }
      }
      device.topics.append(AnnouncedTopic(topic, .availability(availability)))
    }
  }
}
