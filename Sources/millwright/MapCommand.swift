import ArgumentParser
import Capture
import Devices
import Foundation
import Gateway
import MQTT
import Storage
import Telemetry

/// `millwright map`: routes and profiles by example.
struct MapCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "map",
    abstract: "Propose routes and profiles from messages, and write them as a devices file.",
    discussion: """
      Listens for a while, or reads a capture, and shows what each metric seems to be:
      its type, its unit by name and range, totals by their never falling, states by
      their few values. What leaves more than one reading is marked as a guess. After
      a yes a commented file is written to devices/; nothing else is changed.
      Devices that describe themselves (Sparkplug B, Zigbee2MQTT, Tasmota, Home
      Assistant discovery) need no mapping; they are listed as understood.

      EXAMPLES
        millwright map --from 'plant/#' --for 1m
        millwright map --from-capture plant.mwcap
        millwright map --from-capture plant.mwcap --from 'line1/#' --out devices/line1.yaml --yes
        millwright check --explain line1/press/telemetry
      """)

  @Option(
    help: ArgumentHelp("Topic filter; may be given several times. Default #.", valueName: "topic"))
  var from: [String] = []

  @Option(
    help: ArgumentHelp(
      "Read a capture of `millwright record` instead of listening.", valueName: "file"))
  var fromCapture: String?

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("Listen for this time: 30s, 5m.", valueName: "span"))
  var duration = "30s"

  @Option(help: "End after this many messages; more are not looked at.")
  var messages = 20_000

  @Option(
    help: ArgumentHelp(
      "The file to write. Default mapped.yaml beside the devices files.", valueName: "file"))
  var out: String?

  @Flag(help: "Write without asking.")
  var yes = false

  @Flag(help: "Print the file instead of writing it.")
  var dryRun = false

  @OptionGroup var place: ConfigurationOptions
  @OptionGroup var broker: BrokerOptions

  func validate() throws {
    if Span.microseconds(duration) == nil {
      throw ValidationError("'\(duration)' is no span of time; write 30s, 5m or 1h.")
    }
    if messages < 1 { throw ValidationError("--messages is 1 or above.") }
  }

  func run() async throws {
    try await reporting {
      let loaded = try place.load()
      let filters = from.isEmpty ? ["#"] : from
      let observed = try fromCapture.map { try read($0, filters) } ?? listen(filters)
      guard !observed.isEmpty else {
        throw Failure("no message came on \(filters.joined(separator: ", ")); nothing to map")
      }
      let source = fromCapture ?? filters.joined(separator: ", ")
      let proposal = MappingProposal(
        observed, configuration: loaded.devices, memory: memory(of: loaded.gateway.store.directory))
      print(MapReport(proposal).text)
      guard !proposal.isEmpty else {
        return print("\nEverything is understood already; no file is needed.")
      }
      let yaml = proposal.yaml(source: source)
      if dryRun { return print("\n" + yaml) }
      try write(yaml, loaded)
    }
  }

  /// Births and announcements that a gateway with this data directory heard; a capture tells its own.
  private func memory(of data: String) -> [(name: String, content: [UInt8])] {
    // Without a store, or beside a gateway that moves files meanwhile, what is heard has to do.
    guard fromCapture == nil, let store = try? OfflineStore(directory: data),
      let memory = try? store.memory()
    else { return [] }
    return memory.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private func read(_ path: String, _ filters: [String]) throws -> [ObservedMessage] {
    var reader = try CaptureReader(path: path)
    var observed: [ObservedMessage] = []
    while observed.count < messages, let message = reader.next() {
      guard filters.contains(where: { TopicFilter($0).matches(message.topic) }) else { continue }
      observed.append(
        ObservedMessage(
          topic: message.topic, payload: message.payload, contentType: message.contentType,
          received: message.time))
    }
    if let damage = reader.damage { StandardError.write("\(damage); what came before is used") }
    return observed
  }

  private func listen(_ filters: [String]) throws -> [ObservedMessage] {
    let settings = try broker.settings()
    let stop = StopFlag()
    var observed: [ObservedMessage] = []
    let most = messages
    let span = Span.microseconds(duration) ?? 0
    let end = Timestamp.now.advanced(byMicroseconds: span)
    let progress = ProgressBar("map", total: nil, unit: "messages")
    StandardError.write(
      "listening to \(filters.joined(separator: ", ")) of \(settings.host):\(settings.port) "
        + "for \(duration); Ctrl-C ends it sooner")
    do {
      let listener = try Listener(
        settings: settings, clientID: "millwright-map-\(getpid())", filters: filters
      ) { publish in
        guard observed.count < most else { return }
        let message = CapturedMessage(publish, at: .now)
        observed.append(
          ObservedMessage(
            topic: message.topic, payload: message.payload, contentType: message.contentType,
            received: message.time))
      }
      try listener.run {
        progress.update(to: observed.count)
        return stop.isRaised || observed.count >= most || Timestamp.now >= end
      }
    } catch let error as MQTTError {
      throw BrokerOptions.failure(error, settings)
    }
    progress.finish()
    return observed
  }

  private func write(_ yaml: String, _ loaded: LoadedConfiguration) throws {
    let directory = loaded.gateway.devicesDirectory
    let path = out ?? (directory.isEmpty ? "mapped.yaml" : directory + "/mapped.yaml")
    guard !FileManager.default.fileExists(atPath: path) else {
      throw Failure("\(path) exists already; give another name with --out")
    }
    let (_, diagnostics) = DeviceConfiguration.load(
      files: loaded.readFiles.filter { $0.name != place.file }
        + [ConfigurationFile(name: path, content: yaml)])
    for diagnostic in diagnostics { StandardError.write("\(diagnostic)") }
    if diagnostics.contains(where: { $0.severity == .error }) {
      throw Failure("the proposal does not go together with the other files; --dry-run prints it")
    }
    guard try yes || isAgreed(path) else {
      return print("nothing was written; --dry-run prints the file")
    }
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent.isEmpty
        ? "." : (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try yaml.write(toFile: path, atomically: true, encoding: .utf8)
    print(
      "wrote \(path); `millwright check`, then reload the gateway (SIGHUP, or systemctl reload)")
  }

  private func isAgreed(_ path: String) throws -> Bool {
    guard isatty(STDIN_FILENO) == 1 else {
      throw Failure("standard input is no terminal; --yes writes \(path), --dry-run prints it")
    }
    FileHandle.standardOutput.write(Data("\nWrite \(path)? [y/N] ".utf8))
    return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
  }
}

/// An MQTT topic filter with `+` and `#`.
struct TopicFilter {
  private let levels: [Substring]

  init(_ filter: String) { levels = filter.split(separator: "/", omittingEmptySubsequences: false) }

  func matches(_ topic: String) -> Bool {
    let parts = topic.split(separator: "/", omittingEmptySubsequences: false)
    for (index, level) in levels.enumerated() {
      if level == "#" { return true }
      guard index < parts.count, level == "+" || level == parts[index] else { return false }
    }
    return parts.count == levels.count
  }
}

/// What `map` shows before it asks.
struct MapReport {
  let proposal: MappingProposal

  init(_ proposal: MappingProposal) { self.proposal = proposal }

  var text: String {
    var parts = ["\(proposal.messageCount) messages"]
    for profile in proposal.profiles { parts.append(section(profile)) }
    if !proposal.routes.isEmpty {
      var table = Table(["topics", "route", "device"], rightAligned: [0])
      table.rows = proposal.routes.map {
        [String($0.group.topics.count), $0.group.pattern, $0.group.device]
      }
      parts.append("routes to write\n" + table.text)
    }
    if !proposal.refused.isEmpty {
      let lines = proposal.refused.prefix(10).map { "  \($0.topic): \($0.reason)" }
      parts.append("could not be read\n" + lines.joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n")
  }

  private func section(_ profile: MappingProposal.ProposedProfile) -> String {
    let shown = profile.devices.prefix(4).joined(separator: ", ")
    let more = profile.devices.count > 4 ? " and \(profile.devices.count - 4) more" : ""
    var table = Table(["metric", "type", "kind", "unit", "", "because"], rightAligned: [])
    table.rows = profile.metrics.map {
      [
        $0.metric, $0.type.name, $0.kind.name, $0.unit.isEmpty ? "–" : $0.unit,
        $0.isGuess ? "guess" : "", $0.reason,
      ]
    }
    let title = profile.isKnown ? "understood already" : "profile \(profile.id)"
    return "\(title): \(shown)\(more)\n" + table.text
  }
}
