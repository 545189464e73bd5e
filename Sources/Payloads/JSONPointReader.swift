import Telemetry

/// Reads the points of a JSON document along a `JSONPlan`.
///
/// Not copyable, because a copy of its 400 bytes is easily made by a closure and costs a tenth of a
/// message.
struct JSONPointReader: ~Copyable {
  var scanner: JSONScanner
  let plan: JSONPlan
  let limits: PayloadLimits
  /// The way from the root to what is being read: raw member names, or indices when `start` is -1.
  private var steps = InlineArray<40, Step>(repeating: Step(start: 0, end: 0))
  private var stepCount = 0
  private var sawNull = false
  private var sawItems = false
  // Of the point being read.
  private var point = Point(fieldsEnd: 0)
  /// Position of the point in the payload; -1 before the first.
  private var item: Int32 = -1
  private var timeRank = Int.max
  private var sawMetrics = false
  private var sawBadDevice = false
  private var captures: [Capture] = []
  private var pending: [Pending] = []

  struct Step {
    var start: Int32
    var end: Int32
  }

  /// A value that belongs to other metrics: their time, quality or unit.
  enum Capture {
    case none
    case scalar(ScannedScalar, start: Int, end: Int)
  }

  /// Fields of an explicit metric that are completed when the point ends.
  struct Pending {
    var metric: Int
    var fields: Range<Int>
  }

  init(base: UnsafePointer<UInt8>, count: Int, plan: JSONPlan, limits: PayloadLimits) {
    self.scanner = JSONScanner(base: base, count: count)
    self.plan = plan
    self.limits = limits
    if plan.captureCount > 0 { captures = Array(repeating: .none, count: plan.captureCount) }
  }

  /// Reads one document, or several that stand on lines of their own.
  mutating func read(into readings: inout Readings) throws(PayloadError) {
    scanner.skipBlanks()
    guard scanner.position < scanner.end else {
      throw PayloadError(code: "empty", detail: "The payload holds nothing but blanks.")
    }
    var documents = 0
    repeat {
      if documents > 0 {
        if documents == 1 { prefixRefusals(&readings) }
        try push(index: documents)
      }
      try items(level: 0, into: &readings)
      if documents > 0 { stepCount -= 1 }
      documents += 1
      try endLine()
    } while scanner.position < scanner.end
    if !sawItems {
      throw PayloadError(code: "no_items", detail: "The path `items` of the mapping leads nowhere.")
    }
    try readings.checkAnythingRead(sawNull: sawNull)
  }

  /// The first document of several gets its index into the places told before the second was seen.
  private func prefixRefusals(_ readings: inout Readings) {
    for index in readings.refusals.indices {
      readings.refusals[index].place = "/0" + readings.refusals[index].place
    }
  }

  private mutating func endLine() throws(PayloadError) {
    let documentEnd = scanner.position
    guard documentEnd < scanner.end else { return }
    scanner.skipBlanks()
    guard scanner.position < scanner.end else { return }
    let next = scanner.position
    let base = scanner.base
    let hasNewline = (documentEnd..<next).contains { base[$0] == Ascii.newline }
    guard hasNewline, scanner.next == Ascii.openBrace || scanner.next == Ascii.openBracket else {
      throw PayloadError(
        code: "trailing_bytes", detail: "Bytes follow the end of the JSON document.", offset: next)
    }
  }

  /// Follows the `items` path of the mapping from the root.
  private mutating func items(level: Int, into readings: inout Readings) throws(PayloadError) {
    if level == plan.items.count { return try points(into: &readings) }
    guard scanner.next == Ascii.openBrace else {
      return try scanner.skipValue(scratch: &readings.scratch)
    }
    guard try scanner.open(closing: Ascii.closeBrace) else { return }
    repeat {
      let start = scanner.position + 1
      let name = try scanner.memberName(into: &readings.scratch)
      try push(from: start, name)
      let wanted = plan.items[level]
      let isWanted = readings.withBytes(of: name.slice, payload: payload) {
        $0.elementsEqual(wanted)
      }
      if isWanted {
        try items(level: level + 1, into: &readings)
      } else {
        try scanner.skipValue(scratch: &readings.scratch)
      }
      stepCount -= 1
    } while try scanner.advance(closing: Ascii.closeBrace)
  }

  private mutating func points(into readings: inout Readings) throws(PayloadError) {
    sawItems = true
    switch scanner.next {
    case Ascii.openBrace:
      item += 1
      try readPoint(into: &readings)
    case Ascii.openBracket:
      guard try scanner.open(closing: Ascii.closeBracket) else { return }
      var index = 0
      repeat {
        try push(index: index)
        item += 1
        if scanner.next == Ascii.openBrace {
          try readPoint(into: &readings)
        } else {
          try scanner.skipValue(scratch: &readings.scratch)
          refuse("not_an_object", "Expected an object with metrics.", &readings)
        }
        stepCount -= 1
        index += 1
      } while try scanner.advance(closing: Ascii.closeBracket)
    default:
      let offset = scanner.position
      try scanner.skipValue(scratch: &readings.scratch)
      throw PayloadError(
        code: "not_an_object", detail: "Expected a JSON object or an array of objects.",
        offset: offset)
    }
  }

