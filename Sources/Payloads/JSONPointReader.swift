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
  var steps = InlineArray<40, Step>(repeating: Step(start: 0, end: 0))
  var stepCount = 0
  var sawNull = false
  var sawItems = false
  // Of the point being read.
  var point = Point(fieldsEnd: 0)
  /// Position of the point in the payload; -1 before the first.
  var item: Int32 = -1
  var timeRank = Int.max
  var sawMetrics = false
  var sawBadDevice = false
  var captures: [Capture] = []
  var pending: [Pending] = []

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
  func prefixRefusals(_ readings: inout Readings) {
    for index in readings.refusals.indices {
      readings.refusals[index].place = "/0" + readings.refusals[index].place
    }
  }

  mutating func endLine() throws(PayloadError) {
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
  mutating func items(level: Int, into readings: inout Readings) throws(PayloadError) {
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

  mutating func points(into readings: inout Readings) throws(PayloadError) {
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

  mutating func readPoint(into readings: inout Readings) throws(PayloadError) {
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

  mutating func checkDeviceShape(
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

  mutating func members(
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
  mutating func mapped(
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

  mutating func deviceMetrics(into readings: inout Readings) throws(PayloadError) {
    guard scanner.next == Ascii.openBrace else {
      return try scanner.skipValue(scratch: &readings.scratch)
    }
    sawMetrics = true
    sawNull = false
    var shape = MetricShape(isPossible: false, isPoint: true)
    try members(node: -1, prefix: .none, takes: true, shape: &shape, into: &readings)
  }

  /// A member that becomes metrics, or leads to some.
  mutating func take(
    _ name: ScannedText, node: Int, prefix: Slice, takes: Bool, into readings: inout Readings
  ) throws(PayloadError) {
    guard name.isValid, name.slice.count > 0,
      Int(prefix.count) + Int(name.slice.count) < limits.nameBytesMax
    else {
      try scanner.skipValue(scratch: &readings.scratch)
      if takes { refuseName(name, &readings) }
      return
    }
    let leaf = plan.leaves.isEmpty ? nil : self.leaf(name.slice, readings)
    if leaf?.metric == -1 { return try scanner.skipValue(scratch: &readings.scratch) }
    let fieldsStart = readings.fields.count
    let isObject = scanner.next == Ascii.openBrace
    let isPlain = prefix.count == 0
    let full = isPlain ? name.slice : try join(prefix, name.slice, &readings)
    try value(named: full, node: node, takes: takes, into: &readings)
    if let leaf, !isObject, readings.fields.count > fieldsStart {
      pending.append(Pending(metric: leaf.metric, fields: fieldsStart..<readings.fields.count))
    }
  }

  func refuseName(_ name: ScannedText, _ readings: inout Readings) {
    if !name.isValid {
      refuse("bad_utf8", "The name is not valid UTF-8.", &readings)
    } else if name.slice.count == 0 {
      refuse("empty_name", "A metric needs a name.", &readings)
    } else {
      refuse("name_too_long", "A name may have \(limits.nameBytesMax) bytes.", &readings)
    }
  }

  mutating func value(
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
  func trimScratch(
    to count: Int, ifNoFieldsSince fieldsStart: Int, _ readings: inout Readings
  ) {
    // Device, unit and captured texts may stand in scratch as well when a mapping reaches in here.
    guard readings.fields.count == fieldsStart, captures.isEmpty,
      point.device?.isScratch != true, point.deviceType?.isScratch != true
    else { return }
    readings.scratch.removeSubrange(count...)
  }

  mutating func elements(
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
  mutating func scalar(
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
}
