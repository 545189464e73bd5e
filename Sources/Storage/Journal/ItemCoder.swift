import Telemetry

/// Items of a batch as bytes: a tag, then the fields in the order of the type's stored properties.
///
/// A tag is never reused; fields are only ever added at the end of a new tag.
enum ItemCoder {
  private enum Tag: UInt8 {
    case device = 1
    case series = 2
    case word = 3
    case event = 4
    case quarantined = 5
    case released = 6
    case configuration = 7
    case connected = 8
    case clockStepped = 9
    case answered = 10
    case remembered = 11
    case wentStale = 12
    case delivered = 14
    /// A device with a past: as `device`, then what happened to it.
    case changedDevice = 13
    case command = 15
    case started = 16
  }

  static func encode(_ item: Item, into out: inout ByteWriter) {
    switch item {
    case .device(let device): encode(device, into: &out)
    case .series(let series):
      out.byte(Tag.series.rawValue)
      out.varint(UInt64(series.index))
      out.varint(UInt64(series.device))
      out.text(series.metric)
      out.byte(series.type.rawValue)
      out.byte(series.kind.rawValue)
      out.text(series.unit)
      out.text(series.description)
    case .word(let id, let text):
      out.byte(Tag.word.rawValue)
      out.varint(UInt64(id))
      out.text(text)
    case .event(let event):
      out.byte(Tag.event.rawValue)
      encode(event, into: &out)
    case .quarantined(let refused):
      out.byte(Tag.quarantined.rawValue)
      encode(refused, into: &out)
    case .released(let rows, let adopted):
      out.byte(Tag.released.rawValue)
      out.byte(adopted ? 1 : 0)
      out.varint(UInt64(rows.count))
      for row in rows { out.zigzag(row) }
    case .configuration(let files):
      out.byte(Tag.configuration.rawValue)
      out.varint(UInt64(files.count))
      for file in files {
        out.text(file.name)
        out.text(file.content)
      }
    case .connected(let sessionPresent):
      out.byte(Tag.connected.rawValue)
      out.byte(sessionPresent ? 1 : 0)
    case .clockStepped(let offset):
      out.byte(Tag.clockStepped.rawValue)
      out.zigzag(offset)
    case .answered(let answered):
      out.byte(Tag.answered.rawValue)
      encode(answered, into: &out)
    case .remembered(let name, let content):
      out.byte(Tag.remembered.rawValue)
      out.text(name)
      out.blob(content)
    case .delivered(let fingerprint):
      out.byte(Tag.delivered.rawValue)
      out.fixed(fingerprint)
    case .wentStale(let stale):
      out.byte(Tag.wentStale.rawValue)
      out.varint(UInt64(stale.device))
      out.varint(UInt64(stale.series.count))
      for series in stale.series { out.varint(UInt64(series)) }
      out.zigzag(stale.time.microseconds)
      out.byte(stale.quality.rawValue)
    case .command(let command):
      out.byte(Tag.command.rawValue)
      out.text(command.name)
      out.text(command.target)
      out.text(command.principal)
      out.text(command.remark)
      out.text(command.body)
    case .started(let version):
      out.byte(Tag.started.rawValue)
      out.text(version)
    }
  }

  private static func encode(_ answered: Answered, into out: inout ByteWriter) {
    out.text(answered.key)
    out.fixed(answered.fingerprint)
    out.varint(UInt64(answered.accepted))
    out.varint(UInt64(answered.duplicates))
    out.varint(UInt64(answered.rejected.count))
    for rejection in answered.rejected {
      out.varint(UInt64(rejection.index))
      out.text(rejection.code)
      out.text(rejection.detail)
      out.text(rejection.place)
    }
  }

  private static func encode(_ event: Event, into out: inout ByteWriter) {
    out.text(event.id)
    out.text(event.name)
    out.zigzag(event.time.microseconds)
    out.byte(event.timeIsReceived ? 1 : 0)
    for optional in [event.user, event.device, event.session] {
      out.byte(optional == nil ? 0 : 1)
      if let text = optional { out.text(text) }
    }
    out.text(event.properties)
    out.text(event.context)
  }

  private static func encode(_ refused: Quarantined, into out: inout ByteWriter) {
    out.byte(refused.cause.rawValue)
    out.text(refused.topic)
    out.text(refused.contentType)
    out.text(refused.device)
    out.text(refused.reason)
    out.zigzag(refused.received.microseconds)
    out.blob(refused.payload)
    out.varint(UInt64(refused.payloadSize))
  }

