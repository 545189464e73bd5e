import Operations
import Telemetry

/// Watches the control charts of all characteristics as measurements and inspection results come.
///
/// Charts of answers to questions are drawn from the store by the same `ChartState`.
struct QualityStage: Sendable {
  /// What a chart, a lot or a result led to.
  enum Notice {
    case outOfControl(OutOfControl, Place)
    /// The first point in control after some that were not.
    case inControl(Place, time: Timestamp)
    case lot(LotDecision, Place)
    case refused(InspectionRefusal, event: Event)
  }

  /// Which chart of which device.
  struct Place: Sendable, Equatable {
    var characteristic: String
    /// Empty: results named no device.
    var device: String
  }

  /// What was decided of a lot by its sample.
  struct LotDecision: Sendable, Equatable {
    var lot: String
    var lotSize: Int
    var time: Timestamp
    var plan: SamplingPlan
    var nonconforming: Int
    var isAccepted: Bool
    /// Severity of the next lot.
    var severity: InspectionSeverity
    var isDiscontinued: Bool
    /// What changed with this lot; empty: nothing.
    var change: String
  }

  private struct Chart: Sendable {
    var characteristic: Characteristic
    var place: Place
    var stream: CharacteristicStream
    var switching: SwitchingState
    var isOut = false
    /// The lot decided last; the same again is a resubmission and does not count.
    var lot = ""
    /// From the unit of the series to that of the characteristic.
    var conversion = Conversion.identity
    /// Next chart of the same series; −1: none.
    var next: Int32 = -1
  }

  /// Charts of devices that results may name, at most: ids in events are anybody's.
  static let chartsMax = 10_000

  private var characteristics: [Characteristic] = []
  private var charts: [Chart] = []
  /// First chart by index of series; −1: none.
  private var chartOfSeries: [Int32] = []
  /// Results and samples that no chart could take since the stages began.
  private(set) var refused: UInt64 = 0

  /// Puts other characteristics in force; charts of those that stay the same go on. One that begins anew is in
  /// control until it is found otherwise.
  mutating func configure(
    _ characteristics: [Characteristic], catalog: Catalog, at time: Timestamp,
    into notices: inout [Notice]
  ) {
    let known = charts
    self.characteristics = characteristics
    charts = []
    chartOfSeries = []
    for series in catalog.series { define(series, catalog: catalog) }
    for chart in known {
      var isAdopted = false
      if let index = index(of: chart.place) {
        isAdopted = adopt(chart, at: index)
      } else if let definition = characteristics.first(where: {
        $0.id == chart.place.characteristic && $0.source == .events
      }) {
        isAdopted = adopt(chart, at: append(definition, device: chart.place.device))
      }
      if chart.isOut, !isAdopted { notices.append(.inControl(chart.place, time: time)) }
    }
  }

  /// A device is called otherwise now; its charts go on.
  mutating func rename(_ device: String, to new: String) {
    for index in charts.indices where charts[index].place.device == device {
      charts[index].place.device = new
    }
  }

  /// - Returns: false when the chart is another one now and begins anew.
  private mutating func adopt(_ chart: Chart, at index: Int) -> Bool {
    let definition = charts[index].characteristic
    if definition.sampling == chart.characteristic.sampling {
      charts[index].switching = chart.switching
      charts[index].lot = chart.lot
    }
    guard definition.chart == chart.characteristic.chart,
      definition.subgrouping == chart.characteristic.subgrouping,
      definition.unit == chart.characteristic.unit
    else { return false }
    charts[index].stream = chart.stream
    charts[index].isOut = chart.isOut
    return true
  }

  private func index(of place: Place) -> Int? { charts.firstIndex { $0.place == place } }

  private mutating func append(_ definition: Characteristic, device: String) -> Int {
    charts.append(
      Chart(
        characteristic: definition,
        place: Place(characteristic: definition.id, device: device),
        stream: CharacteristicStream(definition),
        switching: SwitchingState(allowsReduced: definition.sampling?.reduced != nil)))
    return charts.count - 1
  }

