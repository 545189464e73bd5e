import Devices
import Storage
import Telemetry

/// Commands of an operator about devices; each is answered when its record is on disk.
extension IngestLoop {
  /// Changes who a device is or where it stands; its history stays with it.
  func change(
    _ device: String, _ change: DeviceChange, seen: DeviceDefinition?
  ) throws -> PendingReply.Kind {
    do throws(Refused) {
      let items = try resolver.change(device: device, change, seen: seen)
      batch.items.append(contentsOf: items)
      return .command(accepted: items.count)
    } catch {
      throw SubmissionError.refused(code: error.code, detail: error.detail)
    }
  }
}
