import Devices
import Telemetry

/// A meter and what hangs on it.
public struct EnergyMeter: Hashable, Sendable {
  public enum Source: Hashable, Sendable {
    /// A counter of energy, with the value at which it starts again, in its own unit.
    case counter(metric: String, rollover: Double?)
    /// Power alone, to be integrated.
    case power(metric: String)

    public var metric: String {
      switch self {
      case .counter(let metric, _), .power(let metric): metric
      }
    }
  }

  public var id: String
  public var description: String
  public var device: String
  public var source: Source
  /// Of the metric: energy for a counter, power else.
  public var unit: Unit
  /// Assets and devices it covers, as written; empty: its own device.
  public var covers: [String]
  /// Longer stretches without a reading are gaps.
  public var gapMax: Duration

  /// kWh or kW for one of its unit.
  public var kilowattScale: Double {
    let name: String
    switch source {
    case .counter: name = "kW.h"
    case .power: name = "kW"
    }
    guard let target = Unit(name), let conversion = Unit.conversion(from: unit, to: target) else {
      return 1
    }
    return conversion.scale
  }

  public func curve(_ samples: [MeterSample]) -> EnergyCurve {
    switch source {
    case .counter(_, let rollover):
      EnergyCurve(
        counter: samples, rollover: rollover, kilowattHoursPerUnit: kilowattScale, gapMax: gapMax)
    case .power:
      EnergyCurve(power: samples, kilowattsPerUnit: kilowattScale, gapMax: gapMax)
    }
  }
}

/// What devices/*.yaml say under `energy:`.
///
/// ```yaml
/// energy:
///   meters:
///     - id: main                     # required
///       description: Main meter of hall 1
///       device: meter1               # required
///       energy: energy.import        # metric of a counter; or `power: power` where there is none
///       unit: kW.h                   # default: that of the metric in the device's profile, else kW.h or kW
///       rollover: 1000000            # default: that of the profile
///       covers: [press1, acme/linz/hall1/line1]   # devices and assets; default: its own device
///       gap_max: 1 h                 # default 1 h for counters, 5 min for power
///   tariff:
///     currency: EUR                  # required
///     time_zone: Europe/Vienna       # default UTC
///     price_per_kwh: 0.21            # required; at all times that no period names
///     periods:
///       - {name: night, days: [mon, tue, wed, thu, fri], from: 22:00, to: 06:00, price_per_kwh: 0.16}
///     demand_charge_per_kw: 9.5      # for the highest quarter of each month; default 0
///     fixed_per_month: 45            # default 0
///   co2: {factor: 0.2, unit: kg/kWh, source: supplier's label 2025}
/// ```
/// Several files may have `meters`; `tariff` and `co2` are given once.
public struct EnergyConfiguration: Hashable, Sendable {
  public var meters: [EnergyMeter]
  public var tariff: Tariff?
  public var emissions: EmissionFactor?

  public init(
    meters: [EnergyMeter] = [], tariff: Tariff? = nil, emissions: EmissionFactor? = nil
  ) {
    self.meters = meters
    self.tariff = tariff
    self.emissions = emissions
  }

  /// Reads `energy:` of all files.
  ///
  /// - Parameters:
  ///   - devices: what the same files declare, to check references; `nil` when that could not be read.
  ///   - isKnownTimeZone: whether rules for a name can be had.
  /// - Returns: every problem in order of file, line and column, and the configuration unless one of them is an error.
  public static func load(
    files: [ConfigurationFile], devices: DeviceConfiguration?,
    isKnownTimeZone: (String) -> Bool = { _ in true }
  ) -> (configuration: EnergyConfiguration?, diagnostics: [Diagnostic]) {
    let log = DiagnosticLog()
    var configuration = EnergyConfiguration()
    var claims = ClaimedNames(log: log)
    for file in files {
      // What is not YAML at all is reported by whoever reads the devices of the same file.
      guard let root = YAMLReader(log: DiagnosticLog()).map(in: file),
        root.value("energy")?.isNull == false,
        let map = YAMLReader(log: log).map(in: file)?.optional("energy", .map)
      else { continue }
      for entry in map.optional("meters", .list(of: .map)) ?? [] {
        claims.claim("meter", in: entry)
        if let meter = MeterReading(map: entry, devices: devices).meter() {
          configuration.meters.append(meter)
        }
      }
      if let tariff = map.optional("tariff", .map) {
        if configuration.tariff != nil { tariff.report("`tariff` is given twice") }
        configuration.tariff = Tariff(reading: tariff, isKnownTimeZone: isKnownTimeZone)
      }
      if let co2 = map.optional("co2", .map) {
        if configuration.emissions != nil { co2.report("`co2` is given twice") }
        configuration.emissions = EmissionFactor(reading: co2)
      }
      map.refuseUnknownKeys()
    }
    return (log.hasErrors ? nil : configuration, log.sorted)
  }
}
