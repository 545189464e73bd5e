import Payloads
import Telemetry

extension Resolver {
  /// The time of a sample and what it says about the sample.
  private struct SampleTime {
    var time: Timestamp
    var quality: Quality
    var isReceiveStamped: Bool
  }

  /// A value in the form of its series.
  struct Coerced {
    var bits: UInt64
    var quality: Quality = .good
  }

  /// Turns a point into samples; each field is taken or refused on its own.
  mutating func take(
    _ readings: borrowing Readings, point position: Int, _ pass: MessagePass,
    _ held: inout Held, _ outcome: inout Outcome, _ batch: inout Batch
  ) {
    let first = batch.samples.count
    var refusal: Refusal?
    switch device(of: readings.points[position], pass, &outcome, &batch) {
    case .known(let device):
      let pointTime = sampleTime(of: readings.points[position], pass)
      let range = readings.fieldRange(position)
      for index in range {
        do throws(Refused) {
          try take(
            readings.fields[index], at: index - range.lowerBound, of: device, pointTime, pass,
            &outcome, &batch)
        } catch {
          let refused = Refusal(
            place: name(readings.fields[index], pass), code: error.code, detail: error.detail)
          if held.refusedDevice.isEmpty {
            held.refusedDevice = registry.devices[Int(device)].id
          }
          if refusal == nil { refusal = refused }
          outcome.refuse(refused)
        }
      }
    case .held(let id):
      refusal = Refusal(
        place: "", code: "unknown_device", detail: "device `\(id)` is not known; its data is held")
      if !held.devices.contains(id), held.devices.count < 16 { held.devices.append(id) }
    case .refused(let refused):
      let ofPoint = Refusal(place: "", code: refused.code, detail: refused.detail)
      refusal = ofPoint
      outcome.refuse(ofPoint)
      if refused.code == "no_device" { held.unattributed = ofPoint }
    }
    let added = batch.samples.count - first
    outcome.samples += added
    if pass.message.collectsPoints {
      outcome.points.append(
        Outcome.PointOutcome(
          samples: first..<batch.samples.count, item: Int(readings.points[position].item),
          refusal: refusal))
    }
  }

  @inline(__always)
  private mutating func take(
    _ field: Field, at position: Int, of device: UInt32, _ pointTime: SampleTime,
    _ pass: MessagePass, _ outcome: inout Outcome, _ batch: inout Batch
  ) throws(Refused) {
    if case .number(let value) = field.value, !value.isFinite {
      throw Refused(
        code: "not_finite",
        detail: "\(value) of `\(name(field, pass))` of device "
          + "`\(registry.devices[Int(device)].id)` is not a finite number")
    }
    let series: UInt32
    if pass.isScalar {
      series = try scalarSeries(of: device, position, field, pass, &outcome, &batch)
    } else {
      series = try self.series(
        pass.bytes(field.name), of: device, at: position, field, pass, &outcome, &batch)
    }
    let time = field.time == nil ? pointTime : sampleTime(field.time, pass)
    let isCurrentOnly = pass.message.isRetained && time.isReceiveStamped
    if isCurrentOnly, seriesPlans[Int(series)].isEvent {
      outcome.retainedSkips += 1
      return
    }
    let coerced = try coerce(field, series, pass, &outcome, &batch)
    if coerced.quality.contains(.outOfRange) { outcome.outOfRange += 1 }
    if time.quality.contains(.clockReplaced) { outcome.replacedTimes += 1 }
    batch.samples.append(
      Sample(
        series: series, time: time.time, bits: coerced.bits,
        quality: field.quality.adding(time.quality).adding(coerced.quality),
        isReceiveStamped: time.isReceiveStamped, isCurrentOnly: isCurrentOnly))
  }

  /// The metric of a scalar is named by the topic, not by the decoder.
  private mutating func scalarSeries(
    of device: UInt32, _ position: Int, _ field: Field, _ pass: MessagePass,
    _ outcome: inout Outcome, _ batch: inout Batch
  ) throws(Refused) -> UInt32 {
    let metric = plans[pass.plan].scalarMetric
    if metric.isEmpty {
      return try series(
        pass.bytes(field.name), of: device, at: position, field, pass, &outcome, &batch)
    }
    // Rooms publish each metric on a topic of its own: position tells nothing, the name does.
    return try metric.withUnsafeBufferPointer { name throws(Refused) -> UInt32 in
      try series(
        UnsafeRawBufferPointer(name), of: device, at: Int(Int32.max), field, pass,
        &outcome, &batch)
    }
  }

  private func name(_ field: Field, _ pass: MessagePass) -> String {
    if pass.isScalar, !plans[pass.plan].scalarMetric.isEmpty {
      return String(decoding: plans[pass.plan].scalarMetric, as: UTF8.self)
    }
    return String(decoding: pass.bytes(field.name).prefix(256), as: UTF8.self)
  }

