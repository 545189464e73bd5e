import Telemetry

/// The twin of a device as one JSON object: what it reports, what is desired of it, and how the two differ.
///
/// ```
/// {"device_id":"conveyor1","profile":"conveyor","asset":"acme/…/conveyor1","as_of":null,
///  "reported":{"speed":{"value":0.8,"unit":"m/s","quality":"good","time":"…"}},
///  "desired":{"speed":{"value":1.2,"unit":"m/s","since":"…","by":"anna","status":"pending",…}},
///  "delta":{"speed":{"desired":1.2,"reported":0.8,"unit":"m/s","status":"pending"}},
///  "health":0.93,"computed":{"oee":0.81},"alarms":[…],"anomalies":[…],
///  "links":{"users":["anna"],"neighbours":["press1"]},"version":3}
/// ```
///
/// A pure function of what it is given. A twin as of an earlier time is made of the samples and the rows of
/// that time; `time` says so in `as_of`.
public struct TwinDocument: Sendable {
  /// The last value of a series of the device.
  public struct Feature: Sendable, Hashable {
    public var name: String
    public var value: Value
    /// UCUM code; empty: none.
    public var unit: String
    public var quality: Quality
    public var time: Timestamp

    public init(
      name: String, value: Value, unit: String = "", quality: Quality = .good, time: Timestamp
    ) {
      self.name = name
      self.value = value
      self.unit = unit
      self.quality = quality
      self.time = time
    }
  }

  public var device: DeviceDefinition
  /// `nil`: as it is now.
  public var time: Timestamp?
  public var features: [Feature] = []
  /// The body of the standing of kind `desired`; `nil`: there is none.
  public var desired: JSONValue?
  /// What the profile declares writable: tolerances and metrics.
  public var properties: [DesiredProperty] = []
  /// Rows of the alarms that are up, as they are shown elsewhere.
  public var alarms: [JSONValue] = []
  public var anomalies: [JSONValue] = []
  /// What the gateway worked out, by name: `health`, `oee`, …
  public var computed: [(name: String, value: JSONValue)] = []
  /// Ids of the users who work with it.
  public var users: [String] = []
  /// Ids of the devices beside it; see `neighbours`.
  public var neighbours: [String] = []

  public init(device: DeviceDefinition, time: Timestamp? = nil) {
    self.device = device
    self.time = time
  }

  /// Of the desired state, for `ETag`; 0: nothing was ever desired.
  public var version: UInt64 {
    guard case .number(let digits)? = desired?["version"] else { return 0 }
    return UInt64(digits) ?? 0
  }

  public var json: JSONValue {
    .object([
      ("device_id", .string(device.id)), ("profile", .string(device.profile)),
      ("asset", .string(device.asset)), ("as_of", .optional(time?.rfc3339)),
      ("reported", reported), ("desired", .object(desires)), ("delta", delta),
      ("health", computed.last { $0.name == "health" }?.value ?? .null),
      ("computed", .object(computed.filter { $0.name != "health" }.map { ($0.name, $0.value) })),
      ("alarms", .array(alarms)), ("anomalies", .array(anomalies)),
      (
        "links",
        .object([
          ("users", .array(users.map(JSONValue.string))),
          ("neighbours", .array(neighbours.map(JSONValue.string))),
        ])
      ), ("version", .integer(version)),
    ])
  }

  /// Also what is retained on `twin/<device>/reported`.
  public var reported: JSONValue {
    .object(
      features.map { feature in
        (
          feature.name,
          .object([
            ("value", JSONValue(feature.value)), ("unit", .string(feature.unit)),
            ("quality", .string(feature.quality.text)), ("time", .string(feature.time.rfc3339)),
          ])
        )
      })
  }

  private var desires: [(String, JSONValue)] { desired?["properties"]?.members ?? [] }

  /// Desired properties whose reported value is another one, beyond the tolerance; null where it is not known.
  private var delta: JSONValue {
    .object(
      desires.compactMap { name, desire in
        let property = properties.first { $0.name == name }
        let unit = desire["unit"]?.text ?? ""
        let found = value(of: property?.metric ?? name, in: unit)
        if let found, let wanted = desire["value"].flatMap(Value.init),
          property?.isReached(wanted, by: found) ?? (wanted == found)
        {
          return nil
        }
        return (
          name,
          .object([
            ("desired", desire["value"] ?? .null), ("reported", found.map(JSONValue.init) ?? .null),
            ("unit", .string(unit)), ("status", desire["status"] ?? .null),
          ])
        )
      })
  }

  /// The reported value of a metric in `unit`; `nil`: not known, not trusted or not comparable.
  private func value(of metric: String, in unit: String) -> Value? {
    guard let feature = features.last(where: { $0.name == metric }),
      feature.quality.severity != .bad, !feature.quality.contains(.stale)
    else { return nil }
    guard case .number(let number) = feature.value, feature.unit != unit, !unit.isEmpty,
      !feature.unit.isEmpty
    else { return feature.value }
    guard let source = Telemetry.Unit(feature.unit), let target = Telemetry.Unit(unit),
      let conversion = Telemetry.Unit.conversion(from: source, to: target)
    else { return nil }
    return .number(conversion.apply(number))
  }

  /// Ids of the devices that stand under the same asset, in the order of the registry; none for a device that
  /// has no place.
  public static func neighbours(
    of device: DeviceDefinition, among devices: [DeviceDefinition]
  ) -> [String] {
    guard let parent = parent(of: device.asset) else { return [] }
    return devices.filter { $0.index != device.index && Self.parent(of: $0.asset) == parent }
      .map(\.id)
  }

  private static func parent(of asset: String) -> Substring? {
    asset.lastIndex(of: "/").map { asset[..<$0] }
  }
}

extension Value {
  /// A number, a boolean or a text; `nil` for anything else.
  init?(_ json: JSONValue) {
    switch json {
    case .number(let digits):
      guard let number = Double(digits) else { return nil }
      self = .number(number)
    case .bool(let flag): self = .boolean(flag)
    case .string(let text): self = .text(text)
    case .null, .array, .object: return nil
    }
  }
}
