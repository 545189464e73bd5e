import Devices
import Storage
import Telemetry

/// What `check --explain` tells of a topic.
struct ExplainReport {
  let topic: String
  let explanation: Explanation

  /// - Parameters:
  ///   - payload: a message as it would come; empty: what the topic alone tells.
  ///   - data: the store whose devices, series and announcements count; `nil`: none.
  init(
    topic: String, payload: [UInt8], contentType: String, configuration: DeviceConfiguration,
    data: String?
  ) throws {
    self.topic = topic
    var registry = Registry()
    var memory: [String: [UInt8]] = [:]
    // Beside a running gateway files may go while they are read: then the configuration alone tells.
    if let data, let known = try? ExplainReport.known(data) {
      for item in known.items { registry.apply(item) }
      memory = known.memory
    }
    var resolver = Resolver(registry: registry)
    resolver.restore(memory: memory.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    _ = resolver.reconfigure(configuration)
    var (topic, contentType) = (topic, contentType)
    explanation = topic.withUTF8 { topic in
      contentType.withUTF8 { contentType in
        payload.withUnsafeBytes { payload in
          resolver.explain(
            IncomingMessage(
              topic: UnsafeRawBufferPointer(topic),
              contentType: UnsafeRawBufferPointer(contentType), payload: payload, received: .now,
              isFromQuarantine: true))
        }
      }
    }
  }

  private static func known(_ data: String) throws -> (items: [Item], memory: [String: [UInt8]]) {
    let store = try OfflineStore(directory: data)
    return (try store.reader.catalog().items, try store.memory())
  }

  var text: String {
    var lines = [
      "topic     \(topic)", "read by   \(explanation.origin.text)",
      "decoder   \(explanation.format)",
      "device    \(explanation.device.isEmpty ? "–" : explanation.device), \(explanation.deviceReason)",
      "profile   \(explanation.profile.isEmpty ? "none" : explanation.profile)",
      "asset     \(explanation.asset.isEmpty ? "not placed" : explanation.asset)",
    ]
    if !explanation.metrics.isEmpty {
      var table = Table(["metric", "value", "type", "kind", "unit", "because"], rightAligned: [1])
      table.rows = explanation.metrics.map { metric in
        let quality = metric.quality == .good ? "" : "; \(metric.quality.text)"
        return [
          metric.metric, metric.value, metric.type.name, metric.kind.name,
          metric.unit.isEmpty ? "–" : metric.unit, metric.reason + quality,
        ]
      }
      lines += ["", table.text]
    }
    for refusal in explanation.refusals {
      let place = refusal.place.isEmpty ? "" : "\(refusal.place): "
      lines.append("refused   \(place)\(refusal.detail) (\(refusal.code))")
    }
    if explanation.isQuarantined { lines.append("the message would be kept in the quarantine") }
    return lines.joined(separator: "\n")
  }
}
