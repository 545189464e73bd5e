import Statistics
import Telemetry

/// A control chart as points come: learns its limits, then watches them.
///
/// One subgroup costs O(15) at most and allocates only when it finds something; memory is that of the baseline
/// while it is learned, and fifteen points of each chart thereafter. Feed it in order of time.
/// After a wanted change of the process call `restart`, or declare limits.
public struct ChartState: Sendable, Equatable {
  public static let formatVersion: UInt8 = 1

  /// Id of the characteristic.
  public let id: String
  public let settings: ChartSettings
  /// Subgroups seen since the chart began.
  public private(set) var count = 0
  /// `nil` while the baseline is gathered.
  public private(set) var parameters: ChartParameters?
  /// Subgroups left out of the baseline, by their index.
  public private(set) var excluded: [Int] = []
  /// False: the baseline itself was out of control; see `ChartBaseline`.
  public private(set) var isBaselineStable = true
  public private(set) var lastTime = Timestamp.distantPast

  private var gathered: [Subgroup] = []
  private var location = RunRuleWindow()
  private var spread = RunRuleWindow()
  private var average: EWMAChart?
  private var sums: CUSUMChart?
  /// Points since the upper and the lower sum were last 0.
  private var upperRun = 0
  private var lowerRun = 0
  /// The value before, for moving ranges.
  private var previous: Double?
  private var size = 0
  /// Rules that held at the point before: one bit for each rule and side.
  private var held: UInt64 = 0
  private var heldSpread: UInt64 = 0
  private var heldSums: UInt8 = 0

  public init(id: String, settings: ChartSettings) {
    if case .first(let count) = settings.baseline {
      precondition(
        ChartSettings.baselineSizes.contains(count), "a baseline has 2 to 500 subgroups")
    }
    self.id = id
    self.settings = settings
    if case .declared(let declared) = settings.baseline { parameters = declared }
  }

  /// Whether limits are known.
  public var isWatching: Bool { parameters != nil }

  /// Forgets the process: the baseline is gathered anew from the next subgroup on.
  public mutating func restart() { self = ChartState(id: id, settings: settings) }

  /// - Returns: what this subgroup completes; with the last one of the baseline, also those left out of it.
  /// - Throws: `ChartRefusal`; the state is then as before.
  public mutating func observe(_ group: Subgroup) throws(ChartRefusal) -> [OutOfControl] {
    try check(group)
    let index = count
    count += 1
    lastTime = group.time
    size = group.size
    let before = previous
    previous = group.value
    guard let parameters else { return gather(group) }
    return watch(group, parameters, index, before: before)
  }

  private func check(_ group: Subgroup) throws(ChartRefusal) {
    let type = settings.type
    guard type.subgroupSizes.contains(group.size) else {
      throw .size(group.size, allowed: type.subgroupSizes)
    }
    guard group.value.isFinite, group.range.isFinite, group.deviation.isFinite else {
      throw .notFinite
    }
    if type.needsOneSize, size > 0, group.size != size {
      throw .sizeChanged(group.size, from: size)
    }
    if type == .p || type == .np, group.value > Double(group.size) {
      throw .moreThanInspected(group.value, group.size)
    }
    if group.time < lastTime { throw .outOfOrder(group.time, after: lastTime) }
  }

  // MARK: - Baseline

  private mutating func gather(_ group: Subgroup) -> [OutOfControl] {
    gathered.append(group)
    guard case .first(let wanted) = settings.baseline, gathered.count >= wanted,
      let baseline = ChartBaseline(settings.type, gathered)
    else { return [] }
    parameters = baseline.parameters
    isBaselineStable = baseline.isStable
    excluded = baseline.excluded
    let findings = baseline.excluded.map { finding(leftOut: gathered[$0], $0, baseline.parameters) }
    gathered = []
    return findings
  }

  private func finding(
    leftOut group: Subgroup, _ index: Int, _ parameters: ChartParameters
  ) -> OutOfControl {
    let value = parameters.location(of: group, settings.type)
    let limits = parameters.locationLimits(settings.type, size: group.size)
    let isLocation = limits.excludes(value)
    let shown = isLocation ? value : spreadValue(of: group, before: nil) ?? value
    let spreadLimits = parameters.spreadLimits(settings.type, size: group.size)
    let drawn = isLocation ? limits : spreadLimits ?? limits
    return OutOfControl(
      characteristic: id, chart: isLocation ? .location : .spread, cause: .baseline,
      side: shown > drawn.center ? .upper : .lower,
      points: [OutOfControl.Point(index: index, time: group.time, value: shown)], limits: drawn,
      isContinued: false)
  }

