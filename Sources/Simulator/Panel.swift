import Telemetry

/// The panel at the line and the people in front of it.
struct Panel: Sendable {
  static let topic = "plant/line1/hmi1/event"
  private static let people = ["anna", "boris", "carla"]
  private var random: RandomSource
  private var user: String?
  private var alarms: [String] = []

  init(seed: UInt64) { random = RandomSource(seed: seed, name: "hmi1") }

  /// A machine stopped with a fault: somebody will acknowledge it.
  mutating func noteFault(of machine: String) {
    if !alarms.contains(machine) { alarms.append(machine) }
  }

  mutating func recipeMessage(
    machine: String, recipe: String, at time: Timestamp
  ) -> SimulatedMessage {
    message("RecipeChanged", button: "recipe", screen: "recipes", at: time) { json in
      json.word("machine", machine)
      json.word("recipe", recipe)
    }
  }

  /// What people did in the last `seconds`.
  mutating func messages(at time: Timestamp, seconds: Double) -> [SimulatedMessage] {
    guard let present = user else {
      // Somebody comes sooner when an alarm is on.
      guard random.happens(min(1, seconds / (alarms.isEmpty ? 120 : 20))) else { return [] }
      user = random.element(of: Self.people)
      return [
        message("Login", button: "login", screen: "overview", at: time) {
          $0.flag("logged_in", true)
        }
      ]
    }
    if let alarm = alarms.first, random.happens(min(1, seconds / 15)) {
      alarms.removeFirst()
      return [
        message("AlarmAcknowledged", button: "acknowledge", screen: "alarms", at: time) { json in
          json.word("alarm", "\(alarm)-fault")
        }
      ]
    }
    guard random.happens(min(1, seconds / 600)) else { return [] }
    defer { user = nil }
    _ = present
    return [
      message("Logout", button: "logout", screen: "login", at: time) { $0.flag("logged_in", false) }
    ]
  }

  private func message(
    _ name: String, button: String, screen: String, at time: Timestamp,
    _ body: (inout JSONWriter) -> Void
  ) -> SimulatedMessage {
    var json = JSONWriter(time: time)
    json.word("event", name)
    json.word("user", user ?? "shift")
    json.word("button", button)
    json.word("screen", screen)
    body(&json)
    return SimulatedMessage(time: time, topic: Self.topic, payload: json.finished())
  }
}
