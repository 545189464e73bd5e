import Gateway
import Storage
import Telemetry

extension RouteTable {
  var lossRoutes: [Route] {
    [
      Route(
        .get, "/api/v1/losses", scope: .read, parameters: ["cause"] + Paging.parameters,
        handler: listLosses)
    ]
  }

  @Sendable private func listLosses(_ call: Call) async throws -> Reply {
    let cause = try call.query.choice("cause", of: LossEntry.Cause.allCases.map(\.rawValue))
      .flatMap(LossEntry.Cause.init(rawValue:))
    let limit = try Paging.limit(call.query)
    let before = try Paging.rowCursor(call.query)
    await gateway.flush()
    let rows = try await gateway.queries.fetchLosses(cause: cause, before: before, limit: limit + 1)
    let catalog = await gateway.queries.fetchCatalog()
    let page = rows.prefix(limit)
    return Paging.list(
      page.map { json($0, catalog) },
      next: rows.count > limit ? page.last.map { String($0.id) } : nil)
  }

  private func json(_ row: LossRow, _ catalog: Catalog) -> JSONValue {
    let series = row.loss.series.flatMap {
      Int($0) < catalog.series.count ? catalog.key(of: $0) : nil
    }
    return .object([
      ("id", .string(String(row.id))), ("time", .string(row.time.rfc3339)),
      ("cause", .string(row.loss.cause.rawValue)),
      ("device", .optional(series?.device)), ("metric", .optional(series?.metric)),
      ("from", .optional(row.loss.span?.lowerBound.rfc3339)),
      ("to", .optional(row.loss.span?.upperBound.rfc3339)),
      ("count", .integer(row.loss.count)), ("bytes", .integer(row.loss.bytes)),
      ("detail", .string(row.loss.detail)),
    ])
  }
}
