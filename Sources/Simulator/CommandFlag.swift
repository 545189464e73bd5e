import Foundation
import MQTT
import Synchronization

/// Hears on a thread of its own whether somebody sent a command; asked between two ticks.
final class CommandFlag: Sendable {
  private let isRaised = Atomic(false)
  private let isStopped = Atomic(false)

  /// Without a broker nothing is heard; the publisher says so.
  func listen(to topic: String, settings: MQTTSettings, clientID: String) {
    let thread = Thread { [self] in
      let listener = try? Listener(settings: settings, clientID: clientID, filters: [topic]) { _ in
        self.isRaised.store(true, ordering: .relaxed)
      }
      // The plant goes on without commands.
      try? listener?.run { self.isStopped.load(ordering: .relaxed) }
    }
    thread.name = "commands"
    thread.start()
  }

  /// Whether a command came since the last question.
  func take() -> Bool { isRaised.exchange(false, ordering: .relaxed) }

  func stop() { isStopped.store(true, ordering: .relaxed) }
}
