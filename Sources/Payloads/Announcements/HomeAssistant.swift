import Telemetry

/// Reads what devices tell Home Assistant of themselves, in place of Home Assistant.
///
/// ```
/// homeassistant/<component>/[<node>/]<object>/config   one entity
/// homeassistant/device/[<node>/]<object>/config        a device with all of its entities
///
/// {"dev": {"ids": ["boiler1"], "name": "Boiler", "mdl": "B-200"}, "o": {"name": "…"},
///  "cmps": {"temp": {"p": "sensor", "dev_cla": "temperature", "unit_of_meas": "°C",
///                    "val_tpl": "{{ value_json.temp }}", "uniq_id": "boiler1_temp"}},
///  "stat_t": "boiler1/state", "avty_t": "boiler1/status"}
/// ```
/// The device is called by its first identifier, which outlives a renaming; without one by the node or
/// object. The metric is called as the object of the topic, or as the key of the component, without the
/// device's id in front. What gives no value of a kind we store (buttons, covers, cameras, updates, …) is
/// passed over knowingly. Units of climate are stored only where the device says them.
enum HomeAssistant {
  static let root = "homeassistant/"
  /// Of one device.
  static let componentsMax = 2_000

  /// Where an entity was announced: the levels between root and `config`.
  struct Place: Hashable {
    var component: String
    var node: String
    var object: String

    /// - Returns: `nil` when the topic is no discovery topic.
    init?(_ topic: String) {
      let levels = topic.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard levels.count == 4 || levels.count == 5, levels[0] == "homeassistant",
        levels.last == "config", levels.allSatisfy({ !$0.isEmpty })
      else { return nil }
      component = levels[1]
      node = levels.count == 5 ? levels[2] : ""
      object = levels[levels.count - 2]
    }
  }

  /// The devices of an announcement, none when it is passed over; of a device that has several entities,
  /// those that cannot be read are refused and the others go on.
  ///
  /// - Throws: what is wrong with the only entity, or `bad_announcement` for another shape.
  static func devices(_ tree: JSONTree, at place: Place) throws(PayloadError) -> (
    devices: [AnnouncedDevice], refusals: [Refusal]
  ) {
    guard tree.isObject else {
      throw PayloadError(code: "bad_announcement", detail: "Expected a JSON object.")
    }
    let shared = HomeAssistantFields(tree)
    var device = device(shared, at: place)
    guard place.component == "device" else {
      let metric = metricName(place.object, device: device.id, place: place)
      let entity = HomeAssistantEntity(
        component: place.component, fields: shared, metric: metric, place: "")
      var refusals: [Refusal] = []
      guard try entity.read(into: &device, &refusals) else { return ([], []) }
      return ([device], refusals)
    }
    guard let components = shared["components"], components.isObject else {
      throw PayloadError(
        code: "bad_announcement",
        detail: "`cmps` is missing; a device is announced with its components.")
    }
    guard components.members.count <= componentsMax else {
      throw PayloadError(
        code: "too_many_fields",
        detail: "A device may be announced with \(componentsMax) components at a time.")
    }
    var refusals: [Refusal] = []
    var hasEntities = false
    for member in components.members {
      var fields = HomeAssistantFields(member.value, base: shared.baseTopic)
      fields.inherit(shared)
      let entity = HomeAssistantEntity(
        component: fields.string("platform") ?? "", fields: fields,
        metric: metricName(member.name, device: device.id, place: place),
        place: "cmps.\(member.name).")
      do throws(PayloadError) {
        if try entity.read(into: &device, &refusals) { hasEntities = true }
      } catch {
        refusals.append(
          Refusal(place: "cmps.\(member.name)", code: error.code, detail: error.detail))
      }
    }
    // Components share topics of availability.
    var known: Set<AnnouncedTopic> = []
    device.topics.removeAll { !known.insert($0).inserted }
    return (hasEntities ? [device] : [], refusals)
  }

  private static func device(_ fields: HomeAssistantFields, at place: Place) -> AnnouncedDevice {
    let about = fields["device"].map { HomeAssistantFields($0) }
    let identifiers = about?["identifiers"]
    let connection = about?["connections"]?.values.first?.values.last
    let id =
      identifiers?.word ?? identifiers?.values.first?.word ?? connection?.word
      ?? (place.node.isEmpty ? place.object : place.node)
    let names = [about?.string("name"), about?.string("manufacturer")].compactMap { $0 }
    return AnnouncedDevice(
      id: id.asDeviceID, description: names.joined(separator: ", "),
      type: about?.string("model") ?? "")
  }

  /// `35EBF6_ENERGY_Total` of device `35EBF6` is `ENERGY_Total`.
  private static func metricName(_ object: String, device: String, place: Place) -> String {
    for owner in [device, place.node] where !owner.isEmpty {
      for separator in ["_", "-", "."] where object.hasPrefix(owner + separator) {
        let name = object.dropFirst(owner.count + 1)
        if !name.isEmpty { return String(name) }
      }
    }
    return object == device && place.component != "device" ? place.component : object
  }
}
