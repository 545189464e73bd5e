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
    for target in plan.targets {
      let buckets = try await fetch(target)
      try await writer.write(
        ByteBuffer(string: separator + SampleSource.head(target) + columns(buckets, target) + "}}"))
      separator = ","
    }
    try await writer.write(ByteBuffer(string: #"],"next_cursor":null}"#))
  }

  func writeCSV(to writer: inout any ResponseBodyWriter) async throws {
    let names = step.aggregates.map(\.rawValue).joined(separator: ",")
    try await writer.write(ByteBuffer(string: "device,metric,time,unit,\(names)\r\n"))
    for target in plan.targets {
      var buffer = ByteBuffer()
      for bucket in try await fetch(target) {
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

  private func columns(_ buckets: [AggregateBucket], _ target: QueryPlan.Target) -> String {
    var text = #""time":["#
    text += buckets.map { isEpoch ? time($0) : "\"\(time($0))\"" }.joined(separator: ",") + "]"
    for aggregate in step.aggregates {
      text += ",\"\(aggregate.rawValue)\":["
      text += buckets.map { value(aggregate, $0, target).encoded }.joined(separator: ",") + "]"
    }
    return text
  }

  private var isEpoch: Bool { if case .rfc3339 = plan.timeForm { false } else { true } }

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
