import ArgumentParser
import Foundation
import MQTT
import Simulator

/// `millwright inject`: breaks a machine of a running simulator.
struct InjectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inject",
    abstract: "Break a machine of a running `millwright simulate`, or repair it.",
    discussion: """
      KINDS (severity counts; low, medium, high)
      \(FaultKind.allCases.map(Self.line).joined(separator: "\n"))

      Noise is what the signal varies by while the machine runs well. With --severity
      high the effect shows within a minute. Nothing but the simulator listens on the
      topic; devices/demo-line.yaml keeps it out of the gateway's data.

      EXAMPLES
        millwright inject bearing_wear --device press1 --severity high
        millwright inject overheating --severity high --for 2m
        millwright inject drift --device mill1 --metric vibration --severity 4.5
        millwright inject clock_jump --severity 600
        millwright inject --clear               everything is repaired
      """)

  @Argument(help: "What goes wrong.")
  var kind: String?

  @Option(help: "The machine: press1, mill1, conveyor1. Default: where that usually happens.")
  var device: String?

  @Option(help: "The signal of a stuck or drifting sensor: temperature, vibration or power.")
  var metric: String?

  @Option(help: "low, medium, high, or a number as above.")
  var severity = "high"

  @Option(name: .customLong("for"), help: ArgumentHelp("Until it is repaired.", valueName: "span"))
  var length = "5m"

  @Flag(help: "Repair everything.")
  var clear = false

  @Option(help: ArgumentHelp("Where the simulator listens.", valueName: "topic"))
  var topic = FaultCommand.defaultTopic

  @OptionGroup var broker: BrokerOptions

  func validate() throws {
    if clear, kind != nil { throw ValidationError("--clear repairs everything: give no kind.") }
    if !clear, kind == nil {
      throw ValidationError("Say what goes wrong, or --clear; see millwright inject --help.")
    }
    _ = try command()
  }

  func run() async throws {
    try await reporting {
      let command = try command()
      let settings = try broker.settings()
      do {
        try await publish(command, settings)
      } catch let error as MQTTError {
        throw BrokerOptions.failure(error, settings)
      }
      print(
        "sent to \(settings.host):\(settings.port) \(topic): "
          + String(decoding: command.payload, as: UTF8.self))
    }
  }

  private func command() throws -> FaultCommand {
    guard let kind else { return FaultCommand(nil) }
    guard let microseconds = Span.microseconds(length) else {
      throw ValidationError("'\(length)' is no span of time; write 90s, 10m or 2h.")
    }
    do throws(FaultCommand.Refusal) {
      var command = FaultCommand(try FaultCommand.kind(kind))
      command.device = device
      command.metric = metric
      command.severity = try FaultCommand.severity(severity)
      command.seconds = Double(microseconds) / 1e6
      try command.check()
      return command
    } catch {
      throw ValidationError(error.description)
    }
  }

  private func publish(_ command: FaultCommand, _ settings: MQTTSettings) async throws {
    let publisher = try Publisher(
      settings: settings, clientID: "millwright-inject-\(getpid())", status: nil)
    defer { publisher.stop(lastWords: nil) }
    publisher.start()
    try await wait("no broker answered within 10 s") { publisher.isConnected }
    guard publisher.publish(topic: topic, payload: command.payload, qos: 1, isRetained: false)
    else { throw MQTTError("the message could not be queued") }
    try await wait("the broker did not acknowledge within 10 s") { publisher.outstanding == 0 }
  }

  private func wait(_ refusal: String, until isDone: () -> Bool) async throws {
    let limit = ContinuousClock.now + .seconds(10)
    while !isDone() {
      guard ContinuousClock.now < limit else { throw MQTTError(refusal) }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  private static func line(_ kind: FaultKind) -> String {
    let levels = FaultLevel.allCases.map { Number.short(kind.severity($0)) }
    let unit = [kind.severityUnit, kind.usualMetric.map { "of \($0)" }].compactMap { $0 }
    let words = kind.severityUnit == "× noise" ? unit.joined(separator: " ") : kind.severityUnit
    let name = kind.rawValue.padding(toLength: 20, withPad: " ", startingAt: 0)
    return "  \(name)\(levels.joined(separator: ", ")) \(words)"
  }
}
