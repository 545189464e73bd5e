import Telemetry

/// What devices said of themselves: which topics are theirs, what comes there, what their metrics are.
///
/// Pure: told of a message on an announcement topic, it answers what changed. An announcement replaces what
/// the same topic announced before; an empty one (a retained message that was deleted) forgets it.
///
/// Two announcements may speak of one value when both may be true of it; where type or dimension of the
/// unit contradict, the later one is refused in that part. A unit that a topic announced before is kept when
/// the new one does not convert to it: series that exist could not follow.
///
/// What must outlive a restart leaves as `Reception.memory` and comes back through `restore`.
public struct AnnouncementBook: Sendable {
  /// What became of an announcement.
  public struct Reception: Hashable, Sendable {
    /// Topics or metrics mean something else than before.
    public var isChanged = false
    /// It is of a kind that is passed over knowingly.
    public var isIgnored = false
    /// Parts that were not taken.
    public var refusals: [Refusal] = []
    /// To be remembered; empty content forgets.
    public var memory: Memory?

    public init() {}
  }

  public struct Memory: Hashable, Sendable {
    public var name: String
    public var content: [UInt8]
  }

  public static let announcementsMax = 20_000
  public static let devicesMax = 20_000
  public static let metricsMax = 200_000
  /// Bytes of one announcement; beyond it: `too_large`.
  public static let payloadBytesMax = 8 << 20
  /// Bytes of an announcement that is remembered, and of all of them.
  public static let rememberedBytesMax = 1 << 20
  public static let rememberedTotalMax = 64 << 20

  /// One announcement topic and what it said last.
  struct Announcement: Sendable {
    var family: AnnouncementFamily
    /// Of the payload, to tell a repetition without reading it.
    var fingerprint: UInt64
    /// Rises with each change: the order in which a restart takes them again.
    var ordinal: UInt64
    var devices: [AnnouncedDevice] = []
    /// Metrics whose device another announcement names: Tasmota's `sensors`.
    var loose: [AnnouncedMetric] = []
    /// Units that were kept against the announcement.
    var kept: [KeptUnit] = []
    var rememberedBytes = 0
  }

  struct KeptUnit: Hashable, Sendable {
    var device: String
    var metric: String
    var unit: String
  }

  public var settings: AnnouncementSettings
  var announcements: [String: Announcement] = [:]
  var index = AnnouncementIndex()
  /// Base topics under which a list of Zigbee2MQTT devices was heard.
  var bases: Set<String> = []
  var nextOrdinal: UInt64 = 1
  private var rememberedBytes = 0
  /// Refusals that were told already, so that a retained announcement is not told at each connection.
  private var toldRefusals: Set<UInt64> = []
  private static let toldRefusalsMax = 10_000

  public init(settings: AnnouncementSettings = AnnouncementSettings()) { self.settings = settings }

  public var announcementCount: Int { announcements.count }
  public var deviceCount: Int { index.devices.count }
  public var metricCount: Int { index.metricCount }

  /// Takes note of an announcement.
  ///
  /// - Returns: `nil` when the message is none of any family that is on.
  /// - Throws: what is wrong with the JSON, `bad_announcement`, `missing_topic`, `unsupported_template`,
  ///   `contradiction`, `too_large` and `too_many_announcements`; what was known before stays.
  public mutating func receive(
    topic: String, payload: UnsafeRawBufferPointer
  ) throws(PayloadError) -> Reception? {
    guard let family = AnnouncementBook.family(announcing: topic), settings.isOn(family) else {
      return nil
    }
    return try take(topic, family, payload, kept: [], ordinal: nil)
  }

  /// Whether a refusal of this message was told before; the first time it is not.
  public mutating func wasTold(
    _ error: PayloadError, topic: String, payload: UnsafeRawBufferPointer
  ) -> Bool {
    if toldRefusals.count >= AnnouncementBook.toldRefusalsMax { toldRefusals.removeAll() }
    let message = Hash64.mix(Hash64.hash(topic), Hash64.hash(payload))
    let hash = Hash64.mix(message, Hash64.hash(error.description))
    return !toldRefusals.insert(hash).inserted
  }

