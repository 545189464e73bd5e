import Telemetry

/// One machine over a stretch of time, worked out once: states, stops and parts, each moment and part in its place.
///
/// ```
/// let schedule = calendar.schedule(over: asked, zone: rules)
/// // load every series of `machine` over schedule.span, and the last sample before it
/// let ledger = MachineLedger(machine: …, record: record, schedule: schedule, until: now, …)
/// let result = ledger.result(over: asked)
/// ```
/// OEE now, of a shift, an order, an hour or any [from, to) is `result(over:)` of the same ledger: one code path.
/// A stop is judged (small or not) and counted within its shift, so that hours sum to their shift.
///
/// Cost: O(n log n) in samples.
public struct MachineLedger: Sendable {
  public let machine: MachineDefinition
  public let schedule: Schedule
  /// What is known: `schedule.span` up to `until`.
  public let span: Span
  /// Final states, the calendar over everything.
  public let timeline: StateTimeline
  /// What became of each operator's edit, in order.
  public let audits: [StopEditAudit]
  /// Every stop of a shift, ascending; `span` clipped to it.
  public let stops: [Stop]

  /// After edits, before the calendar.
  private let measured: StateTimeline
  private let windows: [Span]
  private let reasons: StopReasons
  private let products: [Product]
  private let smallStops: SpanSet
  private let planned: SpanSet
  private let productWords: WordTimeline
  private let orderWords: WordTimeline
  private let hasOrders: Bool
  private let counts: [Count]
  private let counted: (total: Bool, good: Bool, scrap: Bool, rework: Bool)
  /// A warning without a time holds for all.
  private let warnings: [(time: Timestamp?, code: String, message: String)]

  /// A stop within one shift.
  public struct Stop: Hashable, Sendable {
    public var span: Span
    /// Of it inside planned time, in µs.
    public var plannedMicroseconds: Int64
    /// The first planned moment, by which it is counted.
    public var begin: Timestamp
    public var state: MachineState
    public var reason: String?
    public var isSmall: Bool
  }

  private enum Counter: UInt8 { case total, good, scrap, rework }

  /// Parts that one counter added, at the moment they belong to.
  private struct Count {
    var counter: Counter
    var moment: Timestamp
    var parts: Parts
    var isPlanned: Bool
    var isStartUp: Bool
  }

  /// - Parameter until: what is later is not known yet: now, or the end of the stretch for a closed one.
  public init(
    machine: MachineDefinition, record: MachineRecord, schedule: Schedule,
    products: [Product] = [], reasons: StopReasons = StopReasons(), until: Timestamp
  ) {
    self.machine = machine
    self.schedule = schedule
    self.products = products
    self.reasons = reasons
    let end = max(schedule.span.from, min(schedule.span.to, until))
    span = Span(schedule.span.from..<end)
    planned = schedule.planned.clamped(to: span)
    var warnings: [(time: Timestamp?, code: String, message: String)] = []
    windows = Self.windows(of: schedule, within: span)

    var states = StateTimeline(
      states: record.states, signsOfLife: record.signsOfLife,
      timeoutMicroseconds: machine.telemetryTimeoutMicroseconds, over: span)
    states.overlay(record.declaredStops)
    states.cut(at: windows)
    for sample in states.label(with: record.reasons, reasons) {
      warnings.append((sample.time, "unknown_reason_code", reasons.refusal(of: sample.word)))
    }
    var corrections = StopCorrections(reasons: reasons, windows: windows)
    corrections.apply(record.edits, to: &states)
    audits = corrections.audits
    (stops, smallStops) = Self.stops(in: states, windows, machine.factors, planned)
    measured = states
    var final = states
    final.overlay(schedule)
    timeline = final

    productWords = WordTimeline(record.products)
    orderWords = WordTimeline(record.orders)
    hasOrders = machine.orderSeries != nil || !record.orders.isEmpty
    counted = (
      !record.total.isEmpty, !record.good.isEmpty, !record.scrap.isEmpty, !record.rework.isEmpty
    )
    let startUp = Self.startUpTimes(states, schedule, machine.startUpMicroseconds, span)
    let counters = machine.counters
    let sources: [(Counter, String, [CounterSample], MachineDefinition.CounterSource?)] = [
      (.total, "total", record.total, counters.total), (.good, "good", record.good, counters.good),
      (.scrap, "scrap", record.scrap, counters.scrap),
      (.rework, "rework", record.rework, counters.rework),
    ]
    var counts: [Count] = []
    for (counter, name, samples, source) in sources {
      if samples.isEmpty, let source {
        warnings.append((nil, "no_counter_samples", "no samples of the counter `\(source.series)`"))
      }
      let read = CounterIncrements(samples, rollover: source?.rollover)
      for time in read.setBacks where span.contains(time) {
        let message =
          "the counter `\(name)` went back at \(time.rfc3339) without a reset; nothing is counted until it"
          + " passes its old value"
        warnings.append((time, "counter_went_back", message))
      }
      for increment in read.increments {
        let moment = Self.plannedMoment(of: increment, planned, schedule)
        let place = moment ?? increment.moment
        counts.append(
          Count(
            counter: counter, moment: place, parts: increment.parts, isPlanned: moment != nil,
            isStartUp: startUp.contains(place)))
      }
    }
    self.counts = counts.stablySorted(by: \.moment)
    self.warnings = warnings
  }

