import Foundation
import MQTT

/// One blocking connect on a thread of its own; the mailbox hears how it went.
///
/// While it runs the ingest thread does not touch the subscriber.
final class ConnectionAttempt: @unchecked Sendable {  // `subscriber` is used by one thread at a time.
  private let subscriber: Subscriber
  private let mailbox: Mailbox

  init(subscriber: Subscriber, mailbox: Mailbox) {
    self.subscriber = subscriber
    self.mailbox = mailbox
  }

  func start() {
    let thread = Thread { [self] in
      var failure: String?
      do {
        try subscriber.connect()
      } catch {
        failure = "\(error)"
      }
      // Refused only when the gateway has stopped: nobody waits for the result then.
      _ = mailbox.post(.connectFinished(failure: failure))
    }
    thread.name = "mqtt-connect"
    thread.stackSize = 512 << 10
    thread.start()
  }
}
