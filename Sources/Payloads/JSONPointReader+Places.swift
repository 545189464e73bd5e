import Telemetry

/// Names of metrics and the places that refusals speak of.
extension JSONPointReader {
  var payload: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: scanner.base, count: scanner.end)
  }

  @inline(__always)
  func child(of node: Int, _ name: Slice, _ readings: Readings) -> Int {
    guard node >= 0 else { return -1 }
    if !name.isScratch {
      return plan.child(of: node, key: scanner.base + Int(name.offset), count: Int(name.count))
    }
    return readings.scratch.withUnsafeBufferPointer { bytes in
      bytes.baseAddress.map {
        plan.child(of: node, key: $0 + Int(name.offset), count: Int(name.count))
      } ?? -1
    }
  }

  /// The mapping's rule for members of this name.
  func leaf(_ name: Slice, _ readings: Readings) -> JSONPlan.Leaf? {
    readings.withBytes(of: name, payload: payload) { plan.leaf(named: $0) }
  }

  /// `prefix.name` in scratch.
  func join(
    _ prefix: Slice, _ name: Slice, _ readings: inout Readings
  ) throws(PayloadError) -> Slice {
    let start = readings.scratch.count
    guard start < limits.scratchBytesMax else {
      throw PayloadError(code: "too_large", detail: "The names of the payload are too long.")
    }
    append(prefix, &readings)
    readings.scratch.append(Ascii.point)
    append(name, &readings)
    return Slice(offset: start, count: readings.scratch.count - start, isScratch: true)
  }

  func append(_ slice: Slice, _ readings: inout Readings) {
    let range = Int(slice.offset)..<Int(slice.offset) + Int(slice.count)
    if slice.isScratch {
      for index in range { readings.scratch.append(readings.scratch[index]) }
    } else {
      readings.scratch.append(contentsOf: payload[range])
    }
  }

  func decimal(_ number: Int, _ readings: inout Readings) -> Slice {
    let start = readings.scratch.count
    var scale = 1
    while number / scale >= 10 { scale *= 10 }
    while scale > 0 {
      readings.scratch.append(UInt8(number / scale % 10) + Ascii.zero)
      scale /= 10
    }
    return Slice(offset: start, count: readings.scratch.count - start, isScratch: true)
  }

  @inline(__always)
  mutating func push(from start: Int, _ name: ScannedText) throws(PayloadError) {
    // The closing quote is found again when a place has to be told.
    steps[stepCount] = Step(start: Int32(truncatingIfNeeded: start), end: 0)
    stepCount += 1
  }

  mutating func push(index: Int) throws(PayloadError) {
    steps[stepCount] = Step(start: -1, end: Int32(truncatingIfNeeded: index))
    stepCount += 1
  }

  func refuseTime(_ readings: inout Readings, _ metric: [UInt8]? = nil) {
    let detail = "Times are RFC 3339 with a zone, or an epoch number."
    refuse("bad_timestamp", detail, &readings, nil, metric)
  }

  func refuseQuality(_ readings: inout Readings, _ metric: [UInt8]? = nil) {
    let detail = "Qualities are good, uncertain, bad or a known code; taken as uncertain."
    refuse("bad_quality", detail, &readings, nil, metric)
  }

  /// Refuses what is being read, a `member` of it, or a `metric` told by name.
  func refuse(
    _ code: String, _ detail: @autoclosure () -> String, _ readings: inout Readings,
    _ member: String? = nil, _ metric: [UInt8]? = nil
  ) {
    readings.refuse(
      metric.map { String(decoding: $0, as: UTF8.self) } ?? pointer(member), code, detail(),
      max: limits.refusalsMax)
  }

  /// RFC 6901 pointer to what is being read; each name is cut at 64 bytes.
  func pointer(_ member: String?) -> String {
    var text = ""
    for index in 0..<stepCount {
      let step = steps[index]
      text += "/" + (step.start < 0 ? String(step.end) : memberName(at: Int(step.start)))
    }
    return member.map { "\(text)/\($0)" } ?? text
  }

  func memberName(at start: Int) -> String {
    var again = scanner
    again.position = start - 1
    var scratch: [UInt8] = []
    // It was read before to get here; were it not a name now, the place told is only shorter.
    guard let name = try? again.text(into: &scratch) else { return "" }
    let bytes = UnsafeBufferPointer(start: scanner.base, count: scanner.end)
    let range = Int(name.slice.offset)..<Int(name.slice.offset) + Int(name.slice.count)
    let raw = name.slice.isScratch ? scratch[range].prefix(64) : Array(bytes[range].prefix(64))[...]
    let escaped = raw.flatMap { (byte: UInt8) -> [UInt8] in
      switch byte {
      case 0x7E: [0x7E, 0x30]
      case Ascii.slash: [0x7E, 0x31]
      default: [byte]
      }
    }
    return String(decoding: escaped, as: UTF8.self)
  }
}

extension Slice {
  /// No bytes: the name of a scalar, the prefix at the root.
  static let none = Slice(offset: 0, count: 0, isScratch: false)
}
