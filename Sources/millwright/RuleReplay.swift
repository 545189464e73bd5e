import Capture
import Devices
import Foundation
import Gateway
import Rules
import Telemetry

/// What the rules would have done on recorded messages: `millwright check --against CAPTURE`.
///
/// The capture goes through the same resolver as live messages, one record for each; its times are
/// the
/// only clock. Timers run on ticks, as in the gateway. Schedules use the zone of this machine.
struct RuleReplay {
  private var resolver: Resolver
  private var engine: RuleEngine
  private let rules: RuleSet
  private let hasTransitions: Bool
  private var output = RuleOutput()
  private var batch = Batch()
  private var sequence: UInt64 = 0
  private var start: Timestamp?
  private var last = RecordMoment(sequence: 0, wall: .epoch, elapsedMicroseconds: 0)
  private var transitions: [AlarmTransition] = []
  private var effects: [String: Int] = [:]
  private var floods = 0
  private var messages = 0
  private var samples = 0

  init(configuration loaded: LoadedConfiguration, hasTransitions: Bool) throws {
    rules = loaded.rules
    self.hasTransitions = hasTransitions
    let zone = TimeZone.current
    engine = RuleEngine(rules: loaded.rules) { time in
      zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time.microseconds) / 1e6))
    }
    resolver = Resolver()
    batch.items += resolver.reconfigure(loaded.devices).items
    for item in batch.items { engine.define(item) }
    batch.removeAll()
  }

  /// - Throws: `CaptureError` when the file is no capture, or where it is damaged.
  mutating func play(_ file: String) throws {
    var reader = try CaptureReader(path: file)
    while let message = reader.next() { take(message) }
    if let damage = reader.damage { throw damage }
    guard start != nil else { throw Failure("\(file) holds no messages") }
  }

  private mutating func take(_ message: CapturedMessage) {
    let first = start ?? message.time
    start = first
    messages += 1
    // Never back: a capture whose clock was set is played at its last time.
    let elapsed = max(last.elapsedMicroseconds, message.time.microseconds(since: first))
    tick(until: elapsed, from: message.time)
    sequence += 1
    last = RecordMoment(sequence: sequence, wall: message.time, elapsedMicroseconds: elapsed)
    _ = resolver.advance(to: elapsed, received: message.time, into: &batch)
    resolve(message, elapsed)
    batch.endDelivery(packetID: 0)
    apply()
  }

  private mutating func resolve(_ message: CapturedMessage, _ elapsed: Int64) {
    var (topic, contentType) = (message.topic, message.contentType)
    topic.withUTF8 { topic in
      contentType.withUTF8 { contentType in
        message.payload.withUnsafeBytes { payload in
          _ = resolver.resolve(
            IncomingMessage(
              topic: UnsafeRawBufferPointer(topic),
              contentType: UnsafeRawBufferPointer(contentType), payload: payload,
              received: message.time, monotonicMicroseconds: elapsed,
              isRetained: message.isRetained),
            into: &batch)
        }
      }
    }
  }

  private mutating func apply() {
    for item in batch.items { engine.define(item) }
    for item in batch.items {
      switch item {
      case .wentStale(let staleness): engine.wentStale(staleness, at: last, into: &output)
      case .event(let event): engine.eventHappened(event, at: last, into: &output)
      default: break
      }
    }
    samples += batch.samples.count
    engine.observe(batch.samples, at: last, into: &output)
    engine.advance(to: last, into: &output)
    _ = resolver.takeMemory()
    _ = resolver.markCommitted()
    batch.removeAll()
    gather()
  }

  private mutating func tick(until elapsed: Int64, from wall: Timestamp) {
    while let due = engine.nextDeadline(), due < elapsed {
      sequence += 1
      let at = max(due, last.elapsedMicroseconds)
      last = RecordMoment(
        sequence: sequence, wall: wall.advanced(byMicroseconds: at - elapsed),
        elapsedMicroseconds: at)
      engine.advance(to: last, into: &output)
      gather()
    }
  }

  private mutating func gather() {
    if hasTransitions { transitions += output.transitions }
    for effect in output.effects { effects[effect.key.rule, default: 0] += 1 }
    floods += output.floods.count { $0.isBeginning }
    output.removeAll()
  }

  // MARK: - Report

  /// The figures of one rule over all its devices.
  private struct Figures {
    var rule: Rule
    var alarms = 0
    var activations: UInt64 = 0
    var chatters: UInt64 = 0
    var active: Int64 = 0
    var longest: Int64 = 0
    var firsts: [(time: Timestamp, source: String)] = []
    var isOpen = 0
  }

  private var figures: [Figures] {
    var list = rules.rules.map { Figures(rule: $0) }
    for alarm in engine.alarms {
      guard let index = list.firstIndex(where: { $0.rule.id == alarm.key.rule }) else { continue }
      let statistics = alarm.statistics
      let open = statistics.activeSince.map { last.elapsedMicroseconds - $0 } ?? 0
      list[index].alarms += 1
      list[index].activations += statistics.activations
      list[index].chatters += statistics.chatters
      list[index].active += statistics.activeMicroseconds + open
      list[index].longest = max(list[index].longest, statistics.longestMicroseconds, open)
      list[index].isOpen += alarm.isActive ? 1 : 0
      if let first = statistics.firstActivation {
        list[index].firsts.append((first, alarm.key.source))
      }
    }
    for index in list.indices {
      list[index].firsts.sort { ($0.time, $0.source) < ($1.time, $1.source) }
    }
    return list
  }

  private func seconds(_ microseconds: Int64) -> String {
    Number.text(Double(microseconds) / 1e6, decimals: 1)
  }

  var text: String {
    let span = seconds(last.elapsedMicroseconds)
    var lines = ["\(messages) messages, \(samples) samples in \(span) s"]
    var table = Table(
      [
        "rule", "alarms", "bytes", "raised", "active s", "longest s", "chatter", "actions", "first",
      ],
      rightAligned: [1, 2, 3, 4, 5, 6, 7])
    for each in figures {
      let first = each.firsts.first.map { "\($0.time.rfc3339) \($0.source)" } ?? "-"
      table.rows.append([
        each.rule.id, String(each.alarms), String(each.rule.stateBytes), String(each.activations),
        seconds(each.active), seconds(each.longest), String(each.chatters),
        String(effects[each.rule.id] ?? 0), first,
      ])
    }
    lines.append(table.text)
    if floods > 0 { lines.append("\(floods) alarm floods") }
    for problem in engine.problems { lines.append("\(problem.key): \(problem.message)") }
    for step in transitions {
      lines.append(
        "\(step.time.rfc3339) \(step.key) \(step.from.name) > \(step.to.name) (\(step.cause.name)) \(step.text)"
      )
    }
    return lines.joined(separator: "\n")
  }

  var json: String {
    let list = figures.map { each in
      let firsts = each.firsts.map {
        JSONText.object([
          ("time", JSONText.quoted($0.time.rfc3339)), ("source", JSONText.quoted($0.source)),
        ])
      }
      return JSONText.object([
        ("rule", JSONText.quoted(each.rule.id)), ("alarms", String(each.alarms)),
        ("bytes_per_instance", String(each.rule.stateBytes)),
        ("activations", String(each.activations)),
        ("active_seconds", JSONText.number(Double(each.active) / 1e6)),
        ("longest_seconds", JSONText.number(Double(each.longest) / 1e6)),
        ("chattering", String(each.chatters)), ("active_at_end", String(each.isOpen)),
        ("actions", String(effects[each.rule.id] ?? 0)),
        ("first", "[" + firsts.joined(separator: ", ") + "]"),
      ])
    }
    var members = [
      ("messages", String(messages)), ("samples", String(samples)),
      ("seconds", JSONText.number(Double(last.elapsedMicroseconds) / 1e6)),
      ("late_samples", String(engine.lateSamples)), ("floods", String(floods)),
      ("rules", "[" + list.joined(separator: ", ") + "]"),
      (
        "problems",
        "["
          + engine.problems.map { JSONText.quoted("\($0.key): \($0.message)") }.joined(
            separator: ", ")
          + "]"
      ),
    ]
    if hasTransitions {
      let steps = transitions.map { step in
        JSONText.object([
          ("time", JSONText.quoted(step.time.rfc3339)), ("rule", JSONText.quoted(step.key.rule)),
          ("source", JSONText.quoted(step.key.source)), ("from", JSONText.quoted(step.from.name)),
          ("to", JSONText.quoted(step.to.name)), ("cause", JSONText.quoted(step.cause.name)),
          ("value", JSONText.value(step.value)), ("unit", JSONText.quoted(step.unit)),
          ("text", JSONText.quoted(step.text)),
        ])
      }
      members.append(("transitions", "[" + steps.joined(separator: ", ") + "]"))
    }
    return JSONText.object(members)
  }
}
