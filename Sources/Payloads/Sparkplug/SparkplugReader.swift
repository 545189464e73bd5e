import SwiftProtobuf
import Telemetry

extension SparkplugPayload {
  /// - Throws: `not_sparkplug` with what is wrong with the bytes.
  package init(reading bytes: UnsafeRawBufferPointer) throws(PayloadError) {
    guard bytes.count > 0 else {
      throw PayloadError(code: "empty", detail: "The payload is empty.")
    }
    let limits = PayloadLimits()
    guard bytes.count <= limits.payloadBytesMax else {
      throw PayloadError(
        code: "too_large", detail: "A payload may have \(limits.payloadBytesMax) bytes.")
    }
    // An empty metric is two bytes on the wire and a hundred times that in memory.
    guard SparkplugPayload.metricCount(bytes, max: limits.fieldsMax) <= limits.fieldsMax else {
      throw PayloadError(
        code: "too_many_fields",
        detail: "A payload may hold \(limits.fieldsMax) metrics; send it in parts.")
    }
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    options.messageDepthLimit = 8
    do {
      try self.init(serializedBytes: Array(bytes), options: options)
    } catch {
      throw PayloadError(
        code: "not_sparkplug",
        detail: "The payload is no Sparkplug B message: \(meaning(of: error)).")
    }
  }
}

extension SparkplugPayload {
  /// Metrics in the bytes, counted by the tags of their field alone; stops above `max` or at what does not parse.
  static func metricCount(_ bytes: UnsafeRawBufferPointer, max: Int) -> Int {
    var position = 0
    var count = 0
    func varint() -> UInt64? {
      var value: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 7) {
        guard position < bytes.count else { return nil }
        let byte = bytes[position]
        position += 1
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return value }
      }
      return nil
    }
    while count <= max, let tag = varint() {
      switch tag & 7 {
      case 0: guard varint() != nil else { return count }
      case 1: position += 8
      case 5: position += 4
      case 2:
        guard let length = varint(), length <= UInt64(bytes.count - position) else { return count }
        position += Int(length)
        if tag >> 3 == 2 { count += 1 }
      default: return count
      }
      if position > bytes.count { return count }
    }
    return count
  }
}

private func meaning(of error: any Error) -> String {
  switch error as? BinaryDecodingError {
  case .truncated: "it ends too early"
  case .invalidUTF8: "a text in it is no UTF-8"
  case .messageDepthLimit: "it is nested too deep"
  case .malformedProtobuf: "its protobuf fields do not parse"
  default: "its protobuf fields do not parse (\(error))"
  }
}

extension SparkplugMetrics {
  /// The metrics that a birth names; those without a name cannot be told apart and are left out.
  init(_ birth: SparkplugPayload) {
    for metric in birth.metrics where !metric.name.isEmpty {
      append(
        name: metric.name, unit: metric.unit, datatype: metric.datatype,
        alias: metric.hasAlias ? metric.alias : nil)
    }
  }

  /// Control metrics are ways to command the node, not measurements.
  static func isControl(_ name: some StringProtocol) -> Bool {
    name == "bdSeq" || name.hasPrefix("Node Control/") || name.hasPrefix("Device Control/")
  }
}

extension SparkplugHost {
  enum Reading { case complete, metAlienAlias }

  /// Appends the metrics of a message to `readings` as one point; names and texts go to its scratch.
  @discardableResult
  func read(
    _ payload: SparkplugPayload, _ node: Int, _ device: Int, into readings: inout Readings
  ) -> Reading {
    var result = Reading.complete
    let metrics = nodes[node].devices[device].metrics
    for index in payload.metrics.indices {
      if payload.metrics[index].hasIsTransient, payload.metrics[index].isTransient {
        readings.transient += 1
        continue
      }
      if payload.metrics[index].hasAlias, payload.metrics[index].name.isEmpty {
        let alias = payload.metrics[index].alias
        guard let place = nodes[node].place(ofAlias: alias), place.device == device else {
          refuseAlias(alias, node, device, &readings)
          result = .metAlienAlias
          continue
        }
        read(payload.metrics[index], metrics, place.metric, into: &readings)
      } else {
        readNamed(payload.metrics[index], metrics, index, into: &readings)
      }
    }
    readings.points.append(
      Point(
        time: payload.hasTimestamp ? Timestamp(sparkplug: payload.timestamp) : nil,
        fieldsEnd: readings.fields.count))
    return result
  }

