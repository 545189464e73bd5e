import Operations
import Telemetry

/// A meter over a stretch of time: how much, when, by which state of the machine, for how many parts, at what cost.
public struct EnergyReport: Sendable {
  public var meter: EnergyMeter
  public var span: Span
  public var amount: EnergyCurve.Amount
  public var peak: PeakDemand
  public var profile: LoadProfile
  /// kW; `nil`: nothing was measured.
  public var baseLoadKilowatts: Double?
  /// By state of the machine; `nil` where a meter has none, or several.
  public var byState: StateConsumption?
  /// `nil` where no machine hangs on the meter.
  public var perPart: EnergyPerPart?
  public var machines: [String]
  public var cost: EnergyCost?
  public var kilogramsCO2: Double?
  public var emissionSource: String
  public var resets: Int
  public var rollovers: Int
  public var setBacks: [Timestamp]
  public var replacements: [Timestamp]

  /// Quarters of an hour with the highest demand that are told.
  private static let peaks = 5

  init(
    meter: EnergyMeter, span: Span, curve: EnergyCurve, quarters: [DemandInterval],
    ledgers: [MachineLedger], cost: EnergyCost?, emissions: EmissionFactor?, zone: some ZoneRules
  ) {
    self.meter = meter
    self.span = span
    amount = curve.energy(in: span)
    peak = PeakDemand(quarters, count: Self.peaks)
    profile = LoadProfile(quarters, zone: zone)
    baseLoadKilowatts = BaseLoad.kilowatts(quarters)
    machines = ledgers.map(\.machine.id)
    if ledgers.count == 1 {
      byState = StateConsumption(
        // Ledgers reach over whole shifts.
        ledgers[0].timeline.segments.compactMap { segment in
          segment.span.intersection(span).map {
            StateConsumption.Interval(span: $0, state: segment.state.name)
          }
        }, curve: curve)
    }
    if !ledgers.isEmpty {
      perPart = EnergyPerPart(
        curve: curve, spans: [span],
        goodParts: ledgers.reduce(0) { $0 + $1.result(over: span).goodParts })
    }
    self.cost = cost
    let used = self.amount.kilowattHours
    kilogramsCO2 = emissions.map { used * $0.kilogramsPerKilowattHour }
    emissionSource = emissions?.source ?? ""
    resets = curve.resets
    rollovers = curve.rollovers
    setBacks = curve.setBacks
    replacements = curve.replacements
  }

  public var json: JSONValue {
    .object([
      ("meter", .string(meter.id)), ("device", .string(meter.device)),
      ("metric", .string(meter.source.metric)), ("from", .string(span.from.rfc3339)),
      ("to", .string(span.to.rfc3339)), ("energy_kwh", .double(amount.kilowattHours)),
      ("coverage", .double(amount.coverage)),
      ("base_load_kw", baseLoadKilowatts.map(JSONValue.double) ?? .null),
      ("peak_demand", peak.json), ("load_profile", profile.json),
      ("machines", .array(machines.map(JSONValue.string))),
      ("by_state", byState?.json ?? .null), ("per_part", perPart?.json ?? .null),
      ("cost", cost?.json ?? .null), ("co2_kg", kilogramsCO2.map(JSONValue.double) ?? .null),
      ("co2_source", .optional(emissionSource.nonEmpty)), ("counter_resets", .integer(resets)),
      ("counter_rollovers", .integer(rollovers)),
      ("counter_set_back", .array(setBacks.map { .string($0.rfc3339) })),
      ("meter_replaced", .array(replacements.map { .string($0.rfc3339) })),
    ])
  }
}

extension OEEResult {
  /// All parts, good or not, in planned time.
  var partsMade: Double { figures.products.reduce(0) { $0 + ($1.made?.number ?? 0) } }

  /// Good parts in planned time.
  var goodParts: Double { figures.products.reduce(0) { $0 + ($1.goodMade?.number ?? 0) } }
}
