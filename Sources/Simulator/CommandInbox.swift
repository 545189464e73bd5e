import Foundation
import MQTT
import Synchronization

/// Hears on a thread of its own what others tell the plant; asked between two ticks.
final class CommandInbox: Sendable {
  struct Message: Sendable {
    var topic: String
    var payload: [UInt8]
  }

  private let waiting = Mutex<[Message]>([])
  private let isStopped = Atomic(false)

  /// More at a time are dropped: nobody breaks a plant so often.
  private static let waitingMax = 100
  private static let bytesMax = 4_096

  /// Without a broker nothing is heard; the publisher says so.
  func listen(to topics: [String], settings: MQTTSettings, clientID: String) {
    let thread = Thread { [self] in
      // Without a broker nothing is heard; whoever publishes says that there is none.
      let listener = try? Listener(settings: settings, clientID: clientID, filters: topics) {
        // A retained message was meant for an earlier run.
        guard !$0.isRetained, $0.payload.count <= Self.bytesMax else { return }
        let message = Message(
          topic: String(decoding: $0.topic, as: UTF8.self), payload: Array($0.payload))
        self.waiting.withLock { if $0.count < Self.waitingMax { $0.append(message) } }
      }
      // The plant goes on without commands.
      try? listener?.run { self.isStopped.load(ordering: .relaxed) }
    }
    thread.name = "commands"
    thread.start()
  }

  /// What came since the last question.
  func take() -> [Message] {
    waiting.withLock { waiting in
      defer { waiting.removeAll() }
      return waiting
    }
  }

  func stop() { isStopped.store(true, ordering: .relaxed) }
}