  private func refuseAlias(_ alias: UInt64, _ node: Int, _ device: Int, _ readings: inout Readings)
  {
    let place = nodes[node].place(ofAlias: alias)
    let detail =
      place.map {
        let owner = nodes[node].devices[$0.device].name
        return
          "belongs to \(owner.isEmpty ? "the node itself" : "device `\(owner)`"), not to this one"
      } ?? "was in no birth of this node"
    readings.refuse(
      "alias \(alias)", place == nil ? "unknown_alias" : "wrong_alias",
      "alias \(alias) \(detail); the node must send its birth again", max: 100)
  }

  private func readNamed(
    _ metric: SparkplugPayload.Metric, _ metrics: SparkplugMetrics, _ position: Int,
    into readings: inout Readings
  ) {
    guard !metric.name.isEmpty else {
      return readings.refuse(
        "metrics/\(position)", "no_name", "a metric has neither name nor alias", max: 100)
    }
    guard !SparkplugMetrics.isControl(metric.name) else { return }
    // One widespread producer says `DATA/heat` at birth and `heat` from then on.
    if let known = metrics.indexes[metric.name] ?? metrics.indexes["DATA/" + metric.name] {
      return read(metric, metrics, known, into: &readings)
    }
    // Not in the birth, which a producer owes; by its own word it is taken all the same.
    var own = SparkplugMetrics()
    own.append(name: metric.name, unit: metric.unit, datatype: metric.datatype, alias: nil)
    read(metric, own, 0, into: &readings)
  }

  @inline(__always)
  private func read(
    _ metric: SparkplugPayload.Metric, _ metrics: SparkplugMetrics, _ index: Int,
    into readings: inout Readings
  ) {
    guard !metrics.isControl[index] else { return }
    let name = readings.add(metrics.bytes, metrics.names[index])
    let unit =
      metrics.units[index].count == 0 ? nil : readings.add(metrics.bytes, metrics.units[index])
    let time = metric.hasTimestamp ? Timestamp(sparkplug: metric.timestamp) : nil
    let quality = metric.quality
    let datatype = metric.hasDatatype ? metric.datatype : metrics.datatypes[index]
    if metric.hasIsNull, metric.isNull {
      readings.absent.append(AbsentField(name: name, time: time))
      return
    }
    switch metric.value(as: datatype) {
    case .number(let number):
      readings.fields.append(
        Field(name: name, value: .number(number), time: time, quality: quality, unit: unit))
    case .boolean(let value):
      readings.fields.append(
        Field(name: name, value: .boolean(value), time: time, quality: quality, unit: unit))
    case .text(let text):
      let slice = readings.addScratch(text.utf8)
      readings.fields.append(
        Field(name: name, value: .text(slice), time: time, quality: quality, unit: unit))
    case .blob(let bytes):
      readings.blobs.append(
        BlobField(name: name, kind: SparkplugDatatype.name(datatype), bytes: bytes, time: time))
    case .mismatch, .missing:
      let name = metrics.string(metrics.names[index])
      readings.refuse(
        name, "wrong_type",
        "the value of `\(name)` is not a \(SparkplugDatatype.name(datatype)), as its birth says",
        max: 100)
    }
  }
}

extension Readings {
  @inline(__always)
  mutating func addScratch(_ bytes: some Collection<UInt8>) -> Slice {
    let start = scratch.count
    scratch.append(contentsOf: bytes)
    return Slice(offset: start, count: scratch.count - start, isScratch: true)
  }

  @inline(__always)
  fileprivate mutating func add(_ bytes: [UInt8], _ text: SparkplugMetrics.Text) -> Slice {
    let start = scratch.count
    let range = Int(text.offset)..<Int(text.offset + text.count)
    bytes.withUnsafeBufferPointer { scratch.append(contentsOf: $0[range]) }
    return Slice(offset: start, count: range.count, isScratch: true)
  }
}

extension SparkplugHost {
  /// Reads a message that was set aside earlier, without letting it count in the session again.
  ///
  /// - Throws: `no_birth` when no birth has come since.
  package func readAgain(
    _ topic: SparkplugTopic, _ payload: SparkplugPayload, into readings: inout Readings
  ) throws(PayloadError) {
    guard let node = indexes[topic.nodeKey],
      let device = nodes[node].knownDevice(topic.device),
      nodes[node].devices[device].isOnline || topic.kind.isBirth
    else {
      throw PayloadError(
        code: "no_birth",
        detail: "no birth of \(topic.deviceID) has come since; nothing names its aliases")
    }
    read(payload, node, device, into: &readings)
  }
}
