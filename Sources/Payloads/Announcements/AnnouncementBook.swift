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
  /// Bytes of all announcements together.
  public static let totalBytesMax = 64 << 20
  /// Bytes of an announcement that is remembered.
  public static let rememberedBytesMax = 1 << 20

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
    /// Of the payload.
    var byteCount = 0
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
  /// Over all announcements.
  private(set) var byteCount = 0
  private(set) var looseCount = 0
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
    next.byteCount = payload.count
    refusals += AnnouncementBook.checkNames(&next.devices)
    guard !next.devices.isEmpty || !next.loose.isEmpty || !refusals.isEmpty else {
      var reception = forget(topic)
      reception.isIgnored = true
      return reception
    }
    try checkRoom(for: next, before)
    refusals += AnnouncementBook.keepUnits(&next, before, restored: kept)
    refusals += try exchange(before, for: &next, of: topic)
    var reception = Reception()
    reception.isChanged = next.devices != before?.devices || next.loose != before?.loose ?? []
    reception.refusals = refusals
    next.ordinal = ordinal ?? (reception.isChanged ? nextOrdinal : before?.ordinal ?? nextOrdinal)
    nextOrdinal = max(nextOrdinal, next.ordinal + 1)
    put(next, topic)
    if reception.isChanged { remember(topic, next, payload, &reception) }
    completeSibling(of: topic)
    return reception
  }

  /// Puts the claims of an announcement in the place of those it made before, without what contradicts
  /// others.
  ///
  /// - Throws: `contradiction` when nothing is left of the only metric; the claims stay as they were.
  private mutating func exchange(
    _ before: Announcement?, for next: inout Announcement, of topic: String
  ) throws(PayloadError) -> [Refusal] {
    let isOnly = next.devices.count == 1 && next.devices[0].metrics.count == 1
    index.remove(topic, before?.devices ?? [])
    let contradictions = index.removeContradictions(from: &next.devices, of: topic)
    if isOnly, next.devices[0].metrics.isEmpty, let first = contradictions.first {
      index.add(topic, next.family, before?.devices ?? [])
      throw PayloadError(code: first.code, detail: first.detail)
    }
    index.add(topic, next.family, next.devices)
    return contradictions
  }

  /// Keeps or, with `nil`, forgets an announcement, and the sums over all.
  private mutating func put(_ announcement: Announcement?, _ topic: String) {
    let old = announcements[topic]
    announcements[topic] = announcement
    byteCount += (announcement?.byteCount ?? 0) - (old?.byteCount ?? 0)
    looseCount += (announcement?.loose.count ?? 0) - (old?.loose.count ?? 0)
  }

  /// Forgets what a topic announced.
  private mutating func forget(_ topic: String) -> Reception {
    var reception = Reception()
    guard let gone = announcements[topic] else { return reception }
    put(nil, topic)
    index.remove(topic, gone.devices)
    if gone.family == .zigbee2MQTT { bases.remove(AnnouncementBook.base(of: topic)) }
    reception.isChanged = true
    reception.memory = Memory(name: AnnouncementBook.memoryPrefix + topic, content: [])
    completeSibling(of: topic)
    return reception
  }

  private func remember(
    _ topic: String, _ announcement: Announcement, _ payload: UnsafeRawBufferPointer,
    _ reception: inout Reception
  ) {
    let content = AnnouncementBook.content(announcement, payload)
    let fits = content.count <= AnnouncementBook.rememberedBytesMax
    reception.memory = Memory(
      name: AnnouncementBook.memoryPrefix + topic, content: fits ? content : [])
    guard !fits else { return }
    reception.refusals.append(
      Refusal(
        place: "", code: "not_remembered",
        detail: "The announcement is understood but with \(payload.count) bytes too large to be "
          + "remembered: after a restart it counts again once it is heard; have it retained."))
  }
}
