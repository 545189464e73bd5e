import Telemetry

/// Episodes: one anomaly from its start until it was quiet.
extension SeriesDetection {
  static let novelty = Int(Anomaly.Kind.novelty.rawValue)
  static let flatLine = Int(Anomaly.Kind.flatLine.rawValue)
  static let silence = Int(Anomaly.Kind.silence.rawValue)

  /// Opens an episode, or keeps an open one open.
  mutating func raise(
    _ slot: Int, _ kind: Anomaly.Kind, _ score: Double, _ arrival: Arrival,
    _ anomalies: inout [Anomaly], _ explain: (inout Anomaly) -> Void
  ) {
    let place = Int(kind.rawValue)
    watches[slot].episodes[place].lastAbove = arrival.elapsed
    guard !watches[slot].episodes[place].isOpen else {
      let peak = watches[slot].episodes[place].peak
      watches[slot].episodes[place].peak = max(peak, score)
      return
    }
    numbered += 1
    watches[slot].episodes[place].number = numbered
    watches[slot].episodes[place].started = arrival.time.microseconds
    watches[slot].episodes[place].peak = score
    var anomaly = Anomaly(
      number: numbered, phase: .started, kind: kind, series: watches[slot].series,
      device: watches[slot].device, score: score, threshold: NoveltyDetector.alarmThreshold,
      contributions: [], value: arrival.value, started: arrival.time)
    explain(&anomaly)
    if anomaly.contributions.isEmpty {
      anomaly.contributions = [
        Anomaly.Contribution(cause: .series(watches[slot].series), amount: score)
      ]
    }
    anomalies.append(anomaly)
    lower(slot, to: arrival.elapsed + settings.quietMicroseconds)
  }

  mutating func end(
    _ slot: Int, _ kind: Anomaly.Kind, _ wall: Timestamp, _ anomalies: inout [Anomaly]
  ) {
    let place = Int(kind.rawValue)
    let episode = watches[slot].episodes[place]
    watches[slot].episodes[place] = Episode()
    anomalies.append(
      Anomaly(
        number: episode.number, phase: .ended, kind: kind, series: watches[slot].series,
        device: watches[slot].device, score: episode.peak,
        threshold: NoveltyDetector.alarmThreshold, contributions: [],
        value: Double(bitPattern: watches[slot].bits),
        started: Timestamp(microseconds: episode.started), ended: wall))
  }

  mutating func endRows(_ index: Int, _ moment: RecordMoment, _ anomalies: inout [Anomaly]) {
    let machine = machines[index]
    guard machine.episode.isOpen,
      machine.episode.lastAbove + settings.quietMicroseconds <= moment.elapsedMicroseconds
    else { return }
    let oddest = machine.detector.oddest
    anomalies.append(
      Anomaly(
        number: machine.episode.number, phase: .ended, kind: .multichannel,
        series: machine.series[oddest], device: machine.device, score: machine.episode.peak,
        threshold: NoveltyDetector.alarmThreshold, contributions: [], value: machine.held[oddest],
        started: Timestamp(microseconds: machine.episode.started), ended: moment.wall))
    machines[index].episode = Episode()
  }

  /// What is due for a series by now.
  mutating func expire(_ slot: Int, _ moment: RecordMoment, _ anomalies: inout [Anomaly]) {
    let now = moment.elapsedMicroseconds
    if let due = silenceDeadline(slot), due <= now, let last = watches[slot].arrivals.last,
      !watches[slot].episodes[Self.silence].isOpen
    {
      let bits = watches[slot].bits
      let arrival = Arrival(
        value: Double(bitPattern: bits), bits: bits, time: moment.wall, quality: .good,
        moment: moment)
      let score = DetectionScore.squashed(Double(now - last) / Double(max(due - last, 1)))
      raise(slot, .silence, score, arrival, &anomalies) { $0.toleratedMicroseconds = due - last }
    }
    for kind in Anomaly.Kind.allCases where Self.endsByQuiet(kind) {
      let episode = watches[slot].episodes[Int(kind.rawValue)]
      guard episode.isOpen, episode.lastAbove + settings.quietMicroseconds <= now else { continue }
      end(slot, kind, moment.wall, &anomalies)
    }
  }

  /// Silence ends with a sample, a flat line with a change; machines have episodes of their own.
  private static func endsByQuiet(_ kind: Anomaly.Kind) -> Bool {
    switch kind {
    case .novelty, .ewma, .cusum, .outOfRange: true
    case .flatLine, .silence, .multichannel: false
    }
  }

  /// When a series becomes odd by saying nothing; a series still learned only if it was declared.
  private func silenceDeadline(_ slot: Int) -> Int64? {
    let declared = watches[slot].silent
    guard
      let due = watches[slot].arrivals.deadline(factor: settings.silenceFactor, declared: declared)
    else { return nil }
    guard declared == nil else { return due }
    return max(due, watches[slot].born + settings.learningMicroseconds)
  }

  func deadline(of slot: Int) -> Int64 {
    var soonest = Int64.max
    if !watches[slot].episodes[Self.silence].isOpen, let due = silenceDeadline(slot) {
      soonest = due
    }
    for kind in Anomaly.Kind.allCases where Self.endsByQuiet(kind) {
      let episode = watches[slot].episodes[Int(kind.rawValue)]
      if episode.isOpen { soonest = min(soonest, episode.lastAbove + settings.quietMicroseconds) }
    }
    return soonest
  }

  /// A deadline may be too early, never too late.
  mutating func lower(_ slot: Int, to time: Int64) {
    deadlines[slot] = min(deadlines[slot], time)
    soonest = min(soonest, deadlines[slot])
  }
}
