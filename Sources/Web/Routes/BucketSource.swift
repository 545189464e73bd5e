import Gateway
import Hummingbird
import NIOCore
import Storage
import Telemetry

/// Streams aggregates by step, one series at a time.
struct BucketSource: Sendable {
  let queries: Queries
  let plan: QueryPlan
  let catalog: Catalog
  let step: QueryPlan.Step

  func writeJSON(to writer: inout any ResponseBodyWriter) async throws {
    try await writer.write(ByteBuffer(string: #"{"series":["#))
    var separator = ""
    try await eachTarget { target, buckets in
      var buffer = ByteBuffer(string: separator + SampleSource.head(target))
      writeColumns(buckets, target, to: &buffer)
      buffer.writeString("}}")
      try await writer.write(buffer)
      separator = ","
    }
    try await writer.write(ByteBuffer(string: #"],"next_cursor":null}"#))
  }

  func writeCSV(to writer: inout any ResponseBodyWriter) async throws {
    let names = step.aggregates.map(\.rawValue).joined(separator: ",")
    try await writer.write(ByteBuffer(string: "device,metric,time,unit,\(names)\r\n"))
    try await eachTarget { target, buckets in
      var buffer = ByteBuffer()
      for bucket in buckets {
        var fields = [
          CSVText.field(target.key.device), CSVText.field(target.key.metric), time(bucket),
          CSVText.field(target.series.unit),
        ]
        for aggregate in step.aggregates {
          let value = value(aggregate, bucket, target)
          fields.append(CSVText.field(value.text ?? (value.isNull ? "" : value.encoded)))
        }
        buffer.writeString(fields.joined(separator: ",") + "\r\n")
      }
      try await writer.write(buffer)
    }
  }

  /// Calls `body` for each series in turn; the next one is computed while this one is written.
  private func eachTarget(
    _ body: (QueryPlan.Target, [AggregateBucket]) async throws -> Void
  ) async throws {
    var ahead: Task<[AggregateBucket], any Error>?
    defer { ahead?.cancel() }
    for (place, target) in plan.targets.enumerated() {
      let buckets = if let ahead { try await ahead.value } else { try await fetch(target) }
      ahead =
        place + 1 < plan.targets.count ? Task { try await fetch(plan.targets[place + 1]) } : nil
      try await body(target, buckets)
    }
  }

  private func fetch(_ target: QueryPlan.Target) async throws -> [AggregateBucket] {
    try await queries.fetch { [plan, step] reader in
      var buckets: [AggregateBucket] = []
      try reader.aggregate(
        target.series, range: plan.from..<plan.to, stepMicroseconds: step.microseconds,
        tracksStates: step.aggregates.contains(.states), now: plan.now
      ) { buckets.append($0) }
      return buckets
    }
  }

  private func writeColumns(
    _ buckets: [AggregateBucket], _ target: QueryPlan.Target, to buffer: inout ByteBuffer
  ) {
    var text = TextColumns()
    buffer.writeString(#""time":["#)
    text.write(times: buckets.map(\.start)[...], form: plan.timeForm, to: &buffer)
    for aggregate in step.aggregates {
      buffer.writeString("],\"\(aggregate.rawValue)\":[")
      if let numbers = numbers(aggregate, buckets, target) {
        text.write(numbers: numbers[...], to: &buffer)
      } else {
        TextColumns.write(buckets[...], to: &buffer) { value(aggregate, $0, target).encoded }
      }
    }
    buffer.writeString("]")
  }

  /// The aggregates that are numbers or null, as bits with NaN for null; `nil` for the others.
  private func numbers(
    _ aggregate: Aggregate, _ buckets: [AggregateBucket], _ target: QueryPlan.Target
  ) -> [UInt64]? {
    guard target.series.type != .text else { return nil }
    func each(_ number: (AggregateBucket) -> Double?) -> [UInt64] {
      buckets.map { (number($0) ?? .nan).bitPattern }
    }
    return switch aggregate {
    case .min: each { $0.count > $0.nanCount ? $0.min : nil }
    case .max: each { $0.count > $0.nanCount ? $0.max : nil }
    case .sum: each { $0.count > $0.nanCount ? $0.sum : nil }
    case .mean: each(\.mean)
    case .twa: each(\.timeWeightedMean)
    case .increase: each(\.increase)
    case .count, .first, .last, .states: nil
    }
  }

  private func time(_ bucket: AggregateBucket) -> String {
    var buffer = ByteBuffer()
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 40) { bytes in
      var text = TextColumns()
      var cursor = TextCursor(bytes: bytes)
      text.append(bucket.start, form: plan.timeForm, isQuoted: false, to: &cursor)
      return cursor.count
    }
    return String(buffer: buffer)
  }

  /// Texts have no numbers to add up: for them only count, first, last and states say something.
  private func value(
    _ aggregate: Aggregate, _ bucket: AggregateBucket, _ target: QueryPlan.Target
  ) -> JSONValue {
    let type = target.series.type
    let hasNumbers = bucket.count > bucket.nanCount && type != .text
    switch aggregate {
    case .count: return .integer(bucket.count)
    case .min: return hasNumbers ? .double(bucket.min) : .null
    case .max: return hasNumbers ? .double(bucket.max) : .null
    case .sum: return hasNumbers ? .double(bucket.sum) : .null
    case .mean: return type == .text ? .null : bucket.mean.map(JSONValue.double) ?? .null
    case .twa: return type == .text ? .null : bucket.timeWeightedMean.map(JSONValue.double) ?? .null
    case .increase: return type == .text ? .null : .double(bucket.increase)
    case .first, .last:
      guard bucket.count > 0 else { return .null }
      return SeriesForm.json(
        catalog.value(aggregate == .first ? bucket.first : bucket.last, type: type))
    case .states: return states(bucket, type)
    }
  }

  /// Seconds by value; the values of numbers are written as text.
  private func states(_ bucket: AggregateBucket, _ type: ValueType) -> JSONValue {
    let entries = bucket.stateDurations.map { bits, duration -> (String, JSONValue) in
      let value = SeriesForm.json(catalog.value(bits, type: type))
      return (value.text ?? value.encoded, .double(Double(duration) / 1e6))
    }
    return .object(entries.sorted { $0.0 < $1.0 })
  }
}
