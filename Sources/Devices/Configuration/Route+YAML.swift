import Payloads
import Telemetry

/// ```yaml
/// - topic: plant/{line}/{device}/telemetry   # required; see TopicPattern. Or `uns`, see UnifiedNamespace
///   format: json            # json | device | line | scalar | auto (default; json where `map` is given)
///   device: "{device}"      # template of the device id; levels of {rest#} are joined by `.`
///   metric: "{metric}"      # template of the metric of a scalar; default: the last level
///   profile: press          # for devices met here first
///   asset: acme/linz/hall1/{line}/{device}
///   line_precision: ms      # ns (default) | us | ms | s, for line protocol
///   unknown_devices: quarantine
///   map: {…}                # see JSONMapping; for json
/// - topic: plant/+/debug/#
///   ignore: true            # dropped knowingly; no other key
/// ```
extension Route {
  /// - Returns: `nil` when there is no readable topic to hang the route on.
  init?(reading map: YAMLMap) {
    let namespace = UnifiedNamespace.read(in: map)
    let hasNamespace = map.value("uns") != nil
    let pattern = hasNamespace ? namespace?.pattern : map.required("topic", .topicPattern)
    let statedFormat = map.optional("format", .format)
    let device = map.optional("device", .template(from: pattern))
    let metric = map.optional("metric", .template(from: pattern))
    let asset = map.optional("asset", .template(from: pattern))
    let precision = map.optional("line_precision", .timePrecision)
    let policy = map.optional("unknown_devices", .choice as YAMLType<UnknownDevicePolicy>)
    let mapping = map.optional("map", .map).map(JSONMapping.init(reading:))
    let isIgnored = map.optional("ignore", .bool) ?? false
    _ = map.value("profile")
    if hasNamespace { _ = map.value("topic") }
    map.refuseUnknownKeys()
    let format = statedFormat ?? (mapping == nil ? nil : .some(.json))
    if mapping != nil, format != .json {
      map.value("map")?.report("`map` is for format json")
    }
    if metric != nil, let format, format != .scalar {
      map.value("metric")?.report("`metric` is for format scalar")
    }
    if precision != nil, let format, format != .line {
      map.value("line_precision")?.report("`line_precision` is for format line")
    }
    if isIgnored {
      for entry in map.entries where entry.key != "topic" && entry.key != "ignore" {
        entry.name.report("`\(entry.key)` says nothing on a route with `ignore: true`")
      }
    }
    guard let pattern else { return nil }
    self.init(
      topic: pattern, format: format ?? nil, device: device, metric: metric, asset: asset,
      mapping: mapping ?? (hasNamespace ? .namespace : .standard),
      linePrecision: precision ?? .nanoseconds, unknownDevices: policy, isIgnored: isIgnored,
      namespace: namespace)
  }
}

/// ```yaml
/// map:
///   items: data.points          # path to the array or object of points; default: the root
///   device: meta.id             # path of the device id
///   device_type: meta.type
///   time: [ts, meta.time]       # a path or a list of paths, tried in order; default: timestamp, time, ts
///   metrics:
///     temp.value: temperature   # path: name
///     p: {name: pressure, unit: mbar, time: p_ts, quality: p_q, unit_from: p_unit}
///   ignore: [meta, debug]       # never taken, nor anything below
///   rest: take                  # take (default) | ignore: members no entry above names
/// ```
extension JSONMapping {
  init(reading map: YAMLMap) {
    self.init()
    items = map.optional("items", .string) ?? ""
    devicePath = map.optional("device", .path) ?? ""
    deviceTypePath = map.optional("device_type", .path) ?? ""
    timePaths = map.optional("time", .paths) ?? timePaths
    ignore = map.optional("ignore", .paths) ?? []
    rest = map.optional("rest", .choice) ?? .take
    for entry in map.optional("metrics", .map)?.entries ?? [] {
      guard entry.name.read(.path) != nil else { continue }
      if let metric = JSONMapping.Metric(entry) { metrics.append(metric) }
    }
    map.refuseUnknownKeys()
  }
}

extension JSONMapping.Metric {
  fileprivate init?(_ entry: YAMLMap.Entry) {
    self.init(path: entry.key)
    if entry.value.isNull { return }
    guard case .mapping = entry.value.node, let map = entry.value.read(.map) else {
      guard let name = entry.value.read(.name(bytesMax: 256)) else { return nil }
      self.name = name
      return
    }
    name = map.optional("name", .name(bytesMax: 256)) ?? ""
    unit = map.optional("unit", .unit)?.code ?? ""
    timePath = map.optional("time", .path) ?? ""
    qualityPath = map.optional("quality", .path) ?? ""
    unitPath = map.optional("unit_from", .path) ?? ""
    map.refuseUnknownKeys()
  }
}

extension YAMLType where Value == TopicPattern {
  static var topicPattern: YAMLType {
    YAMLType { value in
      guard let text = value.read(.string) else { return nil }
      do throws(TopicPattern.SyntaxError) {
        return try TopicPattern(text)
      } catch {
        value.report(error.message)
        return nil
      }
    }
  }
}

extension YAMLType where Value == TopicTemplate {
  /// A template whose captures all stand in `pattern`.
  static func template(from pattern: TopicPattern?) -> YAMLType {
    YAMLType { value in
      guard let text = value.read(.string) else { return nil }
      do throws(TopicPattern.SyntaxError) {
        let template = try TopicTemplate(text)
        let known = pattern?.captureNames ?? template.captureNames
        for name in template.captureNames where !known.contains(name) {
          let suggestion =
            nearestName(to: name, among: known).map { ", did you mean `{\($0)}`?" } ?? ""
          value.report("the topic has no capture `{\(name)}`\(suggestion)")
          return nil
        }
        return template
      } catch {
        value.report(error.message)
        return nil
      }
    }
  }
}

extension YAMLType where Value == PayloadFormat? {
  static var format: YAMLType {
    choice(of: PayloadFormat.allCases.map(\.rawValue) + ["auto"]) {
      .some($0 == "auto" ? nil : PayloadFormat(rawValue: $0))
    }
  }
}

extension YAMLType where Value == TimePrecision {
  static var timePrecision: YAMLType {
    choice(of: ["ns", "us", "ms", "s"]) { TimePrecision(name: $0) }
  }
}

extension YAMLType where Value == [String] {
  /// One path or a list of them.
  static var paths: YAMLType {
    YAMLType { value in
      if case .sequence = value.node { return value.read(.list(of: .path)) }
      return value.read(.path).map { [$0] }
    }
  }
}

extension YAMLType where Value == String {
  static var path: YAMLType { name(bytesMax: 1_024) }

  /// A name without a slash, which separates device and metric in `device/metric`.
  static var deviceID: YAMLType {
    name().map { id, value in
      guard !id.contains("/") else {
        value.report("a device id must not hold a slash: `\(id)`")
        return nil
      }
      return id
    }
  }

  static var asset: YAMLType {
    string.map { text, value in
      guard AssetPath(text) != nil else {
        value.report("`\(text)` is not an asset path such as `enterprise/site/area/line/unit`")
        return nil
      }
      return text
    }
  }
}
