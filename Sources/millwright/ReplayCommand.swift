import ArgumentParser
import Capture
import Foundation
import MQTT
import Telemetry

/// `millwright replay`: a capture, or a stretch of a journal, to a broker.
struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Publish a capture, or a stretch of a journal, to a broker.",
    discussion: """
      With its own timing, faster, or as fast as it goes. A journal holds decoded
      samples: they are sent as device JSON on replay/<device>, with their times.

      EXAMPLES
        millwright replay plant.mwcap                 with its own timing
        millwright replay plant.mwcap --speed 60      an hour in a minute
        millwright replay plant.mwcap --speed 0 --prefix test/
        millwright replay --journal /var/lib/millwright --from -10m --speed 0
        millwright replay plant.mwcap --dry-run       print instead of publishing
      """)

  @Argument(help: ArgumentHelp("A capture of `millwright record`.", valueName: "file"))
  var file: String?

  @Option(
    help: ArgumentHelp(
      "Instead of a capture: the data directory of a gateway that does not run.", valueName: "dir"))
  var journal: String?

  @Option(help: "Times faster than recorded; 0: as fast as it goes.")
  var speed = 1.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only messages from this time on.", valueName: "time"))
  var from: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only messages before this time.", valueName: "time"))
  var to: String?

  @Option(help: ArgumentHelp("Put before every topic: test/", valueName: "text"))
  var prefix = ""

  @Flag(help: "Print time, topic and payload, one message a line, instead of publishing.")
  var dryRun = false

  @OptionGroup var broker: BrokerOptions

  func validate() throws {
    guard (file == nil) != (journal == nil) else {
      throw ValidationError("Give a capture file or --journal, one of them.")
    }
    if speed < 0 || !speed.isFinite { throw ValidationError("--speed is 0 or above.") }
    for text in [from, to].compactMap({ $0 }) where Moment.time(text, now: .epoch) == nil {
      throw ValidationError(Moment.help(text))
    }
  }

  func run() async throws {
    try await reporting {
      let source = try ReplaySource(file: file, journal: journal)
      let now = Timestamp.now
      let first = from.flatMap { Moment.time($0, now: now) } ?? .distantPast
      let end = to.flatMap { Moment.time($0, now: now) } ?? .distantFuture
      guard first < end else { throw Failure("--from is not before --to") }
      let range = first..<end
      if dryRun { return try printMessages(source, range) }
      try await publish(source, range)
    }
  }

  private func printMessages(_ source: ReplaySource, _ range: Range<Timestamp>) throws {
    var output = BufferedOutput(FileHandle.standardOutput)
    try source.forEach { message in
      guard range.contains(message.time) else { return true }
      let payload = PayloadText.line(message.payload)
      output.write("\(message.time.rfc3339) \(prefix)\(message.topic) \(payload)\n")
      return true
    }
    output.flush()
  }

  private func publish(_ source: ReplaySource, _ range: Range<Timestamp>) async throws {
    let settings = try broker.settings()
    let publisher = try Publisher(
      settings: settings, clientID: "millwright-replay-\(getpid())", status: nil)
    publisher.start()
    defer { publisher.stop(lastWords: nil) }
    try waitForBroker(publisher, settings)
    let stop = StopFlag()
    let progress = ProgressBar("replay", total: nil)
    let began = ContinuousClock.now
    var first: Timestamp?
    var (count, bytes) = (0, 0)
    try source.forEach { message in
      guard range.contains(message.time) else { return true }
      if first == nil { first = message.time }
      let offset = message.time.microseconds(since: first ?? message.time)
      pause(until: offset, since: began, stop)
      while publisher.outstanding > 1_000, !stop.isRaised { usleep(1_000) }
      guard !stop.isRaised else { return false }
      _ = publisher.publish(
        topic: prefix + message.topic, payload: message.payload, qos: Int32(message.qos),
        isRetained: message.isRetained)
      count += 1
      bytes += message.payload.count
      if count % 100 == 0 { progress.update(to: count) }
      return true
    }
    progress.finish()
    for _ in 0..<500 where publisher.outstanding > 0 { usleep(10_000) }
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    print("\(count) messages, \(bytes) bytes in \(Number.text(seconds, decimals: 1)) s")
    if publisher.outstanding > 0 {
      throw Failure(
        "\(publisher.outstanding) messages were not acknowledged by the broker within 5 s")
    }
  }

  private func waitForBroker(_ publisher: Publisher, _ settings: MQTTSettings) throws {
    for _ in 0..<500 {
      if publisher.isConnected { return }
      usleep(20_000)
    }
    throw BrokerOptions.failure(MQTTError("no broker answered within 10 s"), settings)
  }

  private func pause(until offset: Int64, since began: ContinuousClock.Instant, _ stop: StopFlag) {
    guard speed > 0 else { return }
    let due = began + .microseconds(Int64(Double(max(0, offset)) / speed))
    while !stop.isRaised {
      let left = (due - ContinuousClock.now) / .microseconds(1)
      guard left > 0 else { return }
      usleep(UInt32(min(left, 100_000)))
    }
  }
}
