import Telemetry

/// One step of one alarm, as it is to be stored, shown and sent.
public struct AlarmTransition: Hashable, Sendable {
  public var key: AlarmKey
  /// Grows by one with every transition of the engine.
  public var number: UInt64
  public var from: AlarmState
  public var to: AlarmState
  public var cause: AlarmCause
  /// Receive time of the record that brought it; a timer's moment is the tick that carried it.
  public var time: Timestamp
  public var elapsedMicroseconds: Int64
  public var priority: AlarmPriority
  /// Operator console that it belongs to.
  public var console: String
  /// Device id; empty for rules over assets or single signals.
  public var device: String
  public var asset: String
  /// The quantity that the rule compares first; `nil`: it was not known.
  public var value: Value?
  /// Symbol of its unit; empty when it has none.
  public var unit: String
  /// What each signal of the rule was at that moment.
  public var values: [SignalValue]
  /// Who gave the command; empty for transitions by themselves.
  public var principal: String
  public var remark: String
  /// An input was bad or too old: the alarm holds its state.
  public var isInputStale: Bool
  /// The condition was evaluated on values of uncertain quality.
  public var isUncertain: Bool
  /// The rule's text with its values, in English and in Brazilian Portuguese (empty when not
  /// given).
  public var text: String
  public var textPT: String
  /// The latest of at least three activations within a minute.
  public var isChattering: Bool

  public struct SignalValue: Hashable, Sendable {
    /// As the rule names it.
    public var name: String
    public var value: Value?
    public var quality: Quality

    public init(name: String, value: Value?, quality: Quality) {
      self.name = name
      self.value = value
      self.quality = quality
    }
  }
}