  private mutating func readPoint(into readings: inout Readings) throws(PayloadError) {
    let fieldsStart = readings.fields.count
    let refusalsStart = readings.refusals.count
    point = Point(item: item, fieldsEnd: fieldsStart)
    timeRank = .max
    sawMetrics = false
    sawBadDevice = false
    if !captures.isEmpty {
      for index in captures.indices { captures[index] = .none }
    }
    if !pending.isEmpty { pending.removeAll(keepingCapacity: true) }
    let shapeable = plan.takesRest && plan.metrics.isEmpty
    var shape = MetricShape(isPossible: shapeable, isPoint: true)
    try members(node: 0, prefix: .none, takes: plan.takesRest, shape: &shape, into: &readings)
    if shape.isComplete {
      let name = shape.field.map { readings.fields[$0].name }
      collapse(shape, name: name ?? .none, fieldsStart: fieldsStart, into: &readings)
    }
    if !pending.isEmpty { completePending(&readings) }
    if plan.isDeviceShape {
      let isAccepted = checkDeviceShape(fieldsStart, refusalsStart, &readings)
      guard isAccepted else { return readings.fields.removeSubrange(fieldsStart...) }
    } else if readings.fields.count == fieldsStart {
      return
    }
    point.fieldsEnd = readings.fields.count
    try readings.endPoint(point, max: limits.fieldsMax)
  }

  private mutating func checkDeviceShape(
    _ fieldsStart: Int, _ refusalsStart: Int, _ readings: inout Readings
  ) -> Bool {
    if point.device == nil {
      guard !sawBadDevice else { return false }
      refuse("missing_device", "Say which device it is in `device_id`.", &readings, "device_id")
      return false
    }
    if !sawMetrics {
      refuse("missing_metrics", "Put the values into an object `metrics`.", &readings, "metrics")
      return false
    }
    if readings.fields.count == fieldsStart, !sawNull, readings.refusals.count == refusalsStart {
      refuse("no_metrics", "The object `metrics` is empty.", &readings, "metrics")
    }
    return readings.fields.count > fieldsStart || sawNull
  }

  // MARK: Members

  private mutating func members(
    node: Int, prefix: Slice, takes: Bool, shape: inout MetricShape, into readings: inout Readings
  ) throws(PayloadError) {
    guard try scanner.open(closing: Ascii.closeBrace) else {
      shape.isPossible = false
      return
    }
    repeat {
      let start = scanner.position + 1
      let name = try scanner.memberName(into: &readings.scratch)
      try push(from: start, name)
      let child = self.child(of: node, name.slice, readings)
      if child >= 0 {
        try mapped(child, name, prefix: prefix, takes: takes, into: &readings)
      } else if takes {
        let valueStart = scanner.position
        let fieldsBefore = readings.fields.count
        try take(name, node: -1, prefix: prefix, takes: true, into: &readings)
        if shape.isPossible {
          shape.note(
            base: scanner.base, name: name.slice, value: valueStart..<scanner.position,
            fieldsBefore: fieldsBefore, readings)
        }
      } else {
        try scanner.skipValue(scratch: &readings.scratch)
      }
      stepCount -= 1
    } while try scanner.advance(closing: Ascii.closeBrace)
  }

  /// A member that the mapping says something about.
  private mutating func mapped(
    _ node: Int, _ name: ScannedText, prefix: Slice, takes: Bool, into readings: inout Readings
  ) throws(PayloadError) {
    let roles = plan.nodes[node].roles
    let metric = plan.nodes[node].metric
    if roles.contains(.ignored) { return try scanner.skipValue(scratch: &readings.scratch) }
    if roles.contains(.metrics) { return try deviceMetrics(into: &readings) }
    if !roles.isEmpty {
      let start = scanner.position
      try assign(node, roles, into: &readings)
      guard metric >= 0 else { return }
      scanner.position = start
    }
    guard metric >= 0 else {
      return try take(name, node: node, prefix: prefix, takes: takes, into: &readings)
    }
    let fieldsStart = readings.fields.count
    let nameStart = readings.scratch.count
    readings.scratch.append(contentsOf: plan.metrics[metric].name)
    let metricName = Slice(
      offset: nameStart, count: readings.scratch.count - nameStart, isScratch: true)
    try value(named: metricName, node: node, takes: true, into: &readings)
    if !plan.metrics[metric].isPlain, readings.fields.count > fieldsStart {
      pending.append(Pending(metric: metric, fields: fieldsStart..<readings.fields.count))
    }
  }

