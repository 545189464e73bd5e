/// What a person or a program asked of a stage, journaled before it is answered.
///
/// The stage that knows `name` carries it out or refuses it; either way the record stays: it is the audit
/// trail.
public struct OperatorCommand: Hashable, Sendable {
  /// Verb and noun in snake case: `alarm.acknowledge`, `twin.desire`, `stop.relabel`.
  public var name: String
  /// What it is about: the key of an alarm, the id of a device.
  public var target: String
  /// Who asked: the name of the API key or the user; never a secret.
  public var principal: String
  /// Why, in the words of who asked; may be empty.
  public var remark: String
  /// A JSON object with what else the verb needs.
  public var body: String

  public init(
    name: String, target: String, principal: String, remark: String = "", body: String = "{}"
  ) {
    self.name = name
    self.target = target
    self.principal = principal
    self.remark = remark
    self.body = body
  }
}
