import ArgumentParser
import Foundation
import MQTT
import ServiceLifecycle
import Simulator
import Telemetry

/// `millwright simulate`: a plant to try things with.
struct SimulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Publish the messages of a simulated plant, or print them.",
    discussion: """
      A press, a mill and a conveyor, a pump, a meter, rooms and a panel, as
      devices/demo-line.yaml knows them; with --family devices that speak in other
      ways, with --fault what goes wrong in real life. The same seed and start give
      the same messages, byte for byte.

      While it runs, `millwright inject` breaks a machine; the simulator listens on the
      topic millwright-simulator/faults for that (--fault-topic), and on
      plant/command/{device}/speed for set-points. See docs/simulator.md.

      EXAMPLES
        millwright simulate                     once a second, until Ctrl-C
        millwright simulate --family all        also Sparkplug, SenML, Zigbee2MQTT, …
        millwright simulate --family tasmota --no-plant
                                                one plug with Tasmota, nothing else
        millwright simulate --fault all         sent twice, cut off, reconnects, clocks
        millwright simulate --rate 2000         about 2,000 messages a second
        millwright simulate --start -1d --duration 1d --speed 0
                                                a day until now, as fast as it goes
        millwright simulate --dry-run --seed 7 --messages 20
                                                print twenty messages
      """)

  @Option(help: "The plant's seed.")
  var seed: UInt64 = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "When the plant's clock begins: RFC 3339, epoch seconds, or back from now as -1d. Default now.",
      valueName: "time"))
  var start: String?

  @Option(help: "Plant seconds per second; 0: as fast as it goes.")
  var speed = 1.0

  @Option(
    help: "About how many messages a second of plant time; default 5 and those of rooms and people."
  )
  var rate: Double?

  @Option(
    help: ArgumentHelp(
      "What else speaks: sparkplug, senml, zigbee2mqtt, tasmota, home_assistant, all; several times.",
      valueName: "family"))
  var family: [String] = []

  @Flag(inversion: .prefixedNo, help: "Whether the plant of devices/demo-line.yaml speaks.")
  var plant = true

  @Option(
    help: ArgumentHelp(
      "What goes wrong: double, reconnect, clock, malformed, all; several times.",
      valueName: "fault"))
  var fault: [String] = []

  @Option(help: ArgumentHelp("End after this much plant time: 90s, 10m, 1d.", valueName: "span"))
  var duration: String?

  @Option(help: "End after this many messages.")
  var messages: Int?

  @Option(
    help: ArgumentHelp("Where `millwright inject` is heard.", valueName: "topic"))
  var faultTopic = FaultCommand.defaultTopic

  @OptionGroup var broker: BrokerOptions

  @Flag(help: "Print topic and payload, one message a line, instead of publishing.")
  var dryRun = false

  func validate() throws {
    if speed < 0 { throw ValidationError("--speed is 0 or above.") }
    if let rate, rate <= 0 || rate > 1_000_000 {
      throw ValidationError("--rate is above 0 and at most 1,000,000.")
    }
    if let messages, messages < 0 { throw ValidationError("--messages is 0 or above.") }
    if dryRun, messages == nil, duration == nil {
      throw ValidationError("--dry-run needs an end: give --messages or --duration.")
    }
    if let duration, Span.microseconds(duration) == nil {
      throw ValidationError("'\(duration)' is no span of time; write 90s, 10m, 12h or 7d.")
    }
    _ = try chosen(family, as: DeviceFamily.self, "family")
    _ = try chosen(fault, as: SimulatedFault.self, "fault")
    if !plant, family.isEmpty { throw ValidationError("--no-plant needs a --family that speaks.") }
    if let start, Moment.time(start, now: .epoch) == nil {
      throw ValidationError(Moment.help(start))
    }
  }

  func run() async throws {
    try await reporting {
      let now = Timestamp(microseconds: Int64(Date().timeIntervalSince1970) * 1_000_000)
      let begin = start.flatMap { Moment.time($0, now: now) } ?? now
      var settings = rate.map(PlantSettings.init(messagesPerSecond:)) ?? PlantSettings()
      settings.hasPlant = self.plant
      settings.families = try chosen(family, as: DeviceFamily.self, "family")
      settings.faults = try chosen(fault, as: SimulatedFault.self, "fault")
      let plant = Plant(seed: seed, start: begin, settings: settings)
      if dryRun { return printMessages(of: plant) }
      try await publish(plant)
    }
  }

  private func chosen<Choice>(
    _ words: [String], as type: Choice.Type, _ option: String
  ) throws -> Set<Choice>
  where Choice: RawRepresentable & CaseIterable & Hashable, Choice.RawValue == String {
    var found = Set<Choice>()
    for word in words {
      if word == "all" {
        found.formUnion(Choice.allCases)
      } else if let choice = Choice(rawValue: word) {
        found.insert(choice)
      } else {
        let names = Choice.allCases.map(\.rawValue) + ["all"]
        let suggestion = nearestName(to: word, among: names).map { ", did you mean \($0)?" } ?? ""
        throw ValidationError(
          "--\(option) '\(word)' is not one of \(names.joined(separator: ", "))\(suggestion)")
      }
    }
    return found
  }

  private var pace: Pace {
    var pace = Pace()
    pace.speed = speed == 0 ? .infinity : speed
    pace.duration = duration.flatMap(Span.microseconds).map { .microseconds($0) }
    pace.messagesMax = messages
    return pace
  }

  private func printMessages(of plant: Plant) {
    var plant = plant
    let end = duration.flatMap(Span.microseconds).map { plant.next.advanced(byMicroseconds: $0) }
    var output = BufferedOutput(FileHandle.standardOutput)
    var count = 0
    while plant.next < end ?? .distantFuture {
      for message in plant.step(to: plant.next) {
        if count == messages ?? .max { return output.flush() }
        output.write("\(message.topic) \(PayloadText.line(message.payload))\n")
        count += 1
      }
    }
    output.flush()
  }

  private func publish(_ plant: Plant) async throws {
    let service = SimulateService(
      plant: plant, pace: pace, settings: try broker.settings(), seed: seed, faultTopic: faultTopic)
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
        ], gracefulShutdownSignals: [.sigterm, .sigint],
        logger: LogOptions.quiet(label: "simulate")))
    try await group.run()
  }
}