  /// The figures of [from, to), as far as it is known.
  public func result(over span: Span) -> OEEResult { result(over: SpanSet(span)) }

  /// The figures of any set of moments: an order that was interrupted, all night shifts of a week.
  public func result(over set: SpanSet) -> OEEResult {
    OEEResult(figures(over: set), factors: machine.factors)
  }

  public func figures(over asked: SpanSet) -> ProductionFigures {
    let set = asked.clamped(to: span)
    var figures = ProductionFigures()
    for warning in warnings where warning.time.map(set.contains) ?? true {
      figures.warn(warning.code, warning.message)
    }
    addTime(of: set, to: &figures)
    addStops(of: set, to: &figures)
    addParts(of: set, to: &figures)
    if hasOrders {
      let ordered = orderedTime.intersection(set)
      figures.orderTime = ordered.microseconds
      figures.busyTime = ordered.intersection(busyTime).microseconds
    }
    figures.shifts = schedule.shifts.count { shift in set.microseconds(within: shift.span) > 0 }
    return figures
  }
}

// MARK: - Sums

extension MachineLedger {
  private func addTime(of set: SpanSet, to figures: inout ProductionFigures) {
    for segment in timeline.segments {
      let inSet = set.clamped(to: segment.span)
      guard !inSet.isEmpty else { continue }
      let small = segment.state.isStop ? inSet.intersection(smallStops).microseconds : 0
      let length = inSet.microseconds
      figures.time.add(small, in: segment.state, isSmallStop: true, machine.factors)
      figures.time.add(length - small, in: segment.state, isSmallStop: false, machine.factors)
      if segment.state == .plannedStop, machine.factors[.plannedStop] == .outside,
        let code = segment.reason, reasons[code]?.loss == .preventiveMaintenance
      {
        figures.time.preventive += length
      }
    }
  }

  private func addStops(of set: SpanSet, to figures: inout ProductionFigures) {
    for stop in stops {
      let length = planned.clamped(to: stop.span).intersection(set).microseconds
      let isBegun = set.contains(stop.begin)
      guard length > 0 || isBegun else { continue }
      figures.add(
        StopFigures(
          reason: stop.reason, state: stop.state, isSmall: stop.isSmall, microseconds: length,
          count: isBegun ? 1 : 0))
      if isBegun, stop.state == .unplannedStop, !stop.isSmall { figures.failures += 1 }
    }
  }

  private func addParts(of set: SpanSet, to figures: inout ProductionFigures) {
    // A machine that made nothing still has counters that say so.
    if counts.allSatisfy({ !($0.isPlanned && set.contains($0.moment)) }) {
      let product = planned.isEmpty ? nil : set.bounds.flatMap { productWords.word(at: $0.from) }
      if counted.total || counted.good || counted.scrap { figures.add(emptyFigures(of: product)) }
    }
    for count in counts where set.contains(count.moment) {
      guard count.isPlanned else {
        if count.counter == leadingCounter { figures.partsOutside += count.parts }
        continue
      }
      var parts = emptyFigures(of: productWords.word(at: count.moment))
      switch count.counter {
      case .total: parts.total? += count.parts
      case .good: parts.good? += count.parts
      case .scrap: parts.scrap? += count.parts
      case .rework: parts.rework? += count.parts
      }
      if count.isStartUp { parts.startUpRejects = startUpRejects(of: count) }
      figures.add(parts)
    }
  }

