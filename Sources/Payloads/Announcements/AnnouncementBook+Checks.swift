import Telemetry

/// What is looked at before an announcement is taken.
extension AnnouncementBook {
  /// - Throws: `too_many_announcements`.
  func checkRoom(for next: Announcement, _ before: Announcement?) throws(PayloadError) {
    let old = before?.metricCount ?? 0
    guard before != nil || announcements.count < AnnouncementBook.announcementsMax,
      byteCount - (before?.byteCount ?? 0) + next.byteCount <= AnnouncementBook.totalBytesMax,
      index.metricCount + looseCount - old + next.metricCount <= AnnouncementBook.metricsMax,
      index.devices.count + next.devices.count - (before?.devices.count ?? 0)
        <= AnnouncementBook.devicesMax
    else {
      throw PayloadError(
        code: "too_many_announcements",
        detail: "There are \(announcements.count) announcements of \(index.devices.count) devices "
          + "with \(index.metricCount) metrics in \(byteCount) bytes already; delete retained ones "
          + "that are not needed.")
    }
  }

  /// Keeps the units that a topic announced before where the new ones do not convert to them.
  static func keepUnits(
    _ next: inout Announcement, _ before: Announcement?, restored: [KeptUnit]
  ) -> [Refusal] {
    var units: [AnnouncementIndex.MetricKey: String] = [:]
    for device in before?.devices ?? [] {
      for metric in device.metrics where !metric.unit.isEmpty {
        units[AnnouncementIndex.MetricKey(device: device.id, metric: metric.name)] = metric.unit
      }
    }
    for unit in restored {
      units[AnnouncementIndex.MetricKey(device: unit.device, metric: unit.metric)] = unit.unit
    }
    guard !units.isEmpty else { return [] }
    var refusals: [Refusal] = []
    for device in next.devices.indices {
      for place in next.devices[device].metrics.indices {
        let metric = next.devices[device].metrics[place]
        let id = next.devices[device].id
        let key = AnnouncementIndex.MetricKey(device: id, metric: metric.name)
        guard let old = units[key], let own = Unit(old), let new = Unit(metric.unit),
          own.dimension != new.dimension
        else { continue }
        next.devices[device].metrics[place].unit = old
        // Its bounds are in the unit that does not count.
        next.devices[device].metrics[place].range = nil
        next.kept.append(KeptUnit(device: id, metric: metric.name, unit: old))
        refusals.append(
          Refusal(
            place: "\(id)/\(metric.name)", code: "incompatible_unit",
            detail: "`\(metric.name)` of `\(id)` was announced in `\(old)` and stays in it: "
              + "`\(metric.unit)` does not convert. Announce it under another name."))
      }
    }
    return refusals
  }

  /// Leaves out what no device id, metric or topic can be called.
  static func checkNames(_ devices: inout [AnnouncedDevice]) -> [Refusal] {
    func isName(_ text: String, _ bytesMax: Int) -> Bool {
      !text.isEmpty && text.utf8.count <= bytesMax && !text.utf8.contains { $0 < 32 || $0 == 127 }
    }
    var refusals: [Refusal] = []
    func refuse(_ name: String, _ what: String) {
      refusals.append(
        Refusal(
          place: String(name.prefix(64)), code: "bad_name",
          detail: "\(what) is empty, too long or holds characters that it must not; it is left out."
        ))
    }
    devices.removeAll { device in
      guard !isName(device.id, 128) else { return false }
      refuse(device.id, "A device id (1 to 128 bytes)")
      return true
    }
    for place in devices.indices {
      devices[place].metrics.removeAll { metric in
        guard !isName(metric.name, 256) else { return false }
        refuse(metric.name, "A metric's name (1 to 256 bytes)")
        return true
      }
      devices[place].topics.removeAll { topic in
        guard !isName(topic.topic, 1_024) || topic.topic.contains(where: { $0 == "+" || $0 == "#" })
        else { return false }
        refuse(topic.topic, "A topic (1 to 1024 bytes, no wildcards)")
        return true
      }
    }
    return refusals
  }
}

extension AnnouncementBook.Announcement {
  fileprivate var metricCount: Int { devices.reduce(loose.count) { $0 + $1.metrics.count } }
}
