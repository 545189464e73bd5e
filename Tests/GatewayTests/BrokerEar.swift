import Foundation
import MQTT
import Synchronization
import TestSupport

/// Hears what passes on a broker, and publishes, from a connection of its own; it connects again by itself.
final class BrokerEar: Sendable {
  struct Heard: Equatable {
    var topic: String
    var payload: String

    /// The payload as a JSON object; empty when it is none.
    var members: [String: Any] {
      // What is no JSON fails the expectation that reads a member.
      (try? JSONSerialization.jsonObject(with: Data(payload.utf8)) as? [String: Any]) ?? [:]
    }
    var isOnline: Bool? { members["online"] as? Bool }
    var timestamp: Int64? { members["timestamp"] as? Int64 }
  }

  private final class Memory: Sendable {
    let heard = Mutex<[Heard]>([])
  }

  private let memory = Memory()
  private let publisher: Publisher

  init(_ broker: TestBroker, _ filters: [String], id: String = "ear") throws {
    var settings = MQTTSettings()
    settings.port = Int32(broker.port)
    publisher = try Publisher(
      settings: settings, clientID: id, status: nil, filters: filters,
      onEvent: { [memory] event in
        guard case .received(let topic, let payload) = event else { return }
        memory.heard.withLock {
          $0.append(Heard(topic: topic, payload: String(decoding: payload, as: UTF8.self)))
        }
      })
    publisher.start()
  }

  deinit { publisher.stop(lastWords: nil) }

  var heard: [Heard] { memory.heard.withLock { $0 } }

  func heard(on topic: String) -> [Heard] { heard.filter { $0.topic == topic } }

  func publish(_ topic: String, _ payload: String, isRetained: Bool = false) {
    _ = publisher.publish(topic: topic, payload: Array(payload.utf8), isRetained: isRetained)
  }

  /// Waits until messages that were published before, by whomever, have reached us.
  func catchUp() async -> Bool {
    let mark = UUID().uuidString
    return await eventually {
      if !publisher.isConnected { return false }
      publish("ear/mark", mark)
      return heard.contains { $0.payload == mark }
    }
  }
}