  /// Rejects are counted by the scrap counter or, without one, are all parts less the good ones.
  private func startUpRejects(of count: Count) -> Parts {
    switch count.counter {
    case .scrap: count.parts
    case .total where !counted.scrap && counted.good: count.parts
    case .good where !counted.scrap && counted.total: .zero - count.parts
    default: .zero
    }
  }

  private var leadingCounter: Counter { counted.total ? .total : .good }

  private func emptyFigures(of id: String?) -> ProductFigures {
    let product = id.flatMap { id in products.first { $0.id == id } }
    return ProductFigures(
      product: id, idealCycle: product.map { $0.idealCycle(on: machine) } ?? machine.idealCycle,
      plannedScrap: product?.plannedScrap, total: counted.total ? .zero : nil,
      good: counted.good ? .zero : nil, scrap: counted.scrap ? .zero : nil,
      rework: counted.rework ? .zero : nil)
  }

  /// Parts made before a break and told of in it belong before it. Parts told of outside any shift were made there:
  /// what lies behind a shift may not be loaded, and must not change its figures when it is.
  private static func plannedMoment(
    of increment: CounterIncrement, _ planned: SpanSet, _ schedule: Schedule
  ) -> Timestamp? {
    if planned.contains(increment.moment) { return increment.moment }
    guard let shift = schedule.shift(at: increment.moment) else { return nil }
    return planned.lastMoment(
      from: max(increment.after, shift.span.from), through: increment.moment)
  }

  /// Time in which any order was set.
  private var orderedTime: SpanSet {
    SpanSet(orderWords.spans(in: span).flatMap(\.set.spans))
  }

  /// Planned busy time as the states have it.
  private var busyTime: SpanSet {
    SpanSet(timeline.segments.filter { machine.factors[$0.state] != .outside }.map(\.span))
  }
}

// MARK: - Corrections

extension MachineLedger {
  /// What would become of one more edit, shift by shift: ask before it is recorded, and tell its author why not.
  public func audits(of edit: StopEdit) -> [StopEditAudit] {
    var corrections = StopCorrections(reasons: reasons, windows: windows)
    var copy = measured
    corrections.apply([edit], to: &copy)
    return corrections.audits
  }
}

// MARK: - Breakdowns

extension MachineLedger {
  /// A part of the time by name: of a shift, an hour, an order, a product.
  public struct Part: Hashable, Sendable {
    public var name: String
    public var set: SpanSet
  }

  public func shifts(in span: Span) -> [Part] {
    schedule.shifts.compactMap { shift in
      shift.span.intersection(span).map { Part(name: shift.id, set: SpanSet($0)) }
    }
  }

  /// Hours of the plant's clocks, named by the moment at which they begin; the first and last may be shorter.
  public func hours(in span: Span, zone rules: some ZoneRules) -> [Part] {
    let hour: Int64 = 3_600_000_000
    var parts: [Part] = []
    var start = span.from
    while start < span.to {
      let offset = Int64(rules.offsetSeconds(at: start)) * 1_000_000
      let next = ((start.microseconds + offset).flooredQuotient(hour) + 1) * hour - offset
      let end = min(span.to, Timestamp(microseconds: next))
      parts.append(Part(name: start.rfc3339, set: SpanSet(Span(start..<end))))
      start = end
    }
    return parts
  }

  /// In the order of their first appearance.
  public func orders(in span: Span) -> [Part] {
    orderWords.spans(in: span).map { Part(name: $0.word, set: $0.set) }
  }

  public func products(in span: Span) -> [Part] {
    productWords.spans(in: span).map { Part(name: $0.word, set: $0.set) }
  }
}

// MARK: - Intervals

extension MachineLedger {
  /// What the machine did after edits, before the calendar says what was planned.
  public var measuredSegments: [StateSegment] { measured.segments }

  /// What a figure was made of: planned time, and every state with its reason, clipped to what was asked for.
  public func intervals(over asked: SpanSet) -> JSONValue {
    let set = asked.clamped(to: span)
    var states: [JSONValue] = []
    for segment in timeline.segments {
      let inSet = set.clamped(to: segment.span)
      let small = segment.state.isStop ? inSet.intersection(smallStops) : .empty
      let pieces =
        small.spans.map { (span: $0, isSmall: true) }
        + inSet.subtracting(small).spans.map { (span: $0, isSmall: false) }
      for piece in pieces.sorted(by: { $0.span < $1.span }) {
        states.append(
          .object([
            ("from", .time(piece.span.from)), ("to", .time(piece.span.to)),
            ("state", .string(segment.state.name)), ("reason", .optional(segment.reason)),
            ("small_stop", .bool(piece.isSmall)),
          ]))
      }
    }
    return .object([
      ("asked", .array(asked.spans.map(JSONValue.span))),
      ("planned", .array(planned.intersection(set).spans.map(JSONValue.span))),
      ("states", .array(states)),
    ])
  }
}