/// The publisher as a service, so that Ctrl-C lets the broker take what was sent.
struct SimulateService: Service {
  let plant: Plant
  let pace: Pace
  let settings: MQTTSettings
  let seed: UInt64
  let faultTopic: String

  func run() async throws {
    let publisher = try PlantPublisher(
      plant: plant, pace: pace, settings: settings,
      clientID: "millwright-simulator-\(getpid())", faultTopic: faultTopic)
    let progress = ProgressBar("simulate", total: pace.messagesMax)
    StandardError.write("publishing to \(settings.host):\(settings.port), seed \(seed)")
    let began = ContinuousClock.now
    let figures: PublishedFigures
    do {
      figures = try await cancelWhenGracefulShutdown {
        try await publisher.run(
          report: { progress.update(to: $0.messages) }, tell: { StandardError.write($0) })
      }
    } catch let error as MQTTError {
      throw Failure(
        .notReachable,
        "\(settings.host):\(settings.port): \(error); is the broker running? "
          + "--mqtt-host and --mqtt-port say where it is")
    }
    progress.finish()
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    StandardError.write(
      "\(figures.messages) messages, \(figures.bytes) bytes in \(Number.text(seconds, decimals: 1)) s, "
        + "plant time \(figures.time.rfc3339)")
    if figures.unacknowledged > 0 {
      throw Failure(
        "\(figures.unacknowledged) messages were not acknowledged by the broker within 5 s")
    }
  }
}
