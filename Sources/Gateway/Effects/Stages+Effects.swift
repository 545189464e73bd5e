import Telemetry

extension Stages {
  /// The command by which an operator tries a way out: `body` is an effect, or `{"effects": […]}`.
  static let effectCommand = "effect.send"

  /// Makes the event `EffectRequested` with these effects.
  /// - Returns: `nil`, or what is wrong with them.
  func requestEffects(
    _ command: OperatorCommand, at moment: RecordMoment, into output: inout StageOutput
  ) -> CommandRefusal? {
    func refusal(_ detail: String) -> CommandRefusal {
      CommandRefusal(code: "invalid_effect", detail: detail)
    }
    let body: JSONValue
    do throws(JSONReader.Failure) {
      body = try JSONReader.read(Array(command.body.utf8))
    } catch {
      return refusal("the body is no JSON: \(error.detail)")
    }
    let effects = body["effects"]?.elements ?? [body]
    for effect in effects {
      do throws(EffectRefusal) { _ = try Effect(effect, root: "") } catch {
        return refusal(error.detail)
      }
    }
    output.add(
      "EffectRequested", at: moment, user: command.principal,
      properties: .object([("effects", .array(effects))]), hasEffects: true)
    return nil
  }
}
