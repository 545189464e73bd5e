import Operations
import Storage
import Telemetry

/// Samples of series over a stretch of time, page by page.
struct SpanReading {
  let reader: StoreReader
  let span: Span
  let catalog: Catalog

  private static let pageSamples = 50_000

  init(reader: StoreReader, span: Span) throws {
    self.reader = reader
    self.span = span
    catalog = try reader.catalog()
  }

  /// Nothing for a series that is not there.
  /// - Parameters:
  ///   - startsBefore: the last sample before the span comes first: what held at its beginning.
  ///   - endsAfter: the first sample at or after its end comes last: what a curve runs to.
  func forEach(
    _ key: SeriesKey, startsBefore: Bool = true, endsAfter: Bool = false,
    _ body: (Timestamp, Value, Quality) -> Void
  ) throws {
    guard let device = catalog.devices.first(where: { $0.id == key.device }),
      let index = catalog.series(ofDevice: device.index).first(where: {
        catalog.series[Int($0)].metric == key.metric
      })
    else { return }
    let type = catalog.series[Int(index)].type
    if startsBefore,
      let last = try reader.sample(of: index, asOf: span.from.advanced(byMicroseconds: -1))
    {
      body(last.time, catalog.value(last.bits, type: type), last.quality)
    }
    func tell(_ page: SamplePage) {
      for place in 0..<page.columns.count {
        body(
          Timestamp(microseconds: page.columns.times[place]),
          catalog.value(page.columns.bits[place], type: type),
          Quality(rawValue: page.columns.qualities[place]))
      }
    }
    let through = span.to.advanced(byMicroseconds: -1)
    var next: Timestamp? = span.from
    while let from = next {
      let page = try reader.page(of: index, from: from, through: through, count: Self.pageSamples)
      tell(page)
      next = page.next
    }
    if endsAfter {
      tell(try reader.page(of: index, from: span.to, through: .distantFuture, count: 1))
    }
  }

  /// Code of the unit of a series; `nil` when there is no such series.
  func unit(of key: SeriesKey) -> Unit? {
    guard let device = catalog.devices.first(where: { $0.id == key.device }),
      let index = catalog.series(ofDevice: device.index).first(where: {
        catalog.series[Int($0)].metric == key.metric
      })
    else { return nil }
    return Unit(catalog.series[Int(index)].unit)
  }
}
