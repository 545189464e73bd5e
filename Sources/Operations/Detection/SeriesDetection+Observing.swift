import Telemetry

extension SeriesDetection {
  /// No value to use: nothing is expected of the series until the next one.
  mutating func rest(_ slot: Int, _ quality: Quality) {
    if quality.contains(.stale) {
      watches[slot].arrivals.rest()
      watches[slot].changes.rest()
    }
    let (machine, channel) = (watches[slot].machine, watches[slot].channel)
    if machine >= 0 { machines[Int(machine)].drop(channel: Int(channel)) }
  }

  mutating func noteArrival(_ slot: Int, _ arrival: Arrival, _ anomalies: inout [Anomaly]) {
    if watches[slot].episodes[Self.silence].isOpen {
      end(slot, .silence, arrival.moment.wall, &anomalies)
    }
    watches[slot].arrivals.note(at: arrival.elapsed)
    let isFirst = watches[slot].born == .min
    if isFirst { watches[slot].born = arrival.elapsed }
    if isFirst || watches[slot].changes.last == nil || watches[slot].bits != arrival.bits {
      noteRest(slot, arrival)
      watches[slot].bits = arrival.bits
      watches[slot].changes.note(at: arrival.elapsed)
      if watches[slot].episodes[Self.flatLine].isOpen {
        end(slot, .flatLine, arrival.moment.wall, &anomalies)
      }
    } else {
      noteFlatLine(slot, arrival, &anomalies)
    }
    if deadlines[slot] == .max { lower(slot, to: deadline(of: slot)) }
  }

  /// A machine that is switched off shows the same value night after night.
  private mutating func noteRest(_ slot: Int, _ arrival: Arrival) {
    let changes = watches[slot].changes
    guard changes.count >= IntervalHabit.needed, let last = changes.last else { return }
    let isLong =
      Double(arrival.elapsed - last) > settings.flatLineFactor * Double(changes.usual)
    if isLong { watches[slot].restBits = watches[slot].bits }
  }

  private mutating func noteFlatLine(
    _ slot: Int, _ arrival: Arrival, _ anomalies: inout [Anomaly]
  ) {
    let declared = watches[slot].unchanged
    guard
      let due = watches[slot].changes.deadline(
        factor: settings.flatLineFactor, declared: declared),
      let last = watches[slot].changes.last, arrival.elapsed > due,
      declared != nil || isLearned(slot, arrival.elapsed)
    else { return }
    let isAtRest = declared == nil && watches[slot].bits == watches[slot].restBits
    let tolerated = Double(due - last) * (isAtRest ? settings.restFactor : 1)
    let ratio = Double(arrival.elapsed - last) / max(tolerated, 1)
    guard ratio > 1 else { return }
    raise(slot, .flatLine, DetectionScore.squashed(ratio), arrival, &anomalies) {
      $0.toleratedMicroseconds = Int64(tolerated)
    }
  }

  private func isLearned(_ slot: Int, _ elapsed: Int64) -> Bool {
    watches[slot].born != .min && elapsed - watches[slot].born >= settings.learningMicroseconds
  }

  mutating func noteNovelty(_ slot: Int, _ arrival: Arrival, _ anomalies: inout [Anomaly]) {
    let score = watches[slot].novelty.observe(
      arrival.value, at: arrival.time, debounce: settings.debounceMicroseconds)
    guard score.undebounced >= NoveltyDetector.alarmThreshold,
      let caution = watches[slot].caution(at: arrival.elapsed, settings)
    else { return }
    let isOpen = watches[slot].episodes[Self.novelty].isOpen
    let shown = isOpen ? score.undebounced : score.value
    let threshold = DetectionScore.squashed(caution)
    guard shown >= (isOpen ? NoveltyDetector.alarmThreshold : threshold) else { return }
    raise(slot, .novelty, shown, arrival, &anomalies) { anomaly in
      anomaly.threshold = threshold
      anomaly.expected = score.expected
      anomaly.scale = score.scale
      anomaly.contributions = Self.contributions(of: score)
    }
  }

