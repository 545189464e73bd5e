import Telemetry

/// What an operator said afterwards about a stop.
public struct StopEdit: Hashable, Sendable {
  public enum Action: Hashable, Sendable {
    /// Two stops from here on: before and after the moment.
    case split(at: Timestamp)
    /// The stop gets another reason.
    case relabel(reason: String)
  }

  /// Unique among the edits of a plant.
  public var id: String
  public var machine: String
  /// The stop as the operator saw it.
  public var stop: Span
  public var action: Action
  /// Id of the person.
  public var author: String
  public var time: Timestamp
  public var remark: String

  public init(
    id: String, machine: String, stop: Span, action: Action, author: String, time: Timestamp,
    remark: String = ""
  ) {
    self.id = id
    self.machine = machine
    self.stop = stop
    self.action = action
    self.author = author
    self.time = time
    self.remark = remark
  }
}

/// One line of the audit trail: who changed what into what, or why it could not be.
public struct StopEditAudit: Hashable, Sendable {
  public var edit: StopEdit
  /// What the edit names, within one shift.
  public var named: Span
  /// The stop as the data has it now; `nil` when the edit was refused.
  public var stop: Span?
  public var oldReason: String?
  public var oldState: MachineState?
  public var newReason: String?
  public var newState: MachineState?
  /// A sentence; `nil`: it was applied.
  public var refusal: String?

  public var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("id", .string(edit.id)), ("machine", .string(edit.machine)),
      ("author", .string(edit.author)), ("time", .time(edit.time)),
      ("remark", .string(edit.remark)), ("stop", .span(stop ?? named)),
    ]
    switch edit.action {
    case .split(let moment):
      members += [("action", .string("split")), ("at", .time(moment))]
    case .relabel(let reason):
      members += [("action", .string("relabel")), ("reason", .string(reason))]
    }
    if let refusal {
      members += [("applied", .bool(false)), ("refusal", .string(refusal))]
    } else {
      members += [
        ("applied", .bool(true)),
        ("old", Self.json(oldState, oldReason)), ("new", Self.json(newState, newReason)),
      ]
    }
    return .object(members)
  }

  private static func json(_ state: MachineState?, _ reason: String?) -> JSONValue {
    .object([("state", .optional(state?.name)), ("reason", .optional(reason))])
  }
}

/// Applies operators' edits to a timeline, in the order in which they were made.
///
/// An edit names the stop as it was seen. Late data may since have moved its ends: an edit holds as long as what it
/// names still lies within one stop, and then goes to that whole stop; else it is refused with a sentence
/// and everything else goes on. A stop that goes on into the next shift is one of each: an edit that names all of it is
/// applied, and audited, in each shift, so that the figures of a shift do not depend on what else was loaded. Setup, idle, starved, blocked and stops can be edited; running, unknown and
/// planned time cannot.
struct StopCorrections {
  let reasons: StopReasons
  /// Shifts, or all that is known where there are none.
  let windows: [Span]
  private(set) var audits: [StopEditAudit] = []

  init(reasons: StopReasons, windows: [Span]) {
    self.reasons = reasons
    self.windows = windows
  }

  mutating func apply(_ edits: [StopEdit], to timeline: inout StateTimeline) {
    for edit in edits {
      var parts = windows.compactMap { $0.intersection(edit.stop) }
      if case .split(let moment) = edit.action, parts.count > 1 {
        parts = [parts.last { $0.from <= moment } ?? parts[0]]
      }
      if parts.isEmpty { parts = [edit.stop] }
      for part in parts { audits.append(apply(edit, to: part, in: &timeline)) }
    }
  }

  private func apply(
    _ edit: StopEdit, to named: Span, in timeline: inout StateTimeline
  ) -> StopEditAudit {
    var audit = StopEditAudit(edit: edit, named: named)
    guard !named.isEmpty else {
      audit.refusal = "the stop named is empty"
      return audit
    }
    guard windows.contains(where: { $0.contains(named) }),
      let index = timeline.index(at: named.from)
    else {
      audit.refusal = "nothing is known of the machine in a shift at \(named.from.rfc3339)"
      return audit
    }
    let segment = timeline.segments[index]
    guard segment.state.isStop || segment.state == .setup || segment.isRelabelled(by: reasons)
    else {
      audit.refusal =
        "at \(named.from.rfc3339) the machine was not stopped but \(segment.state.name)"
      return audit
    }
    guard segment.span.contains(named) else {
      audit.refusal =
        "the stop ends at \(segment.span.to.rfc3339): what is named reaches beyond it, over another"
        + " stop or time that was none"
      return audit
    }
    switch edit.action {
    case .split(let moment):
      guard segment.span.from < moment, moment < segment.span.to else {
        audit.refusal =
          "\(moment.rfc3339) does not lie inside the stop from \(segment.span.from.rfc3339) to"
          + " \(segment.span.to.rfc3339)"
        return audit
      }
      var (first, second) = (segment, segment)
      first.span = Span(segment.span.from..<moment)
      second.span = Span(moment..<segment.span.to)
      second.isCut = true
      replace(index, by: [first, second], in: &timeline)
      audit.record(segment, segment)
    case .relabel(let code):
      guard let reason = reasons[code] else {
        audit.refusal = reasons.refusal(of: code)
        return audit
      }
      var labelled = segment
      labelled.reason = code
      labelled.state = reason.state(from: segment.state)
      labelled.isCut = true
      replace(index, by: [labelled], in: &timeline)
      audit.record(segment, labelled)
    }
    return audit
  }

  private func replace(_ index: Int, by new: [StateSegment], in timeline: inout StateTimeline) {
    var segments = timeline.segments
    segments.replaceSubrange(index...index, with: new)
    // What follows an edited stop stays apart from it.
    let next = index + new.count
    if next < segments.count { segments[next].isCut = true }
    timeline.replaceSegments(segments)
  }
}

extension StopEditAudit {
  init(edit: StopEdit, named: Span) {
    self.edit = edit
    self.named = named
  }

  fileprivate mutating func record(_ old: StateSegment, _ new: StateSegment) {
    stop = old.span
    (oldState, oldReason) = (old.state, old.reason)
    (newState, newReason) = (new.state, new.reason)
  }
}

extension StateSegment {
  /// A planned stop that a reason made of an unplanned one: it may be changed back.
  fileprivate func isRelabelled(by reasons: StopReasons) -> Bool {
    state == .plannedStop && reason.flatMap { reasons[$0] }?.loss.isPlanned == true
  }
}

extension StopReason {
  /// The state of a stop that has this reason.
  func state(from old: MachineState) -> MachineState {
    switch loss {
    case .planned, .preventiveMaintenance: .plannedStop
    case .setup: .setup
    case .breakdown: .unplannedStop
    case .waiting: old.isStop && old != .unplannedStop ? old : .idle
    }
  }
}
