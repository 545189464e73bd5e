import Dispatch
import MQTT
import Synchronization

/// What the publisher's connection tells the thread that announces: a word of flags, so that nothing piles up.
final class PublisherSignals: Sendable {
  struct Flags: OptionSet, Sendable {
    let rawValue: UInt8

    static let connected = Flags(rawValue: 1)
    /// Home Assistant has started.
    static let birth = Flags(rawValue: 2)
    static let stop = Flags(rawValue: 4)
  }

  private let birthTopic: String?
  private let flags = Mutex<Flags>([])
  private let bell = DispatchSemaphore(value: 0)

  init(birthTopic: String?) { self.birthTopic = birthTopic }

  func take(_ event: Publisher.Event) {
    switch event {
    case .connected: raise(.connected)
    case .disconnected: break
    case .received(let topic, let payload):
      if topic == birthTopic, payload == Array("online".utf8) { raise(.birth) }
    }
  }

  func raise(_ raised: Flags) {
    let isNew = flags.withLock { flags in
      defer { flags.formUnion(raised) }
      return !flags.isSuperset(of: raised)
    }
    if isNew { bell.signal() }
  }

  /// Waits until something was raised, at most that long. Blocks.
  func wait(seconds: Int) -> Flags {
    _ = bell.wait(timeout: .now() + .seconds(seconds))
    return flags.withLock { flags in
      defer { flags = [] }
      return flags
    }
  }
}
