import Telemetry

/// What a scalar means where it stands: time, device, quality, unit.
extension JSONPointReader {
  /// Gives a scalar to the roles of its node.
  mutating func assign(
    _ node: Int, _ roles: JSONPlan.Roles, into readings: inout Readings
  ) throws(PayloadError) {
    let start = scanner.position
    let isStructure = scanner.next == Ascii.openBrace || scanner.next == Ascii.openBracket
    if isStructure { try scanner.skipValue(scratch: &readings.scratch) }
    let scalar = isStructure ? .notANumber : try scanner.scalar(into: &readings.scratch)
    if case .null = scalar { return }
    let end = scanner.position
    if roles.contains(.time), plan.nodes[node].timeRank < timeRank {
      timeRank = plan.nodes[node].timeRank
      point.time = time(scalar, start, end, readings)
      if point.time == nil {
        if plan.passesOverBadTimes { timeRank = .max } else { refuseTime(&readings) }
      }
    }
    if roles.contains(.device) {
      point.device = id(scalar, start, end)
      sawBadDevice = point.device == nil
      if sawBadDevice { refuse("bad_device", "A device id is text.", &readings) }
    }
    if roles.contains(.deviceType) {
      point.deviceType = id(scalar, start, end)
      if point.deviceType == nil { refuse("bad_device", "A device type is text.", &readings) }
    }
    if roles.contains(.captured) {
      captures[plan.nodes[node].capture] = .scalar(scalar, start: start, end: end)
    }
  }

  func id(_ scalar: ScannedScalar, _ start: Int, _ end: Int) -> Slice? {
    switch scalar {
    case .text(let text) where text.isValid && text.slice.count > 0: text.slice
    case .number(_, isWhole: true): Slice(offset: start, count: end - start, isScratch: false)
    default: nil
    }
  }

  func time(
    _ scalar: ScannedScalar, _ start: Int, _ end: Int, _ readings: Readings
  ) -> Timestamp? {
    switch scalar {
    case .number(let number, let isWhole):
      if isWhole, let whole = wholeNumber(scanner.base, from: start, to: end) {
        return Timestamp(epoch: whole)
      }
      return Timestamp(epoch: number)
    case .text(let text) where text.isValid:
      return readings.withBytes(of: text.slice, payload: payload) { bytes in
        if let time = Timestamp(rfc3339: bytes) { return time }
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        return wholeNumber(base, from: 0, to: bytes.count).flatMap { Timestamp(epoch: $0) }
      }
    default: return nil
    }
  }

  func quality(_ scalar: ScannedScalar, _ readings: Readings) -> Quality? {
    switch scalar {
    case .number(let number, _): SourceQuality.read(number)
    case .boolean(let boolean): boolean ? .good : .bad
    case .text(let text):
      readings.withBytes(of: text.slice, payload: payload) { SourceQuality.read($0) }
    default: nil
    }
  }

  /// Replaces the fields of a metric written as an object by one.
  func collapse(
    _ shape: MetricShape, name: Slice, fieldsStart: Int, into readings: inout Readings
  ) {
    let value = shape.field.map { readings.fields[$0].value }
    readings.fields.removeSubrange(fieldsStart...)
    guard let value else { return }
    var field = Field(name: name, value: value, unit: shape.unit)
    if let range = shape.time {
      field.time = rescan(range, &readings).flatMap {
        time($0, range.lowerBound, range.upperBound, readings)
      }
      if field.time == nil { refuseTime(&readings) }
    }
    if let range = shape.quality {
      let known = rescan(range, &readings).flatMap { quality($0, readings) }
      if known == nil { refuseQuality(&readings) }
      field.quality = known ?? .uncertain
    }
    readings.fields.append(field)
  }

  /// Reads a scalar once more; only for the few that turn out to belong to another field.
  func rescan(_ range: Range<Int>, _ readings: inout Readings) -> ScannedScalar? {
    var again = scanner
    again.position = range.lowerBound
    // It was read without an error before.
    return try? again.scalar(into: &readings.scratch)
  }

  func completePending(_ readings: inout Readings) {
    for entry in pending {
      let metric = plan.metrics[entry.metric]
      for index in entry.fields where index < readings.fields.count {
        complete(index, metric, &readings)
      }
    }
  }

  func complete(_ index: Int, _ metric: JSONPlan.Metric, _ readings: inout Readings) {
    if case .scalar(let scalar, let start, let end)? = capture(metric.timeCapture) {
      readings.fields[index].time = time(scalar, start, end, readings)
      if readings.fields[index].time == nil { refuseTime(&readings, metric.name) }
    }
    if case .scalar(let scalar, _, _)? = capture(metric.qualityCapture) {
      let known = quality(scalar, readings)
      if known == nil { refuseQuality(&readings, metric.name) }
      readings.fields[index].quality = known ?? .uncertain
    }
    if case .scalar(.text(let text), _, _)? = capture(metric.unitCapture), text.isValid {
      readings.fields[index].unit = translated(text.slice, metric, &readings)
    } else if readings.fields[index].unit == nil, !metric.unit.isEmpty {
      let start = readings.scratch.count
      readings.scratch.append(contentsOf: metric.unit)
      readings.fields[index].unit = Slice(offset: start, count: metric.unit.count, isScratch: true)
    }
  }

  /// The unit that a source's word for it means, else the word.
  func translated(
    _ word: Slice, _ metric: JSONPlan.Metric, _ readings: inout Readings
  ) -> Slice {
    guard !metric.unitWords.isEmpty else { return word }
    let known = readings.withBytes(of: word, payload: payload) { bytes in
      metric.unitWords.first { $0.raw.elementsEqual(bytes) }?.unit
    }
    guard let known else { return word }
    readings.scratch.append(contentsOf: known)
    return Slice(
      offset: readings.scratch.count - known.count, count: known.count, isScratch: true)
  }

  func capture(_ index: Int) -> Capture? { index < 0 ? nil : captures[index] }
}
