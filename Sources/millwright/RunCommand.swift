import ArgumentParser
import Foundation
import Gateway
import Logging
import ServiceLifecycle
import Web

/// `millwright run`: the gateway itself.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the gateway until SIGTERM or Ctrl-C.",
    discussion: """
      Messages are acknowledged only after they are on disk; a stop seals everything
      first. SIGHUP reads devices/*.yaml again: a file with errors leaves the
      running configuration in force and is reported with file, line and column.

      EXAMPLES
        millwright run
        millwright run --config /etc/millwright/millwright.yaml
        millwright run --mqtt-host 192.168.0.10 --port 8080
        kill -HUP $(cat data/lock)              read the configuration again
      """)

  @OptionGroup var place: ConfigurationOptions
  @OptionGroup var log: LogOptions

  @Option(help: ArgumentHelp("Address to listen on for HTTP.", valueName: "address"))
  var host: String?

  @Option(help: "Port for HTTP; 0 takes a free one.")
  var port: Int?

  @Option(help: ArgumentHelp("The MQTT broker.", valueName: "host"))
  var mqttHost: String?

  @Option(help: ArgumentHelp("The MQTT broker's port.", valueName: "port"))
  var mqttPort: Int?

  @Option(help: ArgumentHelp("Directory of the device files.", valueName: "dir"))
  var devices: String?

  func run() async throws {
    // Data and keys are for this user and its group.
    umask(0o027)
    ProcessMemory.settle()
    try await reporting { try await serve() }
  }

  private var overrides: [String: String] {
    var overrides: [String: String] = [:]
    overrides["HOST"] = host
    overrides["PORT"] = port.map(String.init)
    overrides["MILLWRIGHT_MQTT_HOST"] = mqttHost
    overrides["MILLWRIGHT_MQTT_PORT"] = mqttPort.map(String.init)
    overrides["MILLWRIGHT_DEVICES"] = devices
    return overrides
  }

  private func serve() async throws {
    let output = log.output()
    let logger = output.logger(label: "millwright")
    let configuration = try place.load(overrides: overrides)
    let http = configuration.gateway.http
    try PortCheck.requireFree(host: http.host, port: http.port)
    let gateway: Gateway
    do {
      gateway = try Gateway(
        configuration: configuration, loader: place.loader(overrides: overrides),
        logger: output.logger(label: "gateway"))
    } catch let held as DataLock.Held {
      throw Failure(.inUse, "\(held)")
    }
    let web = try WebServer(gateway: gateway, settings: http, logger: output.logger(label: "web"))
    let announcement = Announcement(configuration: configuration.gateway)
    let manager = ServiceManager(environment: ProcessInfo.processInfo.environment)
    // Stopped from the last to the first: no request is taken once the gateway begins to seal.
    var services: [any Service] = [
      gateway, ReloadService(gateway: gateway, manager: manager, logger: logger), web, announcement,
    ]
    if let manager {
      services.append(
        ServiceReporter(manager: manager, gateway: gateway, web: web, logger: logger))
    }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services.map { .init(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
  }
}
