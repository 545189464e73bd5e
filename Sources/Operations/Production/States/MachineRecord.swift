import Telemetry

/// A sample of the state series, already put into our words by `MachineDefinition.mapped`.
public struct StateSample: Hashable, Sendable {
  public var time: Timestamp
  /// `unknown` for a value that stands for nothing.
  public var state: MachineState
  /// The reason that the mapping gives by default.
  public var reason: String?
  public var quality: Quality

  public init(
    time: Timestamp, state: MachineState, reason: String? = nil, quality: Quality = .good
  ) {
    self.time = time
    self.state = state
    self.reason = reason
    self.quality = quality
  }
}

/// A sample of a series of words: product, order, reason.
public struct WordSample: Hashable, Sendable {
  public var time: Timestamp
  /// Empty: none.
  public var word: String
  public var quality: Quality

  public init(time: Timestamp, word: String, quality: Quality = .good) {
    self.time = time
    self.word = word
    self.quality = quality
  }
}

public struct CounterSample: Hashable, Sendable {
  public var time: Timestamp
  public var value: Double
  public var quality: Quality

  public init(time: Timestamp, value: Double, quality: Quality = .good) {
    self.time = time
    self.value = value
    self.quality = quality
  }
}

/// A stop that was entered by hand or by another system instead of being measured; such may overlap.
public struct DeclaredStop: Hashable, Sendable {
  public var span: Span
  public var state: MachineState
  public var reason: String?

  public init(span: Span, state: MachineState = .unplannedStop, reason: String? = nil) {
    self.span = span
    self.state = state
    self.reason = reason
  }
}

/// Everything that is held of one machine for a stretch of time, in any order.
///
/// Of each series also the last sample before the stretch: a state holds from there, a counter counts from there.
public struct MachineRecord: Hashable, Sendable {
  public var states: [StateSample] = []
  /// Times at which any other metric of the machine came: they keep a state alive that is only sent on change. Also the
  /// last one before the stretch.
  public var signsOfLife: [Timestamp] = []
  public var total: [CounterSample] = []
  public var good: [CounterSample] = []
  public var scrap: [CounterSample] = []
  public var rework: [CounterSample] = []
  public var products: [WordSample] = []
  public var orders: [WordSample] = []
  public var reasons: [WordSample] = []
  public var declaredStops: [DeclaredStop] = []
  /// In the order in which they were made.
  public var edits: [StopEdit] = []

  public init() {}
}