  /// - Throws: when the bytes end early or name a tag of a later version.
  static func decode(_ input: inout ByteReader) throws -> Item {
    guard let tag = Tag(rawValue: try input.byte()) else { throw ByteReader.Truncated() }
    switch tag {
    case .device: return .device(try decodeDevice(&input, hasPast: false))
    case .changedDevice: return .device(try decodeDevice(&input, hasPast: true))
    case .series:
      let index = UInt32(truncatingIfNeeded: try input.varint())
      let device = UInt32(truncatingIfNeeded: try input.varint())
      let metric = try input.text()
      guard let type = ValueType(rawValue: try input.byte()),
        let kind = MetricKind(rawValue: try input.byte())
      else { throw ByteReader.Truncated() }
      return .series(
        SeriesDefinition(
          index: index, device: device, metric: metric, type: type, kind: kind,
          unit: try input.text(), description: try input.text()))
    case .word:
      return .word(id: UInt32(truncatingIfNeeded: try input.varint()), text: try input.text())
    case .event: return .event(try decodeEvent(&input))
    case .quarantined: return .quarantined(try decodeQuarantined(&input))
    case .released:
      let adopted = try input.byte() != 0
      let count = try input.length()
      var rows: [Int64] = []
      for _ in 0..<count { rows.append(try input.zigzag()) }
      return .released(rows: rows, adopted: adopted)
    case .configuration:
      let count = try input.length()
      var files: [ConfigurationFile] = []
      for _ in 0..<count {
        files.append(ConfigurationFile(name: try input.text(), content: try input.text()))
      }
      return .configuration(files: files)
    case .connected: return .connected(sessionPresent: try input.byte() != 0)
    case .clockStepped: return .clockStepped(offsetMicroseconds: try input.zigzag())
    case .answered: return .answered(try decodeAnswered(&input))
    case .remembered: return .remembered(name: try input.text(), content: try input.blob())
    case .delivered: return .delivered(fingerprint: try input.fixed(UInt64.self))
    case .wentStale:
      let device = UInt32(truncatingIfNeeded: try input.varint())
      var series: [UInt32] = []
      for _ in 0..<(try input.length()) {
        series.append(UInt32(truncatingIfNeeded: try input.varint()))
      }
      return .wentStale(
        Staleness(
          device: device, series: series, time: Timestamp(microseconds: try input.zigzag()),
          quality: Quality(rawValue: try input.byte())))
    case .command:
      return .command(
        OperatorCommand(
          name: try input.text(), target: try input.text(), principal: try input.text(),
          remark: try input.text(), body: try input.text()))
    case .started: return .started(version: try input.text())
    }
  }

  private static func decodeAnswered(_ input: inout ByteReader) throws -> Answered {
    var answered = Answered(key: try input.text(), fingerprint: try input.fixed(UInt64.self))
    answered.accepted = Int(truncatingIfNeeded: try input.varint())
    answered.duplicates = Int(truncatingIfNeeded: try input.varint())
    for _ in 0..<(try input.length()) {
      answered.rejected.append(
        Rejection(
          index: Int(truncatingIfNeeded: try input.varint()), code: try input.text(),
          detail: try input.text(), place: try input.text()))
    }
    return answered
  }

  private static func decodeEvent(_ input: inout ByteReader) throws -> Event {
    let id = try input.text()
    let name = try input.text()
    let time = Timestamp(microseconds: try input.zigzag())
    let timeIsReceived = try input.byte() != 0
    let user = try decodeOptional(&input)
    let device = try decodeOptional(&input)
    let session = try decodeOptional(&input)
    return Event(
      id: id, name: name, time: time, timeIsReceived: timeIsReceived, user: user, device: device,
      session: session, properties: try input.text(), context: try input.text())
  }

  private static func decodeOptional(_ input: inout ByteReader) throws -> String? {
    try input.byte() == 0 ? nil : try input.text()
  }

  private static func decodeQuarantined(_ input: inout ByteReader) throws -> Quarantined {
    guard let cause = Quarantined.Cause(rawValue: try input.byte()) else {
      throw ByteReader.Truncated()
    }
    return Quarantined(
      cause: cause, topic: try input.text(), contentType: try input.text(),
      device: try input.text(), reason: try input.text(),
      received: Timestamp(microseconds: try input.zigzag()), payload: try input.blob(),
      payloadSize: Int(truncatingIfNeeded: try input.varint()))
  }
}

extension ItemCoder {
  private static func encode(_ device: DeviceDefinition, into out: inout ByteWriter) {
    let hasPast = device.isPlaced || !device.was.isEmpty
    out.byte((hasPast ? Tag.changedDevice : .device).rawValue)
    out.varint(UInt64(device.index))
    out.text(device.id)
    out.text(device.profile)
    out.text(device.asset)
    out.byte(device.isAdopted ? 1 : 0)
    guard hasPast else { return }
    out.byte(device.isPlaced ? 1 : 0)
    out.varint(UInt64(device.was.count))
    for id in device.was { out.text(id) }
  }

  private static func decodeDevice(
    _ input: inout ByteReader, hasPast: Bool
  ) throws -> DeviceDefinition {
    var device = DeviceDefinition(
      index: UInt32(truncatingIfNeeded: try input.varint()), id: try input.text(),
      profile: try input.text(), asset: try input.text(), isAdopted: try input.byte() != 0)
    guard hasPast else { return device }
    device.isPlaced = try input.byte() != 0
    for _ in 0..<(try input.length()) { device.was.append(try input.text()) }
    return device
  }
}
