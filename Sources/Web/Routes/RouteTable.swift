import Gateway
import Storage
import Telemetry

/// Every route of the API; each resource has a file of its own beside this one.
struct RouteTable: Sendable {
  let gateway: Gateway
  let settings: HTTPSettings
  let site: Site
  let meter: RequestMeter
  let gate: Gate
  let clock: ClockSource

  var routes: [Route] {
    siteRoutes + healthRoutes + metricsRoutes + ingestRoutes + eventRoutes + segmentRoutes
      + deviceRoutes
      + quarantineRoutes + quarantineGroupRoutes + seriesRoutes + queryRoutes + sqlRoutes
      + lossRoutes + socketRoutes + alarmRoutes + eventLogRoutes + productionRoutes + twinRoutes
      + qualityRoutes + energyRoutes + whatIfRoutes + maintenanceRoutes
  }

  var now: Timestamp { Timestamp(microseconds: clock.read().wallMicroseconds) }
}

/// `limit` and `cursor` of lists.
enum Paging {
  static let parameters = ["limit", "cursor"]

  static func limit(_ query: QueryParameters) throws(Problem) -> Int {
    try query.integer("limit", in: 1...1_000, default: 100)
  }

  static func list(_ items: [JSONValue], next: String?) -> Reply {
    Reply(json: .object([("items", .array(items)), ("next_cursor", .optional(next))]))
  }

  /// A cursor that is a row id.
  static func rowCursor(_ query: QueryParameters) throws(Problem) -> Int64? {
    guard let text = query["cursor"] else { return nil }
    guard let id = Int64(text) else {
      throw .badParameter("cursor", "it is not one that `next_cursor` gave")
    }
    return id
  }
}