  // MARK: - Watching

  private func spreadValue(of group: Subgroup, before: Double?) -> Double? {
    switch settings.type {
    case .xbarR: group.range
    case .xbarS: group.deviation
    case .individuals: before.map { (group.value - $0).magnitude }
    default: nil
    }
  }

  private mutating func watch(
    _ group: Subgroup, _ parameters: ChartParameters, _ index: Int, before: Double?
  ) -> [OutOfControl] {
    var findings: [OutOfControl] = []
    let limits = parameters.locationLimits(settings.type, size: group.size)
    switch settings.type {
    case .ewma: watchAverage(group, limits, index, &findings)
    case .cusum: watchSums(group, limits, index, &findings)
    default:
      let value = parameters.location(of: group, settings.type)
      location.observe(
        RunRuleWindow.Point(
          index: index, time: group.time, value: value, distance: limits.distance(of: value)))
      report(location, .location, settings.rules, limits, &held, &findings)
    }
    guard let limits = parameters.spreadLimits(settings.type, size: group.size),
      let value = spreadValue(of: group, before: before)
    else { return findings }
    let isOut = limits.excludes(value)
    spread.observe(
      RunRuleWindow.Point(
        index: index, time: group.time, value: value,
        distance: isOut || limits.distance(of: value).magnitude < 3
          ? limits.distance(of: value) : 3))
    // Zones mean little on a skewed chart: its limits alone are watched.
    report(
      spread, .spread, settings.rules.intersection(RunRules([.nelson1, .westernElectric1])), limits,
      &heldSpread, &findings)
    return findings
  }

  private func report(
    _ window: RunRuleWindow, _ chart: OutOfControl.Chart, _ rules: RunRules, _ limits: ChartLimits,
    _ held: inout UInt64, _ findings: inout [OutOfControl]
  ) {
    var now: UInt64 = 0
    for raw in UInt8(0)..<12 where rules.rawValue & 1 << UInt16(raw) != 0 {
      guard let rule = RunRule(rawValue: raw), let side = window.side(of: rule) else { continue }
      let bit: UInt64 = 1 << (UInt64(raw) * 3 + UInt64(side.rawValue))
      now |= bit
      findings.append(
        OutOfControl(
          characteristic: id, chart: chart, cause: .rule(rule), side: side,
          points: window.evidence(of: rule, side).map {
            OutOfControl.Point(index: $0.index, time: $0.time, value: $0.value)
          }, limits: limits, isContinued: held & bit != 0))
    }
    held = now
  }

  private mutating func watchAverage(
    _ group: Subgroup, _ limits: ChartLimits, _ index: Int, _ findings: inout [OutOfControl]
  ) {
    var chart =
      average
      ?? EWMAChart(
        target: settings.target ?? limits.center, sigma: limits.sigma, lambda: settings.lambda,
        width: settings.width)
    let isOut = chart.observe(group.value)
    average = chart
    let side: RunSide = chart.average > chart.target ? .upper : .lower
    let bit: UInt64 = isOut ? 1 << UInt64(side.rawValue) : 0
    defer { held = bit }
    guard isOut else { return }
    findings.append(
      OutOfControl(
        characteristic: id, chart: .location, cause: .movingAverage, side: side,
        points: [OutOfControl.Point(index: index, time: group.time, value: chart.average)],
        limits: ChartLimits(
          center: chart.target, sigma: chart.halfWidth / chart.width, width: chart.width),
        isContinued: held & bit != 0))
  }