  /// - Parameters:
  ///   - kept: of a restored announcement.
  ///   - ordinal: `nil`: the next, when it changes anything.
  mutating func take(
    _ topic: String, _ family: AnnouncementFamily, _ payload: UnsafeRawBufferPointer,
    kept: [KeptUnit], ordinal: UInt64?
  ) throws(PayloadError) -> Reception? {
    if payload.isEmpty { return forget(topic) }
    guard payload.count <= AnnouncementBook.payloadBytesMax else {
      throw PayloadError(
        code: "too_large",
        detail: "An announcement may have \(AnnouncementBook.payloadBytesMax) bytes.")
    }
    let before = announcements[topic]
    let fingerprint = Hash64.hash(payload, seed: UInt64(payload.count))
    if before?.fingerprint == fingerprint { return Reception() }
    guard var (next, refusals) = try read(topic, family, payload) else { return nil }
    next.fingerprint = fingerprint
    refusals += checkNames(&next.devices)
    guard !next.devices.isEmpty || !next.loose.isEmpty || !refusals.isEmpty else {
      var reception = forget(topic)
      reception.isIgnored = true
      return reception
    }
    try checkRoom(for: next, before)
    refusals += keepUnits(&next, before, restored: kept)
    let isOnly = next.devices.count == 1 && next.devices[0].metrics.count == 1
    index.remove(topic, before?.devices ?? [])
    let contradictions = index.removeContradictions(from: &next.devices, of: topic)
    if isOnly, next.devices[0].metrics.isEmpty, let first = contradictions.first {
      index.add(topic, family, before?.devices ?? [])
      throw PayloadError(code: first.code, detail: first.detail)
    }
    refusals += contradictions
    index.add(topic, family, next.devices)
    var reception = Reception()
    reception.isChanged = next.devices != before?.devices || next.loose != before?.loose ?? []
    reception.refusals = refusals
    next.ordinal = ordinal ?? (reception.isChanged ? nextOrdinal : before?.ordinal ?? nextOrdinal)
    nextOrdinal = max(nextOrdinal, next.ordinal + 1)
    next.rememberedBytes = before?.rememberedBytes ?? 0
    announcements[topic] = next
    if reception.isChanged { remember(topic, payload, &reception) }
    completeSibling(of: topic)
    return reception
  }

  /// Forgets what a topic announced.
  private mutating func forget(_ topic: String) -> Reception {
    var reception = Reception()
    guard let gone = announcements.removeValue(forKey: topic) else { return reception }
    index.remove(topic, gone.devices)
    rememberedBytes -= gone.rememberedBytes
    if gone.family == .zigbee2MQTT { bases.remove(AnnouncementBook.base(of: topic)) }
    reception.isChanged = true
    reception.memory = Memory(name: AnnouncementBook.memoryPrefix + topic, content: [])
    completeSibling(of: topic)
    return reception
  }

  private mutating func remember(
    _ topic: String, _ payload: UnsafeRawBufferPointer, _ reception: inout Reception
  ) {
    guard let announcement = announcements[topic] else { return }
    rememberedBytes -= announcement.rememberedBytes
    let name = AnnouncementBook.memoryPrefix + topic
    let content = AnnouncementBook.content(announcement, payload)
    let fits =
      content.count <= AnnouncementBook.rememberedBytesMax
      && rememberedBytes + content.count <= AnnouncementBook.rememberedTotalMax
    announcements[topic]?.rememberedBytes = fits ? content.count : 0
    reception.memory = Memory(name: name, content: fits ? content : [])
    if fits {
      rememberedBytes += content.count
    } else {
      reception.refusals.append(
        Refusal(
          place: "", code: "not_remembered",
          detail: "The announcement is understood but with \(payload.count) bytes too large to be "
            + "remembered: after a restart it counts again once it is heard; have it retained."))
    }
  }

  private func checkRoom(
    for next: Announcement, _ before: Announcement?
  ) throws(PayloadError) {
    let metrics = next.devices.reduce(next.loose.count) { $0 + $1.metrics.count }
    let old = before?.devices.reduce(0) { $0 + $1.metrics.count } ?? 0
    guard before != nil || announcements.count < AnnouncementBook.announcementsMax,
      index.metricCount - old + metrics <= AnnouncementBook.metricsMax,
      index.devices.count + next.devices.count - (before?.devices.count ?? 0)
        <= AnnouncementBook.devicesMax
    else {
      throw PayloadError(
        code: "too_many_announcements",
        detail: "There are \(announcements.count) announcements of \(index.devices.count) devices "
          + "with \(index.metricCount) metrics already; delete retained ones that are not needed.")
    }
  }

  /// Keeps the units that a topic announced before where the new ones do not convert to them.
  private func keepUnits(
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
  private func checkNames(_ devices: inout [AnnouncedDevice]) -> [Refusal] {
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
