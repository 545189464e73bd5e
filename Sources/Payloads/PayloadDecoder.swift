import Telemetry

/// Bounds on what one payload may hold, so that no sender can fill memory.
public struct PayloadLimits: Hashable, Sendable {
  /// Metrics, and also points, of one payload; beyond it: `too_many_fields`.
  public var fieldsMax = 100_000
  /// Bytes of a metric's name; a longer one is refused, the rest goes on.
  public var nameBytesMax = 1_024
  /// Refusals that are told one by one; later ones are left out.
  public var refusalsMax = 100
  /// Bytes of a payload; beyond it: `too_large`.
  public var payloadBytesMax = 64 << 20

  /// Bytes of names and texts that have to be made; beyond it: `too_large`.
  public var scratchBytesMax = 128 << 20

  public init() {}
}

/// Turns payloads of one format into readings. Made once per route: the mapping is compiled.
///
/// Pure: no I/O, no clock, no randomness. Any bytes end in readings or in an error; time and memory
/// are linear in the payload and bounded by `limits`.
///
/// * `json`: see `JSONMapping`. Nested objects and arrays are flattened: `{"a": {"b": [1, 2]}}` gives
///   `a.b.0` and `a.b.1`. A root array gives one point per object, so do several objects on lines of
///   their own (NDJSON). Duplicated members are both taken, in order. `null` is passed over. An object
///   of nothing but `value` or `v` and any of `unit`/`u` (text), `timestamp`/`time`/`ts`/`t`,
///   `quality`/`q` is one metric with its own unit, time and quality; a numeric time below 10⁸ (1973)
///   is none, so that `{"t": 21.5, "v": 3.3}` stays two metrics. A point that is such an object itself
///   is one metric named `value` or `v`. Time paths that did not win give no metric. A time that
///   cannot be read is refused as `bad_timestamp` and its samples are kept without time. Points
///   without a metric are left out.
/// * `device`: `{device_id, device_type, timestamp, metrics}` or an array of such. Each accepted item
///   is a point, in order; other members are passed over. Values in `metrics` are read as in `json`.
/// * `line`: a bad line is refused, the others go on; see `LineProtocolReader`.
/// * `scalar`: one point with one field whose name is empty; see `ScalarReader`.
/// * `senml`, `senml_cbor`: a point for each resolved record; see `SenMLPack` and `SenMLName`.
public struct PayloadDecoder: Sendable {
  public let format: PayloadFormat
  public var limits = PayloadLimits()
  private let plan: JSONPlan
  private let linePrecision: TimePrecision

  /// - Parameters:
  ///   - mapping: Used by `.json` alone.
  ///   - linePrecision: Unit of the timestamps in `.line`.
  public init(
    format: PayloadFormat, mapping: JSONMapping = .standard,
    linePrecision: TimePrecision = .nanoseconds
  ) {
    self.format = format
    self.plan = format == .device ? .device : JSONPlan(mapping)
    self.linePrecision = linePrecision
  }

  /// Reads `payload` into `readings`, which is emptied first.
  ///
  /// Slices without `isScratch` point into `payload`. When an error is thrown `readings` holds no
  /// points; its refusals tell what was refused before.
  /// - Throws: `empty`, `not_json`, `trailing_bytes`, `too_deep`, `too_many_fields`, `too_large`,
  ///   `no_metrics`, `no_items`, `not_an_object`, for a scalar also `bad_utf8`, `control_character`,
  ///   `not_a_number` and `bad_number`, for SenML `not_an_array` and `not_cbor`; the code of the first
  ///   refusal when nothing else was read.
  public func decode(
    _ payload: UnsafeRawBufferPointer, into readings: inout Readings
  ) throws(PayloadError) {
    readings.removeAll()
    guard let start = payload.baseAddress, payload.count > 0 else {
      throw PayloadError(code: "empty", detail: "The payload is empty.")
    }
    guard payload.count <= limits.payloadBytesMax else {
      throw PayloadError(
        code: "too_large", detail: "A payload may have \(limits.payloadBytesMax) bytes.")
    }
    let base = start.assumingMemoryBound(to: UInt8.self)
    do throws(PayloadError) {
      switch format {
      case .json, .device:
        var reader = JSONPointReader(base: base, count: payload.count, plan: plan, limits: limits)
        try reader.read(into: &readings)
      case .line:
        var reader = LineProtocolReader(
          base: base, count: payload.count, precision: linePrecision, limits: limits)
        try reader.read(into: &readings)
      case .scalar:
        try ScalarReader(base: base, count: payload.count).read(into: &readings)
      case .sparkplug:
        throw PayloadError(
          code: "no_sparkplug_topic",
          detail: "A Sparkplug payload needs a topic `spBv1.0/<group>/<NBIRTH|NDATA|…>/<node>"
            + "[/<device>]`: it names no metric by itself.")
      case .senml:
        var reader = SenMLReader(base: base, count: payload.count, limits: limits)
        try reader.read(into: &readings)
      case .senmlCBOR:
        var reader = SenMLCBORReader(base: base, count: payload.count, limits: limits)
        try reader.read(into: &readings)
      }
    } catch {
      readings.points.removeAll(keepingCapacity: true)
      readings.fields.removeAll(keepingCapacity: true)
      throw error
    }
  }
}

extension Readings {
  /// Adds a refusal unless there are `max` already.
  mutating func refuse(
    _ place: @autoclosure () -> String, _ code: String, _ detail: @autoclosure () -> String,
    max: Int
  ) {
    guard refusals.count < max else { return }
    refusals.append(Refusal(place: place(), code: code, detail: detail()))
  }

  /// Adds a field within the limit.
  @inline(__always)
  mutating func add(_ field: Field, max: Int) throws(PayloadError) {
    guard fields.count < max else { throw tooMany(max) }
    fields.append(field)
  }

  /// Closes a point over the fields added since the last one.
  mutating func endPoint(_ point: Point, max: Int) throws(PayloadError) {
    guard points.count < max else { throw tooMany(max) }
    points.append(point)
  }

  private func tooMany(_ max: Int) -> PayloadError {
    PayloadError(
      code: "too_many_fields",
      detail: "A payload may hold \(max) metrics and points; send it in parts.")
  }

  /// Throws unless something was read; `sawNull` excuses a payload that holds nothing but null.
  func checkAnythingRead(sawNull: Bool) throws(PayloadError) {
    guard points.isEmpty else { return }
    if let first = refusals.first {
      throw PayloadError(
        code: first.code, detail: "Nothing could be read; first at \(first.place): \(first.detail)")
    }
    if !sawNull { throw PayloadError(code: "no_metrics", detail: "The payload has no metrics.") }
  }
}
