import Telemetry

/// How values of one series are read, worked out at its first use under a configuration.
struct SeriesPlan: Sendable {
  var isReady = false
  var type = ValueType.number
  var isEvent = false
  /// From the unit that is assumed when the payload names none.
  var conversion = Conversion.identity
  var converts = false
  /// What the announced unit means, for values on announced topics; `nil`: none was announced.
  var announced: UnitReading?
  /// The engineering range in the series' own unit.
  var low = -Double.infinity
  var high = Double.infinity
  /// `nil`: any word.
  var states: StateValues?
  /// The metric's name in `Resolver.seriesNames`.
  var nameOffset: Int32 = 0
  var nameCount: Int32 = 0
}

/// What the unit written in a payload means for one series.
enum UnitReading: Sendable {
  case converts(Conversion)
  /// Not in the table, or the series has no unit: the value is kept as it came.
  case unknown
  case incompatible(source: String)
}

extension SeriesPlan {
  init(_ definition: SeriesDefinition, metric: MetricProfile?) {
    isReady = true
    type = definition.type
    isEvent = definition.kind == .event
    states = metric?.values
    guard let metric, type == .number else { return }
    let own = Telemetry.Unit(definition.unit)
    if let own, let assumed = metric.unit,
      let conversion = Telemetry.Unit.conversion(from: assumed, to: own)
    {
      self.conversion = conversion
      converts = !conversion.isIdentity
    }
    if let range = metric.range {
      low = conversion.apply(range.lowerBound)
      high = conversion.apply(range.upperBound)
    }
  }
}