  private mutating func watchSums(
    _ group: Subgroup, _ limits: ChartLimits, _ index: Int, _ findings: inout [OutOfControl]
  ) {
    let target = settings.target ?? limits.center
    var chart =
      sums
      ?? CUSUMChart(
        target: target, allowance: settings.allowance * limits.sigma,
        decision: settings.decision * limits.sigma)
    chart.observe(group.value)
    sums = chart
    upperRun = chart.upperSum > 0 ? upperRun + 1 : 0
    lowerRun = chart.lowerSum > 0 ? lowerRun + 1 : 0
    location.observe(
      RunRuleWindow.Point(index: index, time: group.time, value: group.value, distance: 0))
    var now: UInt8 = 0
    for (side, sum, run) in [
      (RunSide.upper, chart.upperSum, upperRun), (.lower, chart.lowerSum, lowerRun),
    ] where sum > chart.decision {
      now |= 1 << side.rawValue
      findings.append(
        OutOfControl(
          characteristic: id, chart: .location, cause: .cumulativeSum, side: side,
          points: location.points.suffix(run).map {
            OutOfControl.Point(index: $0.index, time: $0.time, value: $0.value)
          }, limits: limits, isContinued: heldSums & 1 << side.rawValue != 0))
    }
    heldSums = now
  }

  /// The moving average of an ewma chart; `nil` before its first watched point.
  public var movingAverage: Double? { average?.average }

  /// The two sums of a cusum chart, in the unit of the values; `nil` before its first watched point.
  public var cumulativeSums: (upper: Double, lower: Double)? {
    sums.map { ($0.upperSum, $0.lowerSum) }
  }

  // MARK: - Saving

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.text(id)
    settings.encode(into: &writer)
    writer.varint(UInt64(count))
    writer.zigzag(lastTime.microseconds)
    writer.varint(UInt64(size))
    encode([parameters?.center, parameters?.sigma, previous], into: &writer)
    writer.byte(isBaselineStable ? 1 : 0)
    writer.varint(UInt64(excluded.count))
    for index in excluded { writer.varint(UInt64(index)) }
    writer.varint(UInt64(gathered.count))
    for group in gathered { group.encode(into: &writer) }
    location.encode(into: &writer)
    spread.encode(into: &writer)
    writer.byte((average == nil ? 0 : 1) | (sums == nil ? 0 : 2))
    average?.encode(into: &writer)
    sums?.encode(into: &writer)
    for number in [UInt64(upperRun), UInt64(lowerRun), held, heldSpread, UInt64(heldSums)] {
      writer.varint(number)
    }
  }

  private func encode(_ numbers: [Double?], into writer: inout ByteWriter) {
    for number in numbers {
      writer.byte(number == nil ? 0 : 1)
      writer.double(number ?? 0)
    }
  }

  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    id = try reader.text()
    settings = try ChartSettings(from: &reader)
    count = Int(truncatingIfNeeded: try reader.varint())
    lastTime = Timestamp(microseconds: try reader.zigzag())
    size = Int(truncatingIfNeeded: try reader.varint())
    let center = try Self.number(from: &reader)
    let sigma = try Self.number(from: &reader)
    if let center, let sigma { parameters = ChartParameters(center: center, sigma: sigma) }
    previous = try Self.number(from: &reader)
    isBaselineStable = try reader.byte() != 0
    for _ in 0..<(try Self.length(from: &reader)) {
      excluded.append(Int(truncatingIfNeeded: try reader.varint()))
    }
    for _ in 0..<(try Self.length(from: &reader)) { gathered.append(try Subgroup(from: &reader)) }
    location = try RunRuleWindow(from: &reader)
    spread = try RunRuleWindow(from: &reader)
    let parts = try reader.byte()
    if parts & 1 != 0 { average = try EWMAChart(from: &reader) }
    if parts & 2 != 0 { sums = try CUSUMChart(from: &reader) }
    upperRun = Int(truncatingIfNeeded: try reader.varint())
    lowerRun = Int(truncatingIfNeeded: try reader.varint())
    held = try reader.varint()
    heldSpread = try reader.varint()
    heldSums = UInt8(truncatingIfNeeded: try reader.varint())
  }

  private static func number(from reader: inout ByteReader) throws(ByteReader.Truncated) -> Double? {
    let isPresent = try reader.byte() != 0
    let number = try reader.double()
    return isPresent ? number : nil
  }

  private static func length(from reader: inout ByteReader) throws(ByteReader.Truncated) -> Int {
    let length = try reader.varint()
    guard length <= UInt64(ChartSettings.baselineSizes.upperBound) else {
      throw ByteReader.Truncated()
    }
    return Int(length)
  }
}
