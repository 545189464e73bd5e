/// What the stages made of one record: rows for the store, verdicts for who asked.
///
/// A function of the records so far: the same journal gives the same output, wherever it is replayed.
public struct StageOutput: Sendable, Equatable {
  /// New rows of the event log, in order. Their ids are given by `take`.
  public private(set) var events: [DerivedEvent] = []
  /// What holds from now on; a later one of the same kind and key counts.
  public var standings: [Standing] = []
  /// Of each command of the record, in order: `nil` carried out, else why not.
  public var verdicts: [CommandRefusal?] = []

  public init() {}

  public var isEmpty: Bool { events.isEmpty && standings.isEmpty && verdicts.isEmpty }

  /// Appends an event; its id is the record's sequence and its place among the record's events.
  ///
  /// - Parameter hasEffects: its properties name `effects` that leave the box.
  /// - Returns: the event's id.
  @discardableResult
  public mutating func add(
    _ name: String, at moment: RecordMoment, time: Timestamp? = nil, device: String? = nil,
    user: String? = nil, properties: JSONValue, hasEffects: Bool = false
  ) -> String {
    let id = "\(Event.derivedIDPrefix)\(moment.sequence).\(events.count)"
    events.append(
      DerivedEvent(
        event: Event(
          id: id, name: name, time: time ?? moment.wall, user: user, device: device,
          properties: properties.encoded),
        hasEffects: hasEffects))
    return id
  }

  public mutating func removeAll() {
    events.removeAll(keepingCapacity: true)
    standings.removeAll(keepingCapacity: true)
    verdicts.removeAll(keepingCapacity: true)
  }
}

/// An event that the gateway itself concluded.
public struct DerivedEvent: Hashable, Sendable {
  public var event: Event
  /// Whether something is to be sent because of it, as its property `effects` says.
  public var hasEffects: Bool

  public init(event: Event, hasEffects: Bool = false) {
    self.event = event
    self.hasEffects = hasEffects
  }
}

extension Event {
  /// Ids of derived events begin with it; events from outside may not.
  public static let derivedIDPrefix = "mw:"
}

/// Something that holds until it is said otherwise: the state of an alarm, a desired property, the state of
/// a machine.
public struct Standing: Hashable, Sendable {
  /// What sort of thing, in the singular: `alarm`, `desired`, `machine`.
  public var kind: String
  /// Unique within the kind.
  public var key: String
  /// Since when it is so.
  public var time: Timestamp
  /// A JSON object; empty: it holds no more.
  public var body: String

  public init(kind: String, key: String, time: Timestamp, body: String) {
    self.kind = kind
    self.key = key
    self.time = time
    self.body = body
  }
}

/// Why a stage did not do what it was asked.
public struct CommandRefusal: Error, Hashable, Sendable {
  /// Snake case, for programs.
  public var code: String
  /// A sentence for the person who asked.
  public var detail: String

  public init(code: String, detail: String) {
    self.code = code
    self.detail = detail
  }
}
