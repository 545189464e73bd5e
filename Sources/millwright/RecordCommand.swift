import ArgumentParser
import Capture
import Foundation
import MQTT
import Synchronization
import Telemetry

/// `millwright record`: what passes on a broker, into a file.
struct RecordCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Write what passes on the broker to a capture file.",
    discussion: """
      Listens with a client of its own, so that a running gateway is not disturbed.
      Retained messages come first, as the broker sends them. Ctrl-C ends it; what
      was heard is in the file.

      EXAMPLES
        millwright record house.mwcap --topic 'zigbee2mqtt/#' --topic 'tele/#'
        millwright record plant.mwcap --for 10m
        millwright replay plant.mwcap --speed 10
        millwright map --from-capture plant.mwcap
      """)

  @Argument(help: ArgumentHelp("The file to write; must not exist.", valueName: "file"))
  var file: String

  @Option(
    help: ArgumentHelp("Topic filter; may be given several times. Default #.", valueName: "filter"))
  var topic: [String] = []

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("End after this time: 90s, 10m, 1d.", valueName: "span"))
  var duration: String?

  @Option(help: "End after this many messages.")
  var messages: Int?

  @OptionGroup var broker: BrokerOptions

  func validate() throws {
    if let duration, Span.microseconds(duration) == nil {
      throw ValidationError("'\(duration)' is no span of time; write 90s, 10m, 12h or 7d.")
    }
    if let messages, messages < 1 { throw ValidationError("--messages is 1 or above.") }
  }

  func run() async throws {
    try await reporting {
      let settings = try broker.settings()
      let writer = try CaptureWriter(path: file)
      let filters = topic.isEmpty ? ["#"] : topic
      do {
        try record(settings, filters, writer)
      } catch let error as MQTTError {
        try writer.close()
        if writer.messages == 0 { try? FileManager.default.removeItem(atPath: file) }  // Empty.
        throw BrokerOptions.failure(error, settings)
      } catch {
        try? writer.close()  // What was heard is worth keeping; the first error is the one to tell.
        throw error
      }
      try writer.close()
      print("\(writer.messages) messages, \(writer.bytes) bytes in \(file)")
    }
  }

  private func record(
    _ settings: MQTTSettings, _ filters: [String], _ writer: CaptureWriter
  ) throws {
    let stop = StopFlag()
    let progress = ProgressBar("record", total: messages)
    let end = duration.flatMap(Span.microseconds).map { Timestamp.now.advanced(byMicroseconds: $0) }
    var failure: (any Error)?
    var lastFlush = Timestamp.now
    let most = messages ?? .max
    let listener = try Listener(
      settings: settings, clientID: "millwright-record-\(getpid())", filters: filters
    ) { publish in
      guard failure == nil, writer.messages < most else { return }
      do {
        try writer.append(CapturedMessage(publish, at: .now))
      } catch {
        failure = error
      }
    }
    var isTold = false
    try listener.run {
      if listener.isListening, !isTold {
        isTold = true
        StandardError.write(
          "recording \(filters.joined(separator: ", ")) of \(settings.host):\(settings.port) "
            + "to \(file); Ctrl-C ends it")
      }
      let now = Timestamp.now
      if now.microseconds - lastFlush.microseconds >= 1_000_000 {
        lastFlush = now
        progress.update(to: writer.messages)
        do {
          try writer.flush()
        } catch {
          failure = error
        }
      }
      return failure != nil || stop.isRaised || writer.messages >= most
        || end.map { now >= $0 } ?? false
    }
    progress.finish()
    if let failure { throw failure }
    if listener.disconnects > 0 {
      StandardError.write(
        "the connection was lost \(listener.disconnects) times; what passed meanwhile is not in the file"
      )
    }
  }
}

extension CapturedMessage {
  init(_ publish: IncomingPublish, at time: Timestamp) {
    self.init(
      time: time, topic: String(decoding: publish.topic, as: UTF8.self),
      payload: Array(publish.payload), qos: publish.packetID == 0 ? 0 : 1,
      isRetained: publish.isRetained,
      contentType: String(decoding: publish.contentType, as: UTF8.self))
  }
}

/// Raised by Ctrl-C or SIGTERM, for loops that look at it between two messages.
final class StopFlag: @unchecked Sendable {  // Dispatch sources are thread-safe and never change here.
  private let raised = Atomic(false)
  private let sources: [any DispatchSourceSignal]

  init() {
    var sources: [any DispatchSourceSignal] = []
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      sources.append(DispatchSource.makeSignalSource(signal: number, queue: .global()))
    }
    self.sources = sources
    for source in sources {
      source.setEventHandler { [weak self] in
        self?.raised.store(true, ordering: .relaxed)
      }
      source.resume()
    }
  }

  deinit { for source in sources { source.cancel() } }

  var isRaised: Bool { raised.load(ordering: .relaxed) }
}
