import Dispatch
import Glibc
import Synchronization
import Telemetry

/// Hands mails to an SMTP server, one after the other, on a queue of its own.
final class MailSender: Sendable {
  private static let connectSecondsMax = 15
  private static let secondsMax = 60

  private let settings: SMTPSettings
  private let gatewayID: String
  private let queue = DispatchQueue(label: "mail", qos: .utility)
  private let library = Mutex<CurlLibrary?>(nil)
  private let isStopped = Atomic(false)

  init(settings: SMTPSettings, gatewayID: String) {
    self.settings = settings
    self.gatewayID = gatewayID
  }

  /// Sends once and tells on the queue what became of it.
  func send(
    _ email: EmailEffect, id: String, now: Timestamp,
    whenDone: @escaping @Sendable (DeliveryOutcome) -> Void
  ) {
    queue.async { [self] in
      if isStopped.load(ordering: .relaxed) { return whenDone(.lost) }
      do throws(EffectRefusal) {
        let library = try opened()
        let message = MailMessage(
          email: email, from: settings.from,
          messageID: MailMessage.messageID(delivery: id, gateway: gatewayID), date: now
        ).text
        whenDone(deliver(message, to: email.to, library))
      } catch {
        whenDone(.failed(error.detail))
      }
    }
  }

  /// Cuts off what is under way within a second or so; it is sent again after the next start.
  func stop() { isStopped.store(true, ordering: .relaxed) }

  private func opened() throws(EffectRefusal) -> CurlLibrary {
    let found = library.withLock { $0 }
    if let found { return found }
    let opened = try CurlLibrary()
    library.withLock { $0 = opened }
    return opened
  }

  /// One wrong address must not keep the mail from the others: when all together are refused, each gets it
  /// alone.
  private func deliver(
    _ message: String, to recipients: [String], _ library: CurlLibrary
  ) -> DeliveryOutcome {
    let together = transact(message, to: recipients, library)
    guard case .refused = together, recipients.count > 1 else { return together }
    var refusals: [String] = []
    var failure: DeliveryOutcome?
    for recipient in recipients {
      switch transact(message, to: [recipient], library) {
      case .refused(let reason): refusals.append("\(recipient): \(reason)")
      case .failed(let reason, let after): failure = .failed(reason, retryAfterSeconds: after)
      case .delivered, .lost: break
      }
    }
    if refusals.count == recipients.count { return together }
    // Some may get it twice then, under the same message id.
    return failure ?? .delivered(note: refusals.joined(separator: "; "))
  }

  private func transact(
    _ message: String, to recipients: [String], _ library: CurlLibrary
  ) -> DeliveryOutcome {
    guard let handle = library.makeHandle() else { return .failed("libcurl has no memory") }
    defer { library.freeHandle(handle) }
    let scheme = settings.security == .tls ? "smtps" : "smtp"
    // What stands behind the host is our name in EHLO.
    library.set(handle, .url, "\(scheme)://\(urlHost):\(settings.port)/\(helloName)")
    if settings.security == .starttls { library.set(handle, .useTLS, CurlLibrary.requireTLS) }
    if let name = settings.username { library.set(handle, .username, name) }
    if let password = settings.password { library.set(handle, .password, password) }
    library.set(handle, .noSignal, 1)
    library.set(handle, .connectTimeoutSeconds, Self.connectSecondsMax)
    library.set(handle, .timeoutSeconds, Self.secondsMax)
    library.set(handle, .upload, 1)
    library.set(handle, .mailFrom, "<\(settings.from)>")
    var list: UnsafeMutableRawPointer?
    for recipient in recipients { list = library.appendToList(list, "<\(recipient)>") }
    defer { library.freeList(list) }
    library.set(handle, .mailRecipients, address: list)
    let source = MessageSource(Array(message.utf8))
    let reader: CurlLibrary.Reader = { buffer, size, count, context in
      guard let buffer, let context else { return 0 }
      return Unmanaged<MessageSource>.fromOpaque(context).takeUnretainedValue()
        .read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
    }
    library.set(handle, .readFunction, address: unsafeBitCast(reader, to: UnsafeRawPointer.self))
    library.set(handle, .readData, address: Unmanaged.passUnretained(source).toOpaque())
    let progress: CurlLibrary.Progress = { context, _, _, _, _ in
      guard let context else { return 0 }
      return Unmanaged<MailSender>.fromOpaque(context).takeUnretainedValue()
        .isStopped.load(ordering: .relaxed) ? 1 : 0
    }
    library.set(handle, .noProgress, 0)
    library.set(
      handle, .progressFunction, address: unsafeBitCast(progress, to: UnsafeRawPointer.self))
    library.set(handle, .progressData, address: Unmanaged.passUnretained(self).toOpaque())
    let detail = UnsafeMutablePointer<CChar>.allocate(capacity: 256)
    detail.initialize(repeating: 0, count: 256)
    defer { detail.deallocate() }
    library.set(handle, .errorBuffer, address: detail)
    let result = withExtendedLifetime(source) { library.perform(handle) }
    let text = detail[0] == 0 ? String(cString: library.describe(result)) : String(cString: detail)
    return MailSender.outcome(result: result, code: library.responseCode(handle), detail: text)
  }

  private var urlHost: String { settings.host.contains(":") ? "[\(settings.host)]" : settings.host }

  private var helloName: String {
    let name = gatewayID.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    return name.isEmpty ? "gateway" : name
  }

  /// - Parameters:
  ///   - result: libcurl's; 0 is success.
  ///   - code: the server's last answer. 5xx is for good (RFC 5321, 4.2.1), but for 530 … 539, which speak
  ///     of our login and not of the mail: that can be mended.
  static func outcome(result: Int32, code: Int, detail: String) -> DeliveryOutcome {
    if result == 0 { return .delivered() }
    let isForGood =
      (500..<600).contains(code) && !(530..<540).contains(code)
      && result != CurlLibrary.loginDenied
    let reason = code == 0 ? detail : "\(detail) (SMTP \(code))"
    return isForGood ? .refused(reason) : .failed(reason)
  }
}

/// The bytes of a message on their way into libcurl.
private final class MessageSource {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, bytes.count - position)
    buffer.copyBytes(from: bytes[position..<position + count])
    position += count
    return count
  }
}