// MARK: - Stops

extension MachineLedger {
  /// The shifts as far as they are known, none reaching into the next: time in two shifts is the earlier one's. Where
  /// there is no calendar, all that is known.
  private static func windows(of schedule: Schedule, within span: Span) -> [Span] {
    guard !schedule.isAlways else { return span.isEmpty ? [] : [span] }
    var windows: [Span] = []
    for shift in schedule.shifts {
      let start = max(shift.span.from, windows.last?.to ?? shift.span.from)
      guard start < shift.span.to, let window = Span(start..<shift.span.to).intersection(span)
      else { continue }
      windows.append(window)
    }
    return windows
  }

  /// Stops shift by shift, and the union of those that are small.
  ///
  /// States that stand still one after the other are one stop when it comes to its length; a break inside it does
  /// not end it and does not count. An operator's cut does not make a long stop a small one.
  private static func stops(
    in states: StateTimeline, _ windows: [Span], _ factors: StateFactors, _ planned: SpanSet
  ) -> ([Stop], SpanSet) {
    var stops: [Stop] = []
    var small: [Span] = []
    for window in windows {
      var run: [Stop] = []
      func closeRun() {
        let length = run.reduce(0) { $0 + $1.plannedMicroseconds }
        let isSmall = length < factors.microStopMicroseconds
        for var stop in run where stop.plannedMicroseconds > 0 {
          stop.isSmall = isSmall && factors[stop.state] == .availability
          if stop.isSmall { small.append(stop.span) }
          stops.append(stop)
        }
        run.removeAll()
      }
      for segment in states.segments {
        guard let clipped = segment.span.intersection(window) else { continue }
        guard segment.state.isStop, factors[segment.state] != .outside else {
          closeRun()
          continue
        }
        let inside = planned.clamped(to: clipped)
        run.append(
          Stop(
            span: clipped, plannedMicroseconds: inside.microseconds,
            begin: inside.spans.first?.from ?? clipped.from, state: segment.state,
            reason: segment.reason, isSmall: false))
      }
      closeRun()
    }
    return (stops.sorted { $0.span < $1.span }, SpanSet(small))
  }

  /// The first while after each setup and each begin of a shift.
  private static func startUpTimes(
    _ states: StateTimeline, _ schedule: Schedule, _ length: Int64, _ span: Span
  ) -> SpanSet {
    guard length > 0 else { return .empty }
    let setups = states.segments.filter { $0.state == .setup }.map(\.span.to)
    return SpanSet(
      (setups + schedule.shifts.map(\.span.from)).compactMap {
        Span($0..<$0.advanced(byMicroseconds: length)).intersection(span)
      })
  }
}

extension StateTimeline {
  /// Gives each stop the last reason that was stated during it.
  /// - Returns: those whose code is not configured.
  mutating func label(with samples: [WordSample], _ reasons: StopReasons) -> [WordSample] {
    var unknown: [WordSample] = []
    var words: [WordSample] = []
    for sample in samples.stablySorted(by: \.time) where !sample.word.isEmpty {
      guard sample.quality.severity != .bad, !sample.quality.contains(.stale) else { continue }
      if reasons[sample.word] == nil {
        unknown.append(sample)
      } else {
        words.append(sample)
      }
    }
    var next = 0
    var labelled = segments
    for index in labelled.indices {
      let segment = labelled[index]
      while next < words.count, words[next].time < segment.span.from { next += 1 }
      var stated: String?
      while next < words.count, words[next].time < segment.span.to {
        stated = words[next].word
        next += 1
      }
      guard segment.state.isStop || segment.state == .setup else { continue }
      guard let code = stated ?? segment.reason, let reason = reasons[code] else { continue }
      labelled[index].reason = code
      labelled[index].state = reason.state(from: segment.state)
    }
    replaceSegments(labelled)
    return unknown
  }
}
