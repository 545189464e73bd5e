import GRDBSQLite
import Telemetry

/// What a query on `samples` wants, as far as the table itself can look it up.
struct SamplesFilter {
  var device: String?
  var metric: String?
  var from = Timestamp.distantPast
  var through = Timestamp.distantFuture
}

/// Walks the samples of the wanted series, one after the other, a page at a time.
final class SamplesCursor {
  private let reader: StoreReader
  private let catalog: Catalog
  private var series: [UInt32] = []
  private var place = 0
  private var filter = SamplesFilter()
  private var page = ChunkColumns()
  private var next: Timestamp?
  private(set) var position = 0
  private(set) var rowID: Int64 = 0

  /// Samples fetched at once.
  private static let pageCount = 16_384

  init(reader: StoreReader, catalog: Catalog) {
    self.reader = reader
    self.catalog = catalog
  }

  func start(_ filter: SamplesFilter) throws {
    self.filter = filter
    series = catalog.series.filter { definition in
      let device = catalog.devices[Int(definition.device)].id
      return (filter.device ?? device) == device
        && (filter.metric ?? definition.metric) == definition.metric
    }.map(\.index)
    place = -1
    next = nil
    page.removeAll()
    position = 0
    rowID = 0
    try fill()
  }

  var isAtEnd: Bool { place >= series.count }

  func advance() throws {
    position += 1
    rowID += 1
    if position >= page.count { try fill() }
  }

  /// Fetches pages until one holds a sample or the last series is done.
  private func fill() throws {
    position = 0
    while true {
      if next == nil {
        place += 1
        guard place < series.count else { return }
        next = filter.from
      }
      let fetched = try reader.page(
        of: series[place], from: next ?? filter.from, through: filter.through,
        count: Self.pageCount)
      page = fetched.columns
      next = fetched.next
      if !page.isEmpty { return }
    }
  }

  func result(column: Int32, into context: OpaquePointer?) {
    let definition = catalog.series[Int(series[place])]
    switch SamplesTable.Column(rawValue: column) {
    case .device: text(catalog.devices[Int(definition.device)].id, context)
    case .metric: text(definition.metric, context)
    case .time:
      text(Timestamp(microseconds: page.times[position]).rfc3339Microseconds, context)
    case .epoch: sqlite3_result_double(context, Double(page.times[position]) / 1e6)
    case .value: value(of: definition, context)
    case .unit: text(definition.unit, context)
    case .quality: text(Quality(rawValue: page.qualities[position]).text, context)
    case nil: sqlite3_result_null(context)
    }
  }

  private func value(of definition: SeriesDefinition, _ context: OpaquePointer?) {
    switch catalog.value(page.bits[position], type: definition.type) {
    case .number(let number): sqlite3_result_double(context, number)
    case .boolean(let flag): sqlite3_result_int(context, flag ? 1 : 0)
    case .text(let word): text(word, context)
    }
  }

  private func text(_ string: String, _ context: OpaquePointer?) {
    // SQLITE_TRANSIENT: SQLite copies before we return.
    sqlite3_result_text(
      context, string, Int32(string.utf8.count), unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    )
  }
}

extension Timestamp {
  /// RFC 3339 with always six digits, so that text order is time order.
  var rfc3339Microseconds: String {
    var text = rfc3339
    text.removeLast()
    guard let point = text.lastIndex(of: ".") else { return text + ".000000Z" }
    let digits = text.distance(from: point, to: text.endIndex) - 1
    return text + String(repeating: "0", count: 6 - digits) + "Z"
  }
}