  mutating func define(_ series: SeriesDefinition, catalog: Catalog) {
    while chartOfSeries.count <= Int(series.index) { chartOfSeries.append(-1) }
    guard Int(series.device) < catalog.devices.count, series.type == .number else { return }
    let device = catalog.devices[Int(series.device)]
    for definition in characteristics where definition.source == .metric(series.metric) {
      guard
        definition.device == device.id
          || (definition.device == nil && definition.profile == device.profile)
      else { continue }
      var conversion = Conversion.identity
      if let unit = definition.unit, let own = Unit(series.unit), own != unit {
        guard let found = Unit.conversion(from: own, to: unit) else { continue }
        conversion = found
      }
      let place = Place(characteristic: definition.id, device: device.id)
      guard index(of: place) == nil else { continue }
      let index = append(definition, device: device.id)
      charts[index].conversion = conversion
      charts[index].next = chartOfSeries[Int(series.index)]
      chartOfSeries[Int(series.index)] = Int32(index)
    }
  }

  /// Cost: one array look-up for a series without a characteristic.
  mutating func observe(_ sample: Sample, into notices: inout [Notice]) {
    guard Int(sample.series) < chartOfSeries.count else { return }
    var index = chartOfSeries[Int(sample.series)]
    while index >= 0 {
      let place = Int(index)
      index = charts[place].next
      guard sample.quality.severity != .bad, !sample.quality.contains(.stale) else { continue }
      let value = charts[place].conversion.apply(Double(bitPattern: sample.bits))
      chart(place, sample.time, into: &notices) { stream throws(ChartRefusal) in
        try stream.observe(value, at: sample.time)
      }
    }
  }

  /// An event of any name; results of inspections are charted, and lots decided.
  /// - Parameter latest: what is later is not believed.
  mutating func eventHappened(
    _ event: Event, latest: Timestamp, into notices: inout [Notice]
  ) {
    guard event.name == InspectionResult.eventName, !characteristics.isEmpty else { return }
    do throws(InspectionRefusal) {
      guard let result = try InspectionResult(event, characteristics: characteristics),
        let definition = characteristics.first(where: { $0.id == result.characteristic })
      else { return }
      guard definition.source == .events else {
        throw InspectionRefusal(
          "characteristic",
          "`\(definition.id)` is charted from a metric: results are not mixed into it")
      }
      guard result.time <= latest else {
        throw InspectionRefusal("time", "\(result.time.rfc3339) lies in the future")
      }
      let place = Place(characteristic: definition.id, device: result.device ?? "")
      guard let index = index(of: place) ?? room(for: definition, device: place.device) else {
        refused += 1
        return
      }
      chart(index, result.time, into: &notices) { stream throws(ChartRefusal) in
        try stream.observe(result)
      }
      decide(result, index, into: &notices)
    } catch {
      refused += 1
      notices.append(.refused(error, event: event))
    }
  }

  private mutating func room(for definition: Characteristic, device: String) -> Int? {
    charts.count < Self.chartsMax ? append(definition, device: device) : nil
  }

  private mutating func chart(
    _ index: Int, _ time: Timestamp, into notices: inout [Notice],
    _ observe: (inout CharacteristicStream) throws(ChartRefusal) -> [OutOfControl]
  ) {
    let before = charts[index].stream.chart.count
    do throws(ChartRefusal) {
      let findings = try observe(&charts[index].stream)
      guard charts[index].stream.chart.count > before else { return }
      for finding in findings where !finding.isContinued {
        notices.append(.outOfControl(finding, charts[index].place))
      }
      if findings.isEmpty, charts[index].isOut {
        notices.append(.inControl(charts[index].place, time: time))
      }
      charts[index].isOut = !findings.isEmpty
    } catch {
      refused += 1
    }
  }

  /// The charts there are, in the order in which they came to be.
  var liveCharts: [LiveChart] {
    charts.map {
      LiveChart(
        characteristic: $0.place.characteristic, device: $0.place.device,
        points: $0.stream.chart.count, isOutOfControl: $0.isOut,
        limits: $0.stream.chart.parameters,
        severity: $0.characteristic.sampling == nil ? nil : $0.switching.severity,
        isDiscontinued: $0.switching.isDiscontinued)
    }
  }

  // MARK: - Lots

