import ArgumentParser
import Foundation
import MQTT

/// Which broker a command speaks to; the same for all commands that need one but no gateway.
struct BrokerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The configuration file whose broker, user and TLS files are used.", valueName: "file"))
  var brokerConfig: String?

  @Option(help: ArgumentHelp("The broker. Also MILLWRIGHT_MQTT_HOST.", valueName: "host"))
  var mqttHost: String?

  @Option(help: ArgumentHelp("The broker's port. Also MILLWRIGHT_MQTT_PORT.", valueName: "port"))
  var mqttPort: Int32?

  /// From the options, the environment, the configuration file, the defaults: the first that says.
  func settings() throws -> MQTTSettings {
    var settings = MQTTSettings()
    var place = try ConfigurationOptions.parse([])
    place.config = brokerConfig
    if place.file != nil, let known = try place.load().gateway.mqtt { settings = known }
    let environment = ProcessInfo.processInfo.environment
    settings.host = mqttHost ?? environment["MILLWRIGHT_MQTT_HOST"] ?? settings.host
    settings.port =
      mqttPort ?? environment["MILLWRIGHT_MQTT_PORT"].flatMap(Int32.init) ?? settings.port
    return settings
  }

  /// The end of a command that found no broker, with what to do.
  static func failure(_ error: MQTTError, _ settings: MQTTSettings) -> Failure {
    Failure(
      .notReachable,
      "\(settings.host):\(settings.port): \(error); is the broker running? "
        + "--mqtt-host and --mqtt-port say where it is")
  }
}