  /// A time that counts from the receipt is the gateway's own clock, so it is receive-stamped as well.
  @inline(__always)
  private func sampleTime(of point: Point, _ pass: MessagePass) -> SampleTime {
    guard point.time == nil, point.receiptOffset != 0 else { return sampleTime(point.time, pass) }
    let time = pass.message.received.advanced(byMicroseconds: point.receiptOffset)
    var sampleTime = sampleTime(time, pass)
    sampleTime.isReceiveStamped = true
    return sampleTime
  }

  /// The source's time when it is plausible, else the receive time.
  @inline(__always)
  private func sampleTime(_ source: Timestamp?, _ pass: MessagePass) -> SampleTime {
    guard let source else {
      return SampleTime(time: pass.message.received, quality: .good, isReceiveStamped: true)
    }
    if source > pass.latest || source < pass.earliest {
      return SampleTime(
        time: pass.message.received, quality: [.uncertain, .clockReplaced], isReceiveStamped: true)
    }
    return SampleTime(time: source, quality: .good, isReceiveStamped: false)
  }

  @inline(__always)
  private mutating func coerce(
    _ field: Field, _ series: UInt32, _ pass: MessagePass, _ outcome: inout Outcome,
    _ batch: inout Batch
  ) throws(Refused) -> Coerced {
    switch seriesPlans[Int(series)].type {
    case .number:
      let number: Double
      switch field.value {
      case .number(let value): number = value
      case .boolean(let value): number = value ? 1 : 0
      case .text(let slice): number = try self.number(pass.bytes(slice), series)
      }
      return try inRange(number, field, series, pass, &outcome)
    case .boolean:
      return Coerced(bits: try boolean(field.value, series, pass) ? 1 : 0)
    case .text:
      switch field.value {
      case .text(let slice): return try word(pass.bytes(slice), series, &batch)
      case .number(let value):
        guard pass.isScalar, field.unit != nil else { return try word(value, series, &batch) }
        // What the decoder took for number and unit is a text here: `3 rolls`.
        return try word(trimmed(pass.message.payload), series, &batch)
      case .boolean(let value): return try word(value ? "true" : "false", series, &batch)
      }
    }
  }

  /// Converts to the series' unit and compares with the engineering range.
  @inline(__always)
  private mutating func inRange(
    _ number: Double, _ field: Field, _ series: UInt32, _ pass: MessagePass,
    _ outcome: inout Outcome
  ) throws(Refused) -> Coerced {
    var number = number
    if field.unit != nil || !plans[pass.plan].units.isEmpty {
      number = try converted(number, field, series, pass, &outcome)
    } else if plans[pass.plan].isAnnounced, let reading = seriesPlans[Int(series)].announced {
      number = try converted(number, by: reading, series, &outcome)
    } else if seriesPlans[Int(series)].converts {
      number = seriesPlans[Int(series)].conversion.apply(number)
    }
    guard number.isFinite else {
      throw Refused(
        code: "not_finite",
        detail: "a value of `\(registry.key(of: series))` leaves the range of numbers")
    }
    let isInside =
      number >= seriesPlans[Int(series)].low && number <= seriesPlans[Int(series)].high
    return Coerced(
      bits: number.bitPattern, quality: isInside ? .good : [.uncertain, .outOfRange])
  }

  /// By the unit of the field, else of the mapping, else the one assumed.
  @inline(never)
  private mutating func converted(
    _ number: Double, _ field: Field, _ series: UInt32, _ pass: MessagePass,
    _ outcome: inout Outcome
  ) throws(Refused) -> Double {
    let reading: UnitReading
    if let said = unitBytes(of: field, pass) {
      reading = unitReading(said, series: series)
    } else if let mapped = mappedUnit(pass.bytes(field.name), pass) {
      reading = mapped.withUnsafeBytes { unitReading($0, series: series) }
    } else if plans[pass.plan].isAnnounced, let announced = seriesPlans[Int(series)].announced {
      reading = announced
    } else {
      return seriesPlans[Int(series)].conversion.apply(number)
    }
    return try converted(number, by: reading, series, &outcome)
  }

  private func converted(
    _ number: Double, by reading: UnitReading, _ series: UInt32, _ outcome: inout Outcome
  ) throws(Refused) -> Double {
    switch reading {
    case .converts(let conversion): return conversion.apply(number)
    case .unknown:
      outcome.unknownUnits += 1
      return number
    case .incompatible(let source):
      throw Refused(
        code: "incompatible_unit",
        detail: "`\(registry.key(of: series))` is stored in "
          + "`\(registry.series[Int(series)].unit)`; `\(source)` does not convert to it")
    }
  }

  private func mappedUnit(_ metric: UnsafeRawBufferPointer, _ pass: MessagePass) -> [UInt8]? {
    for mapped in plans[pass.plan].units where mapped.metric.count == metric.count {
      if mapped.metric.withUnsafeBytes({ areEqual($0, at: 0, metric) }) { return mapped.unit }
    }
    return nil
  }
}

