import MQTT
import Telemetry

/// How the plant's time goes by on the wall's clock, and when it ends.
public struct Pace: Sendable, Hashable {
  /// Plant seconds per real second; infinite: as fast as it goes.
  public var speed = 1.0
  /// Plant time after which it ends; `nil`: never.
  public var duration: Duration?
  /// Messages after which it ends; `nil`: never.
  public var messagesMax: Int?

  public init() {}
}

/// What was sent so far.
public struct PublishedFigures: Sendable, Hashable {
  public var messages = 0
  public var bytes = 0
  /// Plant time of the last message.
  public var time = Timestamp.epoch
  /// Messages that the broker had not acknowledged a while after the end.
  public var unacknowledged = 0
}

/// Sends a plant's messages to a broker at its pace. All decisions are the plant's.
public struct PlantPublisher: Sendable {
  private var plant: Plant
  private let pace: Pace
  private let publisher: Publisher
  private let start: Timestamp
  private let settings: MQTTSettings
  private let clientID: String
  private let faultTopic: String
  private let commands = CommandInbox()
  private var figures = PublishedFigures()

  /// Messages that may wait for the broker's acknowledgement before the plant pauses.
  private static let outstandingMax = 5_000

  /// Set-points for the plant's devices: `plant/command/{device}/{property}`, as devices/ says.
  private static let setpointTopic = "plant/command/"

  /// - Parameter faultTopic: where `FaultCommand`s are heard.
  public init(
    plant: Plant, pace: Pace, settings: MQTTSettings, clientID: String,
    faultTopic: String = FaultCommand.defaultTopic
  ) throws {
    self.plant = plant
    self.faultTopic = faultTopic
    self.pace = pace
    start = plant.next
    self.settings = settings
    self.clientID = clientID
    publisher = try Publisher(settings: settings, clientID: clientID, status: nil)
  }

  /// Runs until the pace says it ends or the task is cancelled, then waits for the broker to have it all.
  ///
  /// - Parameters:
  ///   - report: called about once a second.
  ///   - tell: called with a sentence for each command that was heard, carried out or not.
  /// - Throws: `MQTTError` when no broker answers.
  public func run(
    report: (PublishedFigures) -> Void, tell: (String) -> Void = { _ in }
  ) async throws -> PublishedFigures {
    var sending = self
    return try await sending.send(report, tell)
  }

  private mutating func send(
    _ report: (PublishedFigures) -> Void, _ tell: (String) -> Void
  ) async throws -> PublishedFigures {
    publisher.start()
    let clock = ContinuousClock()
    try await connect(clock)
    commands.listen(
      to: [faultTopic, Self.setpointTopic + "+/+"] + (plant.commandTopic.map { [$0] } ?? []),
      settings: settings, clientID: clientID + "-commands")
    defer { commands.stop() }
    let began = clock.now
    var reported = began
    while !isFinished, !Task.isCancelled {
      let due = began + wait(until: plant.next)
      if due > clock.now { try? await clock.sleep(until: due) }  // Cancelled: the loop ends.
      if Task.isCancelled { break }
      for command in commands.take() {
        if let told = plant.hear(command, faultTopic) { tell(told) }
      }
      await send(plant.step(to: plant.next), clock)
      if clock.now - reported >= .seconds(1) {
        report(figures)
        reported = clock.now
      }
    }
    report(figures)
    await drain(clock)
    figures.unacknowledged = publisher.outstanding
    publisher.stop(lastWords: nil)
    return figures
  }

  private var isFinished: Bool {
    if let messagesMax = pace.messagesMax, figures.messages >= messagesMax { return true }
    guard let duration = pace.duration else { return false }
    return plant.next >= start.advanced(byMicroseconds: duration.microseconds)
  }

  private func wait(until time: Timestamp) -> Duration {
    guard pace.speed.isFinite else { return .zero }
    return .microseconds(
      Int64(Double(time.microseconds(since: start)) / pace.speed))
  }

  private mutating func send(_ messages: [SimulatedMessage], _ clock: ContinuousClock) async {
    for message in messages {
      if let messagesMax = pace.messagesMax, figures.messages >= messagesMax { return }
      while publisher.outstanding >= Self.outstandingMax, !Task.isCancelled {
        try? await clock.sleep(for: .milliseconds(2))  // Cancelled: the loop ends.
      }
      _ = publisher.publish(
        topic: message.topic, payload: message.payload, qos: message.qos,
        isRetained: message.isRetained)
      figures.messages += 1
      figures.bytes += message.payload.count
      figures.time = message.time
    }
  }

  private func connect(_ clock: ContinuousClock) async throws {
    let limit = clock.now + .seconds(10)
    while !publisher.isConnected {
      if clock.now > limit {
        publisher.stop(lastWords: nil)
        throw MQTTError("no broker answered within 10 s")
      }
      try await clock.sleep(for: .milliseconds(20))
    }
  }

  /// Also in a cancelled task, so without sleeping by task.
  private func drain(_ clock: ContinuousClock) async {
    let limit = clock.now + .seconds(5)
    while publisher.outstanding > 0, clock.now < limit {
      // A detached task is not cancelled, so its sleep does not throw.
      await Task.detached { try? await Task.sleep(for: .milliseconds(5)) }.value
    }
  }
}

extension Plant {
  /// Does what a message says.
  /// - Returns: a sentence about it; `nil` where nothing is worth saying.
  mutating func hear(_ message: CommandInbox.Message, _ faultTopic: String) -> String? {
    if message.topic == faultTopic { return inflict(message.payload) }
    if message.topic == commandTopic {
      rebirth()
      return nil
    }
    let levels = message.topic.split(separator: "/", omittingEmptySubsequences: false)
    guard levels.count == 4, levels[3] == "speed", levels[1] == "command" else { return nil }
    // What is no JSON object with a number is not meant for us.
    guard case .number(let digits)? = (try? JSONReader.read(message.payload))?["value"],
      let speed = Double(digits), (0...3).contains(speed), set(speed: speed, of: String(levels[2]))
    else { return "a set-point on \(message.topic) was not understood" }
    return "the speed of \(levels[2]) is set to \(digits) m/s"
  }

  private mutating func inflict(_ payload: [UInt8]) -> String {
    do throws(FaultCommand.Refusal) {
      let command = try FaultCommand(payload: payload)
      guard let fault = try command.fault(at: next, machines: machineNames) else {
        clearFaults()
        return "everything is repaired"
      }
      inject(fault)
      return "injected \(fault)"
    } catch {
      return "no fault was injected: \(error)"
    }
  }
}
