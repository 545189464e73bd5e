import Telemetry

/// The detectors of all series of a gateway: told about definitions, samples and time in the order of the journal,
/// it says which anomalies start and end.
///
/// A deterministic reducer: no clock, no randomness, no I/O. Gauges with number values are watched, others are not.
/// Samples that are bad, stale, corrections, or only fill a missing current value are not observed.
/// State is one array of plain values, about 1.5 kB a series; a sample costs well under a microsecond
/// (`millwright bench detect`).
public struct SeriesDetection: Sendable {
  public private(set) var settings: DetectionSettings
  var watches: [SeriesWatch] = []
  var charts: [ChartDetector] = []
  var machines: [MachineWatch] = []
  /// Index in `watches` by index of series; -1: not watched.
  var slots: [Int32] = []
  /// No later than the next moment at which a series may fall silent or an episode end.
  var deadlines: [Int64] = []
  /// The least of `deadlines` and those of machines, or earlier.
  var soonest: Int64 = .max
  /// Episodes so far.
  var numbered: UInt64 = 0

  public init(settings: DetectionSettings = DetectionSettings()) { self.settings = settings }

  /// Puts other settings in force; what was learned stays.
  public mutating func configure(_ settings: DetectionSettings) { self.settings = settings }

  /// Memory of one series; charts and the channels of machines come on top.
  public static var bytesPerSeries: Int {
    MemoryLayout<SeriesWatch>.stride + MemoryLayout<Int32>.stride + MemoryLayout<Int64>.stride
  }

  /// Series that are watched.
  public var count: Int { watches.count }

  /// Takes a definition; gauges of numbers are watched from here on. A known one changes its options only.
  public mutating func define(
    _ definition: SeriesDefinition, options: SeriesDetectionOptions = SeriesDetectionOptions()
  ) {
    guard definition.kind == .gauge, definition.type == .number else { return }
    let index = Int(definition.index)
    while slots.count <= index { slots.append(-1) }
    if slots[index] < 0 {
      slots[index] = Int32(watches.count)
      watches.append(SeriesWatch(series: definition.index, device: definition.device))
      deadlines.append(.max)
    }
    apply(options, to: Int(slots[index]))
  }

  private mutating func apply(_ options: SeriesDetectionOptions, to slot: Int) {
    watches[slot].range = options.range
    watches[slot].silent = options.silentMicroseconds
    watches[slot].unchanged = options.unchangedMicroseconds
    guard let baseline = options.charts else {
      watches[slot].chart = -1
      return
    }
    guard watches[slot].chart < 0 else { return }
    watches[slot].chart = Int32(charts.count)
    charts.append(ChartDetector(baseline: baseline))
  }

  /// Looks at series of one device together: 2 to 32 of them that are watched; others are passed over.
  /// Called again for a device with other series, it learns anew.
  /// - Returns: whether they are watched together.
  @discardableResult
  public mutating func group(device: UInt32, series: [UInt32]) -> Bool {
    let known = series.filter { slot(of: $0) != nil }.prefix(MultichannelDetector.channelsMax)
    guard known.count >= 2, settings.trainingRows > 0 else { return false }
    let place = machines.firstIndex { $0.device == device }
    if let place, machines[place].series == Array(known) { return true }
    let rows = max(settings.learningMicroseconds / max(settings.rowMicroseconds, 1), 1)
    let machine = MachineWatch(
      device: device, series: Array(known),
      settings: MultichannelDetector.Settings(
        trainingRows: settings.trainingRows,
        trainingStride: Int(rows) / max(settings.trainingRows, 1)))
    let index = place ?? machines.count
    if place == nil { machines.append(machine) } else { machines[index] = machine }
    for slot in watches.indices where watches[slot].machine == Int32(index) {
      watches[slot].machine = -1
    }
    for (channel, series) in known.enumerated() {
      guard let slot = slot(of: series) else { continue }
      watches[slot].machine = Int32(index)
      watches[slot].channel = Int32(channel)
    }
    return true
  }