extension Resolver {
  /// A text that is a plain decimal number, for a series of numbers.
  private func number(_ bytes: UnsafeRawBufferPointer, _ series: UInt32) throws(Refused) -> Double {
    let text = String(decoding: bytes.prefix(64), as: UTF8.self)
    let trimmed = text.drop { $0 == " " }
    let digits = trimmed.prefix { $0 != " " }
    let isPlain =
      bytes.count <= 64 && trimmed[digits.endIndex...].allSatisfy { $0 == " " }
      && digits.utf8.allSatisfy {
        switch $0 {
        case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: true
        default: false
        }
      }
    guard isPlain, let number = Double(digits) else {
      let isNotFinite = ["nan", "inf", "-inf", "infinity", "-infinity"].contains(text.lowercased())
      let key = registry.key(of: series)
      throw Refused(
        code: isNotFinite ? "not_finite" : "not_a_number",
        detail: "`\(text.printable)` is not a number, as metric `\(key.metric)` of device "
          + "`\(key.device)` needs")
    }
    return number
  }

  private func boolean(
    _ value: ReadingValue, _ series: UInt32, _ pass: MessagePass
  ) throws(Refused) -> Bool {
    let shown: String
    switch value {
    case .boolean(let value): return value
    case .number(let number):
      if number == 0 || number == 1 { return number == 1 }
      shown = "\(number)"
    case .text(let slice):
      shown = String(decoding: pass.bytes(slice).prefix(64), as: UTF8.self)
      switch shown.lowercased() {
      case "true", "on", "1": return true
      case "false", "off", "0": return false
      default: break
      }
    }
    let key = registry.key(of: series)
    throw Refused(
      code: "not_a_boolean",
      detail: "`\(shown.printable)` is not a boolean, as metric `\(key.metric)` of device "
        + "`\(key.device)` needs")
  }

  /// The word of a text, remembered by its bytes.
  @inline(__always)
  private mutating func word(
    _ bytes: UnsafeRawBufferPointer, _ series: UInt32, _ batch: inout Batch
  ) throws(Refused) -> Coerced {
    if let known = words.value(bytes, salt: series) { return Coerced(packed: known) }
    let coerced = try word(String(decoding: bytes, as: UTF8.self), series, &batch)
    if bytes.count <= 1_024 { words.insert(bytes, salt: series, value: coerced.packed) }
    return coerced
  }

  /// The word of a number by its shortest text, remembered by its bits.
  private mutating func word(
    _ number: Double, _ series: UInt32, _ batch: inout Batch
  ) throws(Refused) -> Coerced {
    var bits = number.bitPattern
    let key = withUnsafeBytes(of: &bits) { numberWords.value($0, salt: series) }
    if let key { return Coerced(packed: key) }
    let coerced = try word(shortestText(number), series, &batch)
    withUnsafeBytes(of: &bits) { numberWords.insert($0, salt: series, value: coerced.packed) }
    return coerced
  }

  @inline(never)
  private mutating func word(
    _ raw: String, _ series: UInt32, _ batch: inout Batch
  ) throws(Refused) -> Coerced {
    let states = seriesPlans[Int(series)].states
    let listed = states?.word(for: raw)
    let text = listed ?? raw
    let quality: Quality = states != nil && listed == nil ? [.uncertain, .outOfRange] : .good
    if let id = registry.wordID(text) { return Coerced(bits: UInt64(id), quality: quality) }
    if let refusal = registry.refusalOfWord(text, for: registry.key(of: series)) { throw refusal }
    let id = UInt32(registry.words.count)
    define(.word(id: id, text: text), in: &batch)
    return Coerced(bits: UInt64(id), quality: quality)
  }
}

/// Without ASCII blanks at both ends.
private func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
  let start = bytes.firstIndex { $0 > 0x20 } ?? bytes.endIndex
  let end = bytes.lastIndex { $0 > 0x20 } ?? start
  return UnsafeRawBufferPointer(rebasing: bytes[start..<min(end + 1, bytes.endIndex)])
}

/// `1` for 1.0, `0.5`, `1e+300`: the shortest text that reads back as the same number.
func shortestText(_ number: Double) -> String {
  number == number.rounded() && number.magnitude < 1e15 ? String(Int(number)) : "\(number)"
}

extension Resolver.Coerced {
  /// A word and whether it is listed, in one number for the caches.
  fileprivate init(packed: Int) {
    self.init(
      bits: UInt64(packed >> 1), quality: packed & 1 == 0 ? .good : [.uncertain, .outOfRange])
  }

  fileprivate var packed: Int { Int(bits) << 1 | (quality.isEmpty ? 0 : 1) }
}

extension Quality {
  /// The reasons of both, and the worse severity: bad with uncertain is bad, not 3.
  @inline(__always)
  func adding(_ other: Quality) -> Quality {
    let severity = max(rawValue & 3, other.rawValue & 3)
    return Quality(rawValue: (rawValue | other.rawValue) & ~3 | severity)
  }
}
