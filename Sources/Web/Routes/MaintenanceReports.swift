import Gateway
import Scoring
import Telemetry

/// Reads what is told of maintenance into events of the log, and finds out which machine is meant.
struct MaintenanceReports: Sendable {
  let catalog: Catalog

  /// One report as the log keeps it.
  func read(_ value: JSONValue) throws(EventRefusal) -> Event {
    var report: MaintenanceReport
    do throws(MaintenanceReport.Refusal) {
      report = try MaintenanceReport(reading: value)
    } catch {
      throw EventRefusal(error, at: "")
    }
    report.device = try device(of: report).id
    return report.event(id: EventFields.makeID(of: value, hasTime: true, key: nil))
  }

  private func device(of report: MaintenanceReport) throws(EventRefusal) -> DeviceDefinition {
    if let id = report.device {
      if let device = catalog.devices.first(where: { $0.id == id || $0.was.contains(id) }) {
        return device
      }
      let near = nearestName(to: id, among: catalog.devices.map(\.id))
      throw EventRefusal(
        pointer: "/device_id", code: "unknown_device",
        detail: "there is no device `\(id)`" + (near.map { "; did you mean `\($0)`?" } ?? ""))
    }
    let asset = report.asset ?? ""
    let placed = catalog.devices.filter { $0.asset == asset }
    if placed.count == 1 { return placed[0] }
    let assets = catalog.devices.map(\.asset).filter { !$0.isEmpty }
    throw EventRefusal(
      pointer: "/asset", code: placed.isEmpty ? "unknown_asset" : "ambiguous_asset",
      detail: placed.isEmpty
        ? "no device is at `\(asset)`"
          + (nearestName(to: asset, among: assets).map { "; did you mean `\($0)`?" } ?? "")
        : "\(placed.map { "`\($0.id)`" }.joined(separator: ", ")) are at `\(asset)`: name one as"
          + " `device_id`")
  }

  /// For events that came by another way: one called `MaintenanceEvent` that says nothing usable is refused.
  static func check(_ event: Event, at pointer: String) throws(EventRefusal) {
    guard event.name == MaintenanceReport.eventName else { return }
    do throws(MaintenanceReport.Refusal) {
      _ = try MaintenanceReport(event)
    } catch {
      throw EventRefusal(error, at: pointer)
    }
  }
}

extension EventRefusal {
  fileprivate init(_ refusal: MaintenanceReport.Refusal, at pointer: String) {
    self.init(
      pointer: refusal.field.isEmpty
        ? pointer : pointer + "/" + EventFields.escaped(refusal.field),
      code: refusal.code, detail: refusal.detail)
  }
}
