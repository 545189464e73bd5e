import Foundation
import Storage
import Telemetry

/// What was asked for.
struct Question {
  var from: Timestamp
  var to: Timestamp
  /// `nil`: every sample as it is.
  var stepMicroseconds: Int64?
  var aggregates: [Aggregate]
  var now: Timestamp
}

/// What can be said of the samples of a step.
enum Aggregate: String, CaseIterable {
  case mean, min, max, sum, count, first, last, increase
  /// Each value weighs as long as it held.
  case timeWeightedMean = "twa"

  /// What is shown when nothing is asked for.
  static func usual(for series: SeriesInfo) -> [Aggregate] {
    if series.type == .text { return [.last, .count] }
    return series.kind == .counter ? [.increase, .last] : [.mean, .min, .max]
  }
}

/// The answer for one series: rows in order of time, one or several values each.
struct Answer {
  var series: SeriesInfo
  /// `value` and `quality`, or the names of the aggregates.
  var columns: [String]
  var rows: [(time: Timestamp, cells: [Value?])] = []
}

extension OfflineStore {
  /// Reads the answer for one series, a page at a time.
  func answer(_ question: Question, for series: SeriesInfo) throws -> Answer {
    guard let definition = series.definition else { preconditionFailure("read from this store") }
    let catalog = try reader.catalog()
    guard let step = question.stepMicroseconds else {
      return try samples(question, series, definition, catalog)
    }
    let aggregates =
      question.aggregates.isEmpty ? Aggregate.usual(for: series) : question.aggregates
    var answer = Answer(series: series, columns: aggregates.map(\.rawValue))
    try reader.aggregate(
      definition, range: question.from..<question.to, stepMicroseconds: step, now: question.now
    ) { bucket in
      answer.rows.append(
        (
          Timestamp(microseconds: bucket.start),
          aggregates.map { bucket.value($0, type: definition.type, catalog) }
        ))
    }
    return answer
  }

  private func samples(
    _ question: Question, _ series: SeriesInfo, _ definition: SeriesDefinition, _ catalog: Catalog
  ) throws -> Answer {
    var answer = Answer(series: series, columns: ["value", "quality"])
    let last = question.to.advanced(byMicroseconds: -1)
    var next: Timestamp? = question.from
    while let from = next, from <= last {
      let page = try reader.page(of: definition.index, from: from, through: last, count: 16_384)
      for place in 0..<page.columns.count {
        let quality = Quality(rawValue: page.columns.qualities[place]).text
        answer.rows.append(
          (
            Timestamp(microseconds: page.columns.times[place]),
            [catalog.value(page.columns.bits[place], type: definition.type), .text(quality)]
          ))
      }
      next = page.next
    }
    return answer
  }

  /// The newest sample of each series; series without one are left out.
  func latest(of series: [SeriesInfo]) throws -> [Answer] {
    let catalog = try reader.catalog()
    let current = reader.current(of: series.compactMap { $0.definition?.index })
    return zip(series, current).compactMap { series, sample in
      guard let sample else { return nil }
      var answer = Answer(series: series, columns: ["value", "quality"])
      answer.rows = [
        (sample.time, [catalog.value(sample.bits, type: series.type), .text(sample.quality.text)])
      ]
      return answer
    }
  }
}

extension AggregateBucket {
  /// - Returns: `nil` where the bucket has nothing to say.
  func value(_ aggregate: Aggregate, type: ValueType, _ catalog: Catalog) -> Value? {
    let hasNumbers = count > nanCount && type != .text
    switch aggregate {
    case .mean: return type == .text ? nil : mean.map(Value.number)
    case .min: return hasNumbers ? .number(min) : nil
    case .max: return hasNumbers ? .number(max) : nil
    case .sum: return hasNumbers ? .number(sum) : nil
    case .count: return .number(Double(count))
    case .first: return count > 0 ? catalog.value(first, type: type) : nil
    case .last: return count > 0 ? catalog.value(last, type: type) : nil
    case .increase: return hasNumbers ? .number(increase) : nil
    case .timeWeightedMean: return type == .text ? nil : timeWeightedMean.map(Value.number)
    }
  }
}