  private mutating func deviceMetrics(into readings: inout Readings) throws(PayloadError) {
    guard scanner.next == Ascii.openBrace else {
      return try scanner.skipValue(scratch: &readings.scratch)
    }
    sawMetrics = true
    sawNull = false
    var shape = MetricShape(isPossible: false, isPoint: true)
    try members(node: -1, prefix: .none, takes: true, shape: &shape, into: &readings)
  }

  /// A member that becomes metrics, or leads to some.
  private mutating func take(
    _ name: ScannedText, node: Int, prefix: Slice, takes: Bool, into readings: inout Readings
  ) throws(PayloadError) {
    guard name.isValid, name.slice.count > 0,
      Int(prefix.count) + Int(name.slice.count) < limits.nameBytesMax
    else {
      try scanner.skipValue(scratch: &readings.scratch)
      if takes { refuseName(name, &readings) }
      return
    }
    let isPlain = prefix.count == 0
    let full = isPlain ? name.slice : try join(prefix, name.slice, &readings)
    try value(named: full, node: node, takes: takes, into: &readings)
  }

  private func refuseName(_ name: ScannedText, _ readings: inout Readings) {
    if !name.isValid {
      refuse("bad_utf8", "The name is not valid UTF-8.", &readings)
    } else if name.slice.count == 0 {
      refuse("empty_name", "A metric needs a name.", &readings)
    } else {
      refuse("name_too_long", "A name may have \(limits.nameBytesMax) bytes.", &readings)
    }
  }

  private mutating func value(
    named name: Slice, node: Int, takes: Bool, into readings: inout Readings
  ) throws(PayloadError) {
    switch scanner.next {
    case Ascii.openBrace:
      let fieldsStart = readings.fields.count
      let scratchStart = readings.scratch.count
      let isLeaf = node < 0 || plan.nodes[node].children.isEmpty
      var shape = MetricShape(isPossible: takes && isLeaf, isPoint: false)
      try members(node: node, prefix: name, takes: takes, shape: &shape, into: &readings)
      if shape.isComplete {
        collapse(shape, name: name, fieldsStart: fieldsStart, into: &readings)
      }
      trimScratch(to: scratchStart, ifNoFieldsSince: fieldsStart, &readings)
    case Ascii.openBracket:
      let fieldsStart = readings.fields.count
      let scratchStart = readings.scratch.count
      try elements(of: name, node: node, takes: takes, into: &readings)
      trimScratch(to: scratchStart, ifNoFieldsSince: fieldsStart, &readings)
    default:
      guard takes else { return try scanner.skipValue(scratch: &readings.scratch) }
      try scalar(named: name, into: &readings)
    }
  }

  /// Containers that gave nothing leave no joined names behind: memory stays linear in the payload.
  private func trimScratch(
    to count: Int, ifNoFieldsSince fieldsStart: Int, _ readings: inout Readings
  ) {
    // Device, unit and captured texts may stand in scratch as well when a mapping reaches in here.
    guard readings.fields.count == fieldsStart, captures.isEmpty,
      point.device?.isScratch != true, point.deviceType?.isScratch != true
    else { return }
    readings.scratch.removeSubrange(count...)
  }

  private mutating func elements(
    of name: Slice, node: Int, takes: Bool, into readings: inout Readings
  ) throws(PayloadError) {
    guard try scanner.open(closing: Ascii.closeBracket) else { return }
    var index = 0
    repeat {
      try push(index: index)
      let key = decimal(index, &readings)
      let child = self.child(of: node, key, readings)
      let text = ScannedText(slice: key, isValid: true)
      if child >= 0 {
        try mapped(child, text, prefix: name, takes: takes, into: &readings)
      } else if takes {
        try take(text, node: -1, prefix: name, takes: true, into: &readings)
      } else {
        try scanner.skipValue(scratch: &readings.scratch)
      }
      stepCount -= 1
      index += 1
    } while try scanner.advance(closing: Ascii.closeBracket)
  }

  @inline(__always)
  private mutating func scalar(
    named name: Slice, into readings: inout Readings
  ) throws(PayloadError) {
    switch try scanner.scalar(into: &readings.scratch) {
    case .number(let number, _):
      try readings.add(Field(name: name, value: .number(number)), max: limits.fieldsMax)
    case .boolean(let boolean):
      try readings.add(Field(name: name, value: .boolean(boolean)), max: limits.fieldsMax)
    case .text(let text):
      guard text.isValid else {
        return refuse("bad_utf8", "The text is not valid UTF-8.", &readings)
      }
      try readings.add(Field(name: name, value: .text(text.slice)), max: limits.fieldsMax)
    case .null:
      sawNull = true
    case .notANumber:
      refuse(
        "not_a_number", "NaN and Infinity are no values; leave the metric out or send null.",
        &readings)
    case .outOfRange:
      refuse("bad_number", "The number is beyond the range of a double.", &readings)
    }
  }