  /// Takes a sample that was committed.
  ///
  /// - Parameters:
  ///   - moment: of the record that holds it; its elapsed time never goes back.
  ///   - anomalies: gets what starts or ends with it.
  public mutating func observe(
    _ sample: Sample, at moment: RecordMoment, into anomalies: inout [Anomaly]
  ) {
    guard let slot = slot(of: sample.series), !sample.isCurrentOnly,
      !sample.quality.contains(.correction)
    else { return }
    let value = Double(bitPattern: sample.bits)
    guard sample.quality.severity != .bad, !sample.quality.contains(.stale), value.isFinite else {
      rest(slot, sample.quality)
      return
    }
    let arrival = Arrival(
      value: value, bits: sample.bits, time: sample.time, quality: sample.quality, moment: moment)
    noteArrival(slot, arrival, &anomalies)
    noteNovelty(slot, arrival, &anomalies)
    noteDrift(slot, arrival, &anomalies)
    noteRange(slot, arrival, &anomalies)
    if watches[slot].chart >= 0 { noteCharts(slot, arrival, &anomalies) }
    if watches[slot].machine >= 0 { noteRow(slot, arrival, &anomalies) }
  }

  /// Lets time pass: series fall silent and episodes end. Cheap while nothing is due.
  public mutating func advance(to moment: RecordMoment, into anomalies: inout [Anomaly]) {
    guard moment.elapsedMicroseconds >= soonest else { return }
    for slot in deadlines.indices where deadlines[slot] <= moment.elapsedMicroseconds {
      expire(slot, moment, &anomalies)
      deadlines[slot] = deadline(of: slot)
    }
    for index in machines.indices { endRows(index, moment, &anomalies) }
    soonest = deadlines.min() ?? .max
    for machine in machines where machine.episode.isOpen {
      soonest = min(soonest, machine.episode.lastAbove + settings.quietMicroseconds)
    }
    // Among thousands of series something is always about to be due: once a second is often enough.
    soonest = max(soonest, moment.elapsedMicroseconds + 1_000_000)
  }

  /// When `advance` next has something to do, on the elapsed clock; `nil`: never, as things stand. It may turn out
  /// that there is nothing to do after all.
  public var nextDeadline: Int64? { soonest == .max ? nil : soonest }

  /// How long a new product is only learned.
  private static let relearningMicroseconds: Int64 = 86_400_000_000

  /// Learns a device anew, after another recipe or maintenance; open episodes go on until they are quiet.
  public mutating func reset(device: UInt32, _ reason: NoveltyDetector.ResetReason) {
    for slot in watches.indices where watches[slot].device == device {
      watches[slot].novelty.reset(reason)
      watches[slot].slow = SlowRange()
      watches[slot].born = .min
      if watches[slot].chart >= 0 { charts[Int(watches[slot].chart)].reset() }
    }
    for index in machines.indices where machines[index].device == device {
      machines[index].detector.reset(reason)
    }
  }

  /// A product came that the device has not made yet: its signals are learned beside what is known, and for a day (or
  /// the learning time, where that is shorter) nothing is told of those that were told of before. Nothing is forgotten,
  /// so that a plant that changes products every day is still watched. What is looked at together is learned anew.
  public mutating func relearn(device: UInt32, at moment: RecordMoment) {
    let muted = min(settings.learningMicroseconds, Self.relearningMicroseconds)
    let born = moment.elapsedMicroseconds - settings.learningMicroseconds + muted
    for slot in watches.indices
    where watches[slot].device == device && watches[slot].born != .min {
      watches[slot].born = max(watches[slot].born, born)
    }
    for index in machines.indices where machines[index].device == device {
      machines[index].detector.reset(.recipeChange)
    }
  }

  /// The gateway did not listen until now: what was not heard meanwhile is not silence.
  public mutating func resume() {
    for slot in watches.indices {
      watches[slot].arrivals.rest()
      watches[slot].changes.rest()
    }
  }

  func slot(of series: UInt32) -> Int? {
    guard series < slots.count, slots[Int(series)] >= 0 else { return nil }
    return Int(slots[Int(series)])
  }
}

/// One good sample on its way through the detectors.
struct Arrival {
  var value: Double
  var bits: UInt64
  var time: Timestamp
  var quality: Quality
  var moment: RecordMoment

  var elapsed: Int64 { moment.elapsedMicroseconds }
}
