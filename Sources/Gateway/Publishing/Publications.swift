import Logging
import MQTT
import Storage

/// Everything we say on the broker beside telemetry's acknowledgements, with the connections for it.
///
/// Status, state and requests to devices leave through one client; the STATE of a Sparkplug primary host needs
/// one of its own. Nothing leaves before `start`.
final class Publications: Sendable {
  let publisher: Publisher
  /// Topics outside of our root on which we publish or have published.
  let ownTopics: [String]

  private let root: String
  private let homeAssistant: HomeAssistantPublisher?
  private let primaryHost: PrimaryHost?

  private static let online = #"{"status":"online"}"#
  private static let offline = #"{"status":"offline"}"#

  /// - Returns: `nil` without a broker.
  /// - Throws: `MQTTError` when a client cannot be made of the settings.
  init?(
    _ configuration: GatewayConfiguration, figures: FiguresBox, reader: StoreReader,
    clock: ClockSource, logger: Logger, connectionChanged: @escaping @Sendable () -> Void
  ) throws {
    guard let mqtt = configuration.mqtt else { return nil }
    root = configuration.root
    let discovery = configuration.homeAssistant.map {
      HomeAssistantDiscovery(
        gatewayID: configuration.gatewayID, root: configuration.root, prefix: $0.prefix,
        entities: [.connectivity] + GatewayState.entities)
    }
    let signals = PublisherSignals(birthTopic: discovery?.birthTopic)
    publisher = try Publisher(
      settings: mqtt, clientID: mqtt.clientID + "-out",
      status: (
        topic: root + PublishedEntity.statusTopic, online: Self.online, offline: Self.offline
      ),
      filters: discovery.map { [$0.birthTopic] } ?? [], onEvent: { event in
        signals.take(event)
        if case .received = event { return }
        connectionChanged()
      })
    let announced = AnnouncedTopics(directory: configuration.store.directory).topics
    ownTopics = announced + (discovery.map { [$0.topic] } ?? [])
    homeAssistant =
      ownTopics.isEmpty
      ? nil
      : HomeAssistantPublisher(
        discovery, directory: configuration.store.directory, publisher: publisher,
        signals: signals, figures: figures, reader: reader, clock: clock, logger: logger)
    primaryHost = configuration.sparkplugHost.map { id in
      PrimaryHost(settings: mqtt, id: id, clock: clock, logger: logger) {
        let figures = figures.value
        return figures.broker == .connected && figures.storageProblem.isEmpty
      }
    }
  }

  func start() throws {
    homeAssistant?.start()
    primaryHost?.start()
    try publisher.start()
  }

  /// Says goodbye on every connection and waits for the threads. Blocks.
  func stop() {
    primaryHost?.stop()
    homeAssistant?.stop()
    publisher.stop(
      lastWords: (topic: root + PublishedEntity.statusTopic, payload: Self.offline))
  }
}