  private mutating func decide(
    _ result: InspectionResult, _ index: Int, into notices: inout [Notice]
  ) {
    guard let lot = result.lot, lot != charts[index].lot,
      let settings = charts[index].characteristic.sampling,
      case .attributes(let inspected, let defective, let defects) = result.finding
    else { return }
    let size = result.lotSize ?? 0
    let severity = charts[index].switching.severity
    guard let plan = settings.plan(lot: size, severity: severity) else { return }
    // Part of a sample decides nothing.
    guard inspected >= (size > 0 ? min(plan.sampleSize, size) : plan.sampleSize) else { return }
    charts[index].lot = lot
    let type = charts[index].characteristic.chart.type
    let nonconforming =
      type == .p || type == .np ? defective : max(defective, defects.reduce(0) { $0 + $1.count })
    let change = charts[index].switching.observe(
      SwitchingState.Lot(
        plan: plan, nonconforming: nonconforming,
        tighterAcceptance: settings.tighterAcceptance(lot: size)))
    notices.append(
      .lot(
        LotDecision(
          lot: lot, lotSize: size, time: result.time, plan: plan, nonconforming: nonconforming,
          isAccepted: nonconforming <= plan.acceptance,
          severity: charts[index].switching.severity,
          isDiscontinued: charts[index].switching.isDiscontinued, change: change ?? ""),
        charts[index].place))
  }

  static let resumeCommand = "quality.resume"

  /// What is resumed: tightened inspection of a characteristic whose acceptance was discontinued.
  ///
  /// - Parameter device: `nil`: whichever it was discontinued at, when it is one only.
  mutating func resume(_ characteristic: String, device: String?) throws(CommandRefusal) -> Place {
    guard characteristics.contains(where: { $0.id == characteristic && $0.sampling != nil }) else {
      throw CommandRefusal(
        code: "unknown_characteristic",
        detail: "there is no characteristic `\(characteristic)` with a sampling plan")
    }
    let places = charts.indices.filter {
      let place = charts[$0].place
      return place.characteristic == characteristic && charts[$0].switching.isDiscontinued
        && (device == nil || place.device == device)
    }
    guard let index = places.first else {
      throw CommandRefusal(
        code: "not_discontinued",
        detail: "acceptance of `\(characteristic)` is not discontinued"
          + (device.map { " at `\($0)`" } ?? ""))
    }
    guard places.count == 1 else {
      let devices = places.map { "`\(charts[$0].place.device)`" }.sorted().joined(separator: ", ")
      throw CommandRefusal(
        code: "bad_body", detail: "acceptance is discontinued at \(devices): say which `device`")
    }
    charts[index].switching.resume()
    return charts[index].place
  }

  // MARK: - Saved state

  /// The charts; which characteristics there are is configuration.
  func encode(into out: inout ByteWriter) {
    out.varint(refused)
    out.varint(UInt64(charts.count))
    var body = ByteWriter()
    // By place: in which order charts came to be is no state.
    let ordered = charts.sorted {
      ($0.place.characteristic, $0.place.device) < ($1.place.characteristic, $1.place.device)
    }
    for chart in ordered {
      out.text(chart.place.characteristic)
      out.text(chart.place.device)
      out.byte(chart.isOut ? 1 : 0)
      out.text(chart.lot)
      body.removeAll()
      chart.stream.encode(into: &body)
      chart.switching.encode(into: &body)
      out.varint(UInt64(body.count))
      out.raw(body.bytes)
    }
  }

  init() {}

  init(
    _ characteristics: [Characteristic], catalog: Catalog, from input: inout ByteReader
  ) throws(ByteReader.Truncated) {
    var none: [Notice] = []
    configure(characteristics, catalog: catalog, at: .epoch, into: &none)
    refused = try input.varint()
    for _ in 0..<(try input.length()) {
      let place = Place(characteristic: try input.text(), device: try input.text())
      let isOut = try input.byte() != 0
      let lot = try input.text()
      var body = ByteReader(try input.slice(try input.length()))
      guard let definition = characteristics.first(where: { $0.id == place.characteristic }) else {
        continue
      }
      let index = index(of: place) ?? append(definition, device: place.device)
      guard let stream = try CharacteristicStream(definition, from: &body) else { continue }
      charts[index].stream = stream
      charts[index].switching = try SwitchingState(from: &body)
      charts[index].isOut = isOut
      charts[index].lot = lot
    }
  }
}
