import Telemetry

/// A machine as production sees it: which series tell what, and how its figures are made.
public struct MachineDefinition: Hashable, Sendable {
  /// Unique among machines; the device's id unless stated.
  public var id: String
  /// The device whose metrics are read.
  public var device: String
  /// ISA-95 path; empty: not placed.
  public var asset: String
  /// The device's profile, for the ideal cycles of products; empty: none.
  public var profile: String
  /// Id of its calendar; empty: planned to work always.
  public var calendar: String
  /// The series of its state; `nil`: only declared stops are known.
  public var stateSeries: SeriesKey?
  /// What its words stand for, in the order of the file.
  public var states: [MappedState]
  public var reasonSeries: SeriesKey?
  public var productSeries: SeriesKey?
  public var orderSeries: SeriesKey?
  public var counters: Counters
  /// Where the product has none of its own.
  public var idealCycle: IdealCycle?
  public var factors: StateFactors
  /// Without a sign of life for longer, the state is unknown; µs.
  public var telemetryTimeoutMicroseconds: Int64
  /// Rejects this soon after a setup or the begin of a shift are start-up rejects; µs.
  public var startUpMicroseconds: Int64

  /// Which counter is which; any may be missing.
  public struct Counters: Hashable, Sendable {
    public var total: CounterSource?
    public var good: CounterSource?
    public var scrap: CounterSource?
    public var rework: CounterSource?

    public init(
      total: CounterSource? = nil, good: CounterSource? = nil, scrap: CounterSource? = nil,
      rework: CounterSource? = nil
    ) {
      self.total = total
      self.good = good
      self.scrap = scrap
      self.rework = rework
    }
  }

  /// A counter and the value after whose predecessor it starts again at 0.
  public struct CounterSource: Hashable, Sendable {
    public var series: SeriesKey
    public var rollover: Double?

    public init(series: SeriesKey, rollover: Double? = nil) {
      self.series = series
      self.rollover = rollover
    }
  }

  /// `fault` → an unplanned stop, by default for the reason `breakdown`.
  public struct MappedState: Hashable, Sendable {
    /// The value of the metric as text: a word, `true`, or the shortest form of a number.
    public var value: String
    public var state: MachineState
    /// Used where nobody says a better one.
    public var reason: String?

    public init(value: String, state: MachineState, reason: String? = nil) {
      self.value = value
      self.state = state
      self.reason = reason
    }
  }

  public init(
    id: String, device: String = "", asset: String = "", profile: String = "",
    calendar: String = "", stateSeries: SeriesKey? = nil, states: [MappedState] = [],
    reasonSeries: SeriesKey? = nil, productSeries: SeriesKey? = nil, orderSeries: SeriesKey? = nil,
    counters: Counters = Counters(), idealCycle: IdealCycle? = nil,
    factors: StateFactors = StateFactors(), telemetryTimeoutMicroseconds: Int64 = 300_000_000,
    startUpMicroseconds: Int64 = 0
  ) {
    self.id = id
    self.device = device
    self.asset = asset
    self.profile = profile
    self.calendar = calendar
    self.stateSeries = stateSeries
    self.states = states
    self.reasonSeries = reasonSeries
    self.productSeries = productSeries
    self.orderSeries = orderSeries
    self.counters = counters
    self.idealCycle = idealCycle
    self.factors = factors
    self.telemetryTimeoutMicroseconds = telemetryTimeoutMicroseconds
    self.startUpMicroseconds = startUpMicroseconds
  }

  /// What a value of the state series stands for; `nil`: it is not listed, and the state is unknown.
  ///
  /// Searches linearly: call it once per word of the store's dictionary, not per sample.
  public func mapped(_ value: Value) -> MappedState? {
    let text: String
    switch value {
    case .text(let word): text = word
    case .boolean(let flag): text = flag ? "true" : "false"
    case .number(let number):
      text =
        number == number.rounded() && number.magnitude < 1e15 ? "\(Int64(number))" : "\(number)"
    }
    return states.first { $0.value == text }
  }

  /// Every series that has to be loaded to compute this machine.
  public var series: [SeriesKey] {
    let sources = [counters.total, counters.good, counters.scrap, counters.rework]
    return [stateSeries, reasonSeries, productSeries, orderSeries].compactMap { $0 }
      + sources.compactMap { $0?.series }
  }

  /// A new tracker for its live state.
  public var tracker: MachineStateTracker {
    MachineStateTracker(timeoutMicroseconds: telemetryTimeoutMicroseconds)
  }
}

/// Master data of a product.
public struct Product: Hashable, Sendable {
  public var id: String
  public var description: String
  /// By machine id or, where no machine is named so, by profile id; in the order of the file.
  public var idealCycles: [MachineCycle]
  /// Share of parts that is planned to be scrap, 0…1.
  public var plannedScrap: Fraction?

  public struct MachineCycle: Hashable, Sendable {
    public var machineOrProfile: String
    public var cycle: IdealCycle

    public init(machineOrProfile: String, cycle: IdealCycle) {
      self.machineOrProfile = machineOrProfile
      self.cycle = cycle
    }
  }

  public init(
    id: String, description: String = "", idealCycles: [MachineCycle] = [],
    plannedScrap: Fraction? = nil
  ) {
    self.id = id
    self.description = description
    self.idealCycles = idealCycles
    self.plannedScrap = plannedScrap
  }

  /// The cycle on a machine: its own before its profile's before the machine's default.
  public func idealCycle(on machine: MachineDefinition) -> IdealCycle? {
    idealCycles.first { $0.machineOrProfile == machine.id }?.cycle
      ?? idealCycles.first { $0.machineOrProfile == machine.profile }?.cycle ?? machine.idealCycle
  }
}

/// Machines in the order in which parts pass them.
public struct LineDefinition: Hashable, Sendable {
  public var id: String
  public var description: String
  /// Ids, first to last.
  public var machines: [String]
  /// The machine that sets the pace; `nil`: not declared.
  public var constraint: String?
  public var buffers: [Buffer]

  public struct Buffer: Hashable, Sendable {
    /// The machine behind which it stands.
    public var after: String
    public var capacity: Int?
    public var description: String

    public init(after: String, capacity: Int? = nil, description: String = "") {
      self.after = after
      self.capacity = capacity
      self.description = description
    }
  }

  public init(
    id: String, description: String = "", machines: [String], constraint: String? = nil,
    buffers: [Buffer] = []
  ) {
    self.id = id
    self.description = description
    self.machines = machines
    self.constraint = constraint
    self.buffers = buffers
  }
}