  // MARK: Time, device, quality, unit

  /// Gives a scalar to the roles of its node.
  private mutating func assign(
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
      if point.time == nil { refuseTime(&readings) }
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

  private func id(_ scalar: ScannedScalar, _ start: Int, _ end: Int) -> Slice? {
    switch scalar {
    case .text(let text) where text.isValid && text.slice.count > 0: text.slice
    case .number(_, isWhole: true): Slice(offset: start, count: end - start, isScratch: false)
    default: nil
    }
  }

  private func time(
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

  private func quality(_ scalar: ScannedScalar, _ readings: Readings) -> Quality? {
    switch scalar {
    case .number(let number, _): SourceQuality.read(number)
    case .boolean(let boolean): boolean ? .good : .bad
    case .text(let text):
      readings.withBytes(of: text.slice, payload: payload) { SourceQuality.read($0) }
    default: nil
    }
  }

  /// Replaces the fields of a metric written as an object by one.
  private func collapse(
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
  private func rescan(_ range: Range<Int>, _ readings: inout Readings) -> ScannedScalar? {
    var again = scanner
    again.position = range.lowerBound
    // It was read without an error before.
    return try? again.scalar(into: &readings.scratch)
  }

  private func completePending(_ readings: inout Readings) {
    for entry in pending {
      let metric = plan.metrics[entry.metric]
      for index in entry.fields where index < readings.fields.count {
        complete(index, metric, &readings)
      }
    }
  }

  private func complete(_ index: Int, _ metric: JSONPlan.Metric, _ readings: inout Readings) {
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
      readings.fields[index].unit = text.slice
    } else if readings.fields[index].unit == nil, !metric.unit.isEmpty {
      let start = readings.scratch.count
      readings.scratch.append(contentsOf: metric.unit)
      readings.fields[index].unit = Slice(offset: start, count: metric.unit.count, isScratch: true)
    }
  }

  private func capture(_ index: Int) -> Capture? { index < 0 ? nil : captures[index] }

  // MARK: Names and places

  private var payload: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: scanner.base, count: scanner.end)
  }

  @inline(__always)
  private func child(of node: Int, _ name: Slice, _ readings: Readings) -> Int {
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

  /// `prefix.name` in scratch.
  private func join(
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

  private func append(_ slice: Slice, _ readings: inout Readings) {
    let range = Int(slice.offset)..<Int(slice.offset) + Int(slice.count)
    if slice.isScratch {
      for index in range { readings.scratch.append(readings.scratch[index]) }
    } else {
      readings.scratch.append(contentsOf: payload[range])
    }
  }

  private func decimal(_ number: Int, _ readings: inout Readings) -> Slice {
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
  private mutating func push(from start: Int, _ name: ScannedText) throws(PayloadError) {
    // The closing quote is found again when a place has to be told.
    steps[stepCount] = Step(start: Int32(truncatingIfNeeded: start), end: 0)
    stepCount += 1
  }

  private mutating func push(index: Int) throws(PayloadError) {
    steps[stepCount] = Step(start: -1, end: Int32(truncatingIfNeeded: index))
    stepCount += 1
  }

  private func refuseTime(_ readings: inout Readings, _ metric: [UInt8]? = nil) {
    let detail = "Times are RFC 3339 with a zone, or an epoch number."
    refuse("bad_timestamp", detail, &readings, nil, metric)
  }

  private func refuseQuality(_ readings: inout Readings, _ metric: [UInt8]? = nil) {
    let detail = "Qualities are good, uncertain, bad or a known code; taken as uncertain."
    refuse("bad_quality", detail, &readings, nil, metric)
  }

  /// Refuses what is being read, a `member` of it, or a `metric` told by name.
  private func refuse(
    _ code: String, _ detail: @autoclosure () -> String, _ readings: inout Readings,
    _ member: String? = nil, _ metric: [UInt8]? = nil
  ) {
    readings.refuse(
      metric.map { String(decoding: $0, as: UTF8.self) } ?? pointer(member), code, detail(),
      max: limits.refusalsMax)
  }

  /// RFC 6901 pointer to what is being read; each name is cut at 64 bytes.
  private func pointer(_ member: String?) -> String {
    var text = ""
    for index in 0..<stepCount {
      let step = steps[index]
      text += "/" + (step.start < 0 ? String(step.end) : memberName(at: Int(step.start)))
    }
    return member.map { "\(text)/\($0)" } ?? text
  }

  private func memberName(at start: Int) -> String {
    var again = scanner
    again.position = start - 1
    var scratch: [UInt8] = []
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