  /// A drift in steps too small to be new: the level is where it never was until a day ago.
  mutating func noteDrift(_ slot: Int, _ arrival: Arrival, _ anomalies: inout [Anomaly]) {
    let excess = watches[slot].slow.observe(arrival.value, at: arrival.elapsed)
    guard excess >= settings.driftShare,
      let caution = watches[slot].caution(at: arrival.elapsed, settings)
    else { return }
    let ratio = excess / settings.driftShare
    let isOpen = watches[slot].episodes[Self.novelty].isOpen
    guard isOpen || (ratio >= caution && watches[slot].slow.passes(excess)) else { return }
    let score = DetectionScore.squashed(ratio)
    let expected = watches[slot].slow.expected
    raise(slot, .novelty, score, arrival, &anomalies) { anomaly in
      anomaly.threshold = DetectionScore.squashed(caution)
      anomaly.expected = expected
      anomaly.contributions = [Anomaly.Contribution(cause: .view(.level), amount: score)]
    }
  }

  private static func contributions(of score: DetectionScore) -> [Anomaly.Contribution] {
    NoveltyView.allCases.map {
      Anomaly.Contribution(cause: .view($0), amount: score.contributions[$0.rawValue])
    }
    .filter { $0.amount > 0 }.sorted { $0.amount > $1.amount }
  }

  /// 0.5 at the limit, more by how far outside, in widths of the range.
  mutating func noteRange(_ slot: Int, _ arrival: Arrival, _ anomalies: inout [Anomaly]) {
    guard let range = watches[slot].range else {
      guard arrival.quality.contains(.outOfRange) else { return }
      raise(slot, .outOfRange, 0.5, arrival, &anomalies) { _ in }
      return
    }
    guard !range.contains(arrival.value) else { return }
    let width = max(range.upperBound - range.lowerBound, 1e-300)
    let nearest = min(max(arrival.value, range.lowerBound), range.upperBound)
    let score = DetectionScore.squashed(1 + (arrival.value - nearest).magnitude / width)
    raise(slot, .outOfRange, score, arrival, &anomalies) { $0.expected = nearest }
  }

  mutating func noteCharts(_ slot: Int, _ arrival: Arrival, _ anomalies: inout [Anomaly]) {
    let scores = charts[Int(watches[slot].chart)].observe(arrival.value)
    func tell(_ kind: Anomaly.Kind, _ score: Double, _ detection: inout SeriesDetection) {
      guard score > NoveltyDetector.alarmThreshold else { return }
      detection.raise(slot, kind, score, arrival, &anomalies) { anomaly in
        anomaly.expected = scores.target
        anomaly.scale = scores.sigma
      }
    }
    tell(.ewma, scores.ewma, &self)
    tell(.cusum, scores.cusum, &self)
  }

  mutating func noteRow(_ slot: Int, _ arrival: Arrival, _ anomalies: inout [Anomaly]) {
    let index = Int(watches[slot].machine)
    machines[index].hold(arrival.value, channel: Int(watches[slot].channel))
    guard let score = machines[index].row(at: arrival.elapsed, every: settings.rowMicroseconds),
      score > NoveltyDetector.alarmThreshold
    else { return }
    noteOddRow(index, score, arrival, &anomalies)
  }

  private mutating func noteOddRow(
    _ index: Int, _ score: Double, _ arrival: Arrival, _ anomalies: inout [Anomaly]
  ) {
    let isNew = !machines[index].episode.isOpen
    if isNew {
      numbered += 1
      machines[index].episode.number = numbered
      machines[index].episode.started = arrival.time.microseconds
      machines[index].episode.peak = 0
    }
    machines[index].episode.lastAbove = arrival.elapsed
    machines[index].episode.peak = max(machines[index].episode.peak, score)
    soonest = min(soonest, arrival.elapsed + settings.quietMicroseconds)
    guard isNew else { return }
    let machine = machines[index]
    let oddest = machine.detector.oddest
    let expectation = machine.detector.expectation(of: oddest)
    let parts = machine.detector.contributions(to: score)
    let contributions = parts.indices.map {
      Anomaly.Contribution(cause: .series(machine.series[$0]), amount: parts[$0])
    }
    anomalies.append(
      Anomaly(
        number: machine.episode.number, phase: .started, kind: .multichannel,
        series: machine.series[oddest], device: machine.device, score: score,
        threshold: NoveltyDetector.alarmThreshold,
        contributions: contributions.sorted { $0.amount > $1.amount }, value: machine.held[oddest],
        expected: expectation.value, scale: expectation.scale, started: arrival.time))
  }
}
