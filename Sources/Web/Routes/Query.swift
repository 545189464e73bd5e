import Gateway
import Hummingbird
import NIOCore
import Storage
import Telemetry

extension RouteTable {
  var queryRoutes: [Route] {
    [
      Route(
        .get, "/api/v1/query", scope: .read, parameters: QueryPlan.parameters, handler: runQuery)
    ]
  }

  @Sendable private func runQuery(_ call: Call) async throws -> Reply {
    let catalog = await gateway.queries.fetchCatalog()
    let plan = try QueryPlan(call, catalog: catalog, now: now)
    let isCSV = call.headers[.accept]?.contains("text/csv") ?? false
    let source = SampleSource(queries: gateway.queries, plan: plan, catalog: catalog)
    switch (plan.step, isCSV) {
    case (nil, false):
      return Reply(contentType: "application/json") { try await source.writeJSON(to: &$0) }
    case (nil, true):
      return Reply(contentType: "text/csv; charset=utf-8") { try await source.writeCSV(to: &$0) }
    case (let step?, _):
      let buckets = BucketSource(queries: gateway.queries, plan: plan, catalog: catalog, step: step)
      if isCSV {
        return Reply(contentType: "text/csv; charset=utf-8") { try await buckets.writeCSV(to: &$0) }
      }
      return Reply(contentType: "application/json") { try await buckets.writeJSON(to: &$0) }
    }
  }
}

/// What a query asks for, checked.
struct QueryPlan: Sendable {
  static let parameters = [
    "series", "match", "from", "to", "step", "agg", "limit", "cursor", "epoch",
  ]
  static let seriesMax = 1_000
  static let samplesDefault = 100_000
  static let samplesMax = 1_000_000_000
  static let bucketsMax = 100_000

  struct Target: Sendable {
    var key: SeriesKey
    var series: SeriesDefinition
  }

  struct Step: Sendable {
    var microseconds: Int64
    var aggregates: [Aggregate]
  }

  var targets: [Target]
  var from: Timestamp
  /// Not part of the range.
  var to: Timestamp
  var now: Timestamp
  var step: Step?
  var samplesMax: Int
  var timeForm: TextColumns.TimeForm

  init(_ call: Call, catalog: Catalog, now: Timestamp) throws(Problem) {
    let query = call.query
    self.now = now
    to = try TimeArgument.moment(
      "to", of: query, now: now, default: now.advanced(byMicroseconds: 1))
    from = try TimeArgument.moment(
      "from", of: query, now: now, default: to.advanced(byMicroseconds: -3_600_000_000))
    guard from < to else { throw .badParameter("from", "it has to lie before `to`") }
    samplesMax = try query.integer(
      "limit", in: 1...Self.samplesMax, default: Self.samplesDefault)
    timeForm = .rfc3339
    if let name = query["epoch"] {
      guard let form = TextColumns.TimeForm(name: name) else {
        throw QueryParameters.noChoice("epoch", name, ["s", "ms", "us", "ns"])
      }
      timeForm = form
    }
    step = try QueryPlan.step(query)
    targets = try QueryPlan.targets(query, catalog)
    if let step {
      let count = to.microseconds(since: from) / step.microseconds
      guard count <= Self.bucketsMax else {
        throw .badParameter(
          "step",
          "\(count) steps are more than \(Self.bucketsMax); take a longer step or a shorter range")
      }
    }
    try go(to: query["cursor"])
  }

  private static func step(_ query: QueryParameters) throws(Problem) -> Step? {
    guard let text = query["step"] else {
      guard query["agg"] == nil else { throw .badParameter("agg", "it needs a `step`, such as 1m") }
      return nil
    }
    guard let span = TimeArgument.spanMicroseconds(text) else {
      throw .badParameter("step", "`\(text)` is no span; write 30s, 1m, 1h or 1d")
    }
    var aggregates: [Aggregate] = []
    for name in query.list("agg") {
      guard let aggregate = Aggregate(rawValue: name) else {
        throw QueryParameters.noChoice("agg", name, Aggregate.allCases.map(\.rawValue))
      }
      aggregates.append(aggregate)
    }
    return Step(microseconds: span, aggregates: aggregates.isEmpty ? [.mean] : aggregates)
  }

  private static func targets(
    _ query: QueryParameters, _ catalog: Catalog
  ) throws(Problem) -> [Target] {
    let names = query.list("series")
    let patterns = query.list("match").map { Glob($0) }
    guard !names.isEmpty || !patterns.isEmpty else {
      throw .badParameter("series", "say which: series=press1/temperature, or match=press*/*")
    }
    var byName: [String: SeriesDefinition] = [:]
    var matching: [Target] = []
    for series in catalog.series {
      let key = catalog.key(of: series.index)
      byName[key.description] = series
      if patterns.contains(where: { $0.matches(key.description) }) {
        matching.append(Target(key: key, series: series))
      }
    }
    var targets: [Target] = []
    for name in names {
      guard let key = SeriesKey(name), let series = byName[name] else {
        if let key = SeriesKey(name), let present = catalog.presentID(ofFormer: key.device) {
          throw .notFound(
            "there is no series `\(name)` any more; device `\(key.device)` is called `\(present)` now"
          )
        }
        let near = nearestName(to: name, among: Array(byName.keys.sorted()))
        throw .notFound(
          "there is no series `\(name)`" + (near.map { "; did you mean `\($0)`?" } ?? ""))
      }
      targets.append(Target(key: key, series: series))
    }
    targets += matching.sorted { $0.key < $1.key }
    guard targets.count <= seriesMax else {
      throw .badParameter(
        "match", "\(targets.count) series are more than \(seriesMax); narrow the pattern")
    }
    return targets
  }

  /// A cursor is `<series>.<microseconds>`: the series to go on with, and from when.
  private mutating func go(to cursor: String?) throws(Problem) {
    resumeAt = from
    guard let cursor else { return }
    let parts = cursor.split(separator: ".")
    guard parts.count == 2, let index = UInt32(parts[0]), let time = Int64(parts[1]),
      let position = targets.firstIndex(where: { $0.series.index == index })
    else { throw .badParameter("cursor", "it is not one that this query gave") }
    targets.removeFirst(position)
    resumeAt = max(from, Timestamp(microseconds: time))
  }

  /// Where the first series begins; the others begin at `from`.
  private(set) var resumeAt = Timestamp.distantPast

  static func cursor(_ target: Target, _ time: Timestamp) -> String {
    "\(target.series.index).\(time.microseconds)"
  }
}

/// What a step can say.
enum Aggregate: String, CaseIterable, Sendable {
  case count, min, max, sum, mean, first, last, twa, increase, states
}
