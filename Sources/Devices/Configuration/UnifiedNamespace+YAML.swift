import Payloads

/// ```yaml
/// - uns:                      # in place of `topic`; see UnifiedNamespace
///     root: umh/v1            # levels before the location; default: none
///     levels: [enterprise, site, area, line, cell]  # default: a level that begins with `_` ends it
///     ignore: [_state]        # contracts that are dropped knowingly; not with `levels`
///   device: "{line}-{cell}"   # with `levels`; default: all levels of the location, joined by `.`
///   profile: press            # for devices met here first
///   unknown_devices: quarantine
/// ```
/// The location is the asset of the device. Times are `timestamp_ms`, else as in other JSON.
extension UnifiedNamespace {
  /// - Returns: `nil` after reporting what is wrong.
  init?(reading map: YAMLMap) {
    let root = map.optional("root", .string) ?? ""
    let levels = map.optional("levels", .list(of: .name(bytesMax: 64))) ?? []
    let ignored = map.optional("ignore", .list(of: .contract)) ?? []
    map.refuseUnknownKeys()
    if !levels.isEmpty, !ignored.isEmpty {
      map.value("ignore")?.report("`ignore` names contracts, which `levels` does without")
    }
    do throws(TopicPattern.SyntaxError) {
      try self.init(root: root, levels: levels, ignoredContracts: ignored)
    } catch {
      (map.value("levels") ?? map.value("root"))?.report(error.message)
      return nil
    }
  }

  /// Reads `uns` and refuses what it leaves nothing to say about.
  static func read(in route: YAMLMap) -> UnifiedNamespace? {
    guard let namespace = route.optional("uns", .map).flatMap(UnifiedNamespace.init(reading:))
    else {
      return nil
    }
    let settled = ["topic", "format", "metric", "asset", "line_precision", "map", "ignore"]
    for key in settled {
      guard route.entries.contains(where: { $0.key == key }) else { continue }
      route.value(key)?.report("`\(key)` follows from `uns`: leave it out")
    }
    return namespace
  }
}

extension JSONMapping {
  /// As UMH writes times, else as usual.
  static let namespace = {
    var mapping = JSONMapping.standard
    mapping.timePaths.insert("timestamp_ms", at: 0)
    return mapping
  }()
}

extension YAMLType where Value == String {
  fileprivate static var contract: YAMLType {
    name().map { text, value in
      guard text.first == "_", !text.contains("/") else {
        value.report("`\(text)` is no contract: they begin with `_`")
        return nil
      }
      return text
    }
  }
}
