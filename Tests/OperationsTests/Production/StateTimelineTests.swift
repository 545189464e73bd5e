import Operations
import Telemetry
import TestSupport
import Testing

@Suite struct StateTimelineTests {
  private static func timeline(
    _ states: [StateSample], life: [Timestamp] = [], timeout: Int64 = minutes(1),
    over span: Span = early
  ) -> [String] {
    StateTimeline(
      states: states, signsOfLife: life, timeoutMicroseconds: timeout, over: span
    ).segments.map {
      let start = $0.span.from.microseconds(since: early.from) / 1_000_000
      return "\(start) \($0.state.name)"
    }
  }

  @Test(
    "A state holds until the next sample, and is unknown once nothing was heard for longer than the time-out"
  )
  func holds() {
    let states = [
      StateSample(time: at(6, 0, 10), state: .running),
      StateSample(time: at(6, 1, 10), state: .idle),
      StateSample(time: at(6, 5), state: .running),
    ]
    #expect(
      Self.timeline(states, over: Span(at(6)..<at(6, 10))) == [
        "0 unknown", "10 running", "70 idle", "130 unknown", "300 running", "360 unknown",
      ])
  }

  @Test(
    "Any metric of the machine keeps its state alive, and brings a lapsed one back when it is heard again"
  )
  func life() {
    let states = [StateSample(time: at(6), state: .running)]
    let life = [at(6, 0, 50), at(6, 1, 40), at(6, 4)]
    #expect(
      Self.timeline(states, life: life, over: Span(at(6)..<at(6, 10))) == [
        "0 running", "160 unknown", "240 running", "300 unknown",
      ])
  }

  @Test("Bad and stale samples mean unknown, uncertain ones are believed")
  func quality() {
    let states = [
      StateSample(time: at(6), state: .running),
      StateSample(time: at(6, 0, 10), state: .running, quality: .bad),
      StateSample(time: at(6, 0, 20), state: .running, quality: [.uncertain, .outOfRange]),
      StateSample(time: at(6, 0, 30), state: .running, quality: [.uncertain, .stale]),
    ]
    #expect(
      Self.timeline(states, over: Span(at(6)..<at(6, 1))) == [
        "0 running", "10 unknown", "20 running", "30 unknown",
      ])
  }

  @Test(
    "Samples in any order give the same timeline; of two at one time the later in the list counts")
  func order() {
    let samples = [
      StateSample(time: at(6), state: .running), StateSample(time: at(6, 1), state: .unplannedStop),
      StateSample(time: at(6, 1), state: .idle), StateSample(time: at(6, 2), state: .running),
    ]
    let straight = Self.timeline(samples, timeout: .max)
    #expect(straight == ["0 running", "60 idle", "120 running"])
    #expect(
      Self.timeline([samples[3], samples[1], samples[0], samples[2]], timeout: .max) == straight)
  }

  @Test(
    "The tracker's changes, sample by sample, are the timeline of the whole, also when saved and restored on the way"
  )
  func tracker() throws {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<300 {
      let timeout = Int64.random(in: 3...12, using: &generator) * 1_000_000
      var samples: [StateSample] = []
      var life: [Timestamp] = []
      var time = at(6)
      for _ in 0..<Int.random(in: 1...40, using: &generator) {
        time = time.advanced(byMicroseconds: Int64.random(in: 1...8, using: &generator) * 1_000_000)
        if Int.random(in: 0..<4, using: &generator) == 0 {
          life.append(time)
        } else {
          let state = MachineState.allCases.randomElement(using: &generator) ?? .idle
          let isBad = Int.random(in: 0..<8, using: &generator) == 0
          samples.append(StateSample(time: time, state: state, quality: isBad ? .bad : .good))
        }
      }
      let end = time.advanced(byMicroseconds: 20_000_000)
      var changes: [StateChange] = []
      var tracker = MachineStateTracker(timeoutMicroseconds: timeout)
      let events = (samples.map { ($0.time, Optional($0)) } + life.map { ($0, nil) })
        .sorted { $0.0 < $1.0 }
      for (time, sample) in events {
        tracker = try Self.restored(tracker)
        if let sample {
          let found = tracker.observe(sample.state, at: time, quality: sample.quality)
          changes += [found.lapse, found.change].compactMap { $0 }
        } else {
          let found = tracker.sawLife(at: time)
          changes += [found.lapse, found.change].compactMap { $0 }
        }
      }
      if let lapse = tracker.advance(to: end) { changes.append(lapse) }
      for (a, b) in zip(changes, changes.dropFirst()) {
        #expect(a.time <= b.time && a.new == b.old)
      }
      let whole = Span(at(6)..<end)
      let timeline = StateTimeline(
        states: samples, signsOfLife: life, timeoutMicroseconds: timeout, over: whole)
      for second in 0..<Int(whole.microseconds / 1_000_000) {
        let probe = at(6, 0, second)
        let followed = changes.last { $0.time <= probe }?.new ?? .unknown
        let index = try #require(timeline.index(at: probe))
        #expect(timeline.segments[index].state == followed)
        #expect(followed == Self.bruteForce(samples, life, timeout, at: probe))
      }
    }
  }

  private static func restored(_ tracker: MachineStateTracker) throws -> MachineStateTracker {
    var writer = ByteWriter()
    tracker.encode(into: &writer)
    var reader = ByteReader(writer.bytes)
    let restored = try MachineStateTracker(
      from: &reader, timeoutMicroseconds: tracker.timeoutMicroseconds)
    #expect(restored == tracker && reader.remaining == 0)
    return restored
  }

  /// Straight from the definition: the last sample counts while anything was heard a short while ago.
  private static func bruteForce(
    _ samples: [StateSample], _ life: [Timestamp], _ timeout: Int64, at probe: Timestamp
  ) -> MachineState {
    guard let last = samples.last(where: { $0.time <= probe }), last.quality == .good else {
      return .unknown
    }
    let seen = (samples.map(\.time) + life).filter { $0 <= probe }.max() ?? .distantPast
    return probe.microseconds(since: seen) >= timeout ? .unknown : last.state
  }

  @Test("A tracker that is cut short or of another version is not restored")
  func truncated() {
    var writer = ByteWriter()
    MachineStateTracker(timeoutMicroseconds: 1).encode(into: &writer)
    let bytes = Array(writer.bytes)
    for count in 0..<bytes.count {
      bytes[..<count].withUnsafeBytes { slice in
        var reader = ByteReader(slice)
        #expect(throws: ByteReader.Truncated.self) {
          _ = try MachineStateTracker(from: &reader, timeoutMicroseconds: 1)
        }
      }
    }
    ([UInt8(99)] + bytes.dropFirst()).withUnsafeBytes { other in
      var reader = ByteReader(other)
      #expect(throws: ByteReader.Truncated.self) {
        _ = try MachineStateTracker(from: &reader, timeoutMicroseconds: 1)
      }
    }
  }

  @Test("A late sample is counted and not followed")
  func late() {
    var tracker = MachineStateTracker(timeoutMicroseconds: .max)
    _ = tracker.observe(.running, at: at(6, 10), quality: .good)
    #expect(tracker.observe(.idle, at: at(6, 5), quality: .good).isEmpty)
    #expect(tracker.lateSamples == 1 && tracker.state == .running)
  }
}
