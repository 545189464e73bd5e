import MQTT
import Scoring
import Storage
import Telemetry

extension IngestLoop {
  /// Takes maintenance events that came on one of `maintenance.topics`: one, or an array of them.
  ///
  /// Ids tell repetitions apart, so a redelivery does no harm. A message with something wrong in it is held in the
  /// quarantine with the reason; what is right in it is taken.
  func receiveMaintenance(_ publish: IncomingPublish) {
    defer {
      batchBytes += publish.payload.count + publish.topic.count
      batch.endDelivery(packetID: publish.packetID)
    }
    // What was retained was told before.
    guard !publish.isRetained else { return }
    var problem: String?
    do {
      let value = try JSONReader.read([UInt8](publish.payload))
      for (index, element) in (value.elements ?? [value]).enumerated() {
        do throws(MaintenanceReport.Refusal) {
          try take(try MaintenanceReport(reading: element), content: element)
        } catch {
          problem = problem ?? "event \(index + 1): \(error.detail)"
        }
      }
    } catch {
      problem = "it is not JSON: \(error.detail)"
    }
    guard let problem else { return }
    figures.quarantined += 1
    batch.items.append(
      .quarantined(
        Quarantined(
          cause: .malformed, topic: String(decoding: publish.topic, as: UTF8.self),
          contentType: String(decoding: publish.contentType, as: UTF8.self),
          reason: "a maintenance event: " + problem, received: now.time,
          payload: Array(publish.payload.prefix(65_536)), payloadSize: publish.payload.count)))
  }

  private func take(
    _ report: MaintenanceReport, content: JSONValue
  ) throws(MaintenanceReport.Refusal) {
    var report = report
    guard let device = MaintenanceStage.device(of: report, catalog: store.catalog) else {
      let id = report.device ?? report.asset ?? ""
      let near = nearestName(to: id, among: store.catalog.devices.map(\.id))
      throw MaintenanceReport.Refusal(
        field: "device_id", code: "unknown_device",
        detail: "there is no device `\(id)`" + (near.map { "; did you mean `\($0)`?" } ?? ""))
    }
    report.device = device.id
    let hash = Hash64.hash(Array(content.canonicalText.utf8))
    let event = report.event(id: "content-" + String(hash, radix: 16))
    guard !event.id.hasPrefix(Event.derivedIDPrefix) else {
      throw MaintenanceReport.Refusal(
        field: "event_id", code: "reserved_id",
        detail: "ids that begin with `\(Event.derivedIDPrefix)` are the gateway's own")
    }
    figures.events += 1
    // A database that cannot be asked now will say so at the commit; the event then comes again.
    if batchEventIDs.contains(event.id) || ((try? store.hasEvent(id: event.id)) ?? false) {
      figures.duplicateEvents += 1
      return
    }
    batchEventIDs.insert(event.id)
    batch.items.append(.event(event))
  }
}
