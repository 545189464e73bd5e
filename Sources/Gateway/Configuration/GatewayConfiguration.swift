import Devices
import Foundation
import MQTT
import Operations
import Rules
import Storage
import Telemetry

/// Everything millwright.yaml says, with a default for each key; see docs/configuration.md.
public struct GatewayConfiguration: Sendable, Hashable {
  /// Names this gateway upstream and in its own topics.
  public var gatewayID: String
  /// `nil`: no broker; HTTP still ingests.
  public var mqtt: MQTTSettings?
  /// The id under which Sparkplug nodes know us as their primary host; `nil`: we are none.
  public var sparkplugHost: String?
  /// `nil`: nothing is announced to Home Assistant.
  public var homeAssistant: HomeAssistantSettings?
  /// Topic prefix of what we publish; messages under it are never ingested. Ends with a slash.
  public var root: String
  /// IANA name of the plant's time zone: shifts, schedules and hours of the day are local there.
  public var timeZone = TimeZone.current.identifier
  /// How long detectors only learn a new series.
  public var learning = Duration.seconds(7 * 86_400)
  public var batch = BatchSettings()
  public var store: StoreSettings
  public var http = HTTPSettings()
  public var effects = EffectSettings()
  /// `nil`: no mail leaves.
  public var smtp: SMTPSettings?
  /// Where secrets that effects name are found.
  var credentials = Credentials(environment: [:], base: "")
  /// Directories with *.yaml, resolved against the configuration file.
  public var devicesDirectory: String
  public var rulesDirectory: String

  public init(
    gatewayID: String, dataDirectory: String, devicesDirectory: String, rulesDirectory: String
  ) {
    self.gatewayID = gatewayID
    root = "millwright/\(gatewayID)/"
    store = StoreSettings(directory: dataDirectory)
    self.devicesDirectory = devicesDirectory
    self.rulesDirectory = rulesDirectory
  }
}

/// Where we announce ourselves to Home Assistant.
public struct HomeAssistantSettings: Sendable, Hashable {
  /// Its discovery prefix, without a slash at the end.
  public var prefix = "homeassistant"

  public init() {}
}

/// When a batch is committed.
public struct BatchSettings: Sendable, Hashable {
  /// The longest an acknowledgement waits for others to share its fdatasync. 0: every read is a commit;
  /// 250 ms spares flash.
  public var commitDelayMilliseconds = 10
  /// Deliveries in one batch, at most; 0: nine tenths of the receive maximum.
  public var messagesMax = 0
  public var bytesMax = 1 << 20

  public init() {}
}

/// The HTTP side.
public struct HTTPSettings: Sendable, Hashable {
  public var host = "127.0.0.1"
  public var port = 3000
  /// Without any key the API is open: allowed on loopback only.
  public var keys: [APIKey] = []
  public var rateLimitPerMinute = 1_000
  /// Items of batches a key may send in a minute.
  public var itemsPerMinute = 600_000
  public var bodyBytesMax = 4 << 20
  public var inflatedBytesMax = 8 << 20
  public var corsOrigins: [String] = []
  public var allowsCORS = false
  /// Longest run of one SQL statement.
  public var sqlSecondsMax = 10.0
  public var sqlRowsMax = 100_000

  public init() {}
}

/// What a key may do.
public enum Scope: String, Sendable, CaseIterable, Hashable {
  case ingest
  case read
  case write
  case people
  case control
  case admin
}

/// A caller's key. The text itself is kept only in memory.
public struct APIKey: Sendable, Hashable {
  public var name: String
  public var secret: String
  public var scopes: Set<Scope>

  public init(name: String, secret: String, scopes: Set<Scope>) {
    self.name = name
    self.secret = secret
    self.scopes = scopes
  }
}

/// A configuration with the files it was read from, ready to be put in force.
public struct LoadedConfiguration: Sendable {
  public var gateway: GatewayConfiguration
  public var devices: DeviceConfiguration
  public var production: ProductionConfiguration
  public var quality: QualityConfiguration
  public var energy: EnergyConfiguration
  public var rules: RuleSet
  /// What the journal records, sorted by name: the files that were read, and the settings of the environment
  /// that stages depend on.
  public var files: [ConfigurationFile]
  public var warnings: [Diagnostic]

  public init(
    gateway: GatewayConfiguration, devices: DeviceConfiguration,
    production: ProductionConfiguration = ProductionConfiguration(),
    quality: QualityConfiguration = QualityConfiguration(),
    energy: EnergyConfiguration = EnergyConfiguration(), rules: RuleSet = RuleSet(),
    files: [ConfigurationFile], warnings: [Diagnostic]
  ) {
    self.gateway = gateway
    self.devices = devices
    self.production = production
    self.quality = quality
    self.energy = energy
    self.rules = rules
    self.files = (files + [EffectiveSettings(gateway).file]).sorted { $0.name < $1.name }
    self.warnings = warnings
  }

  /// The files that were read from disk.
  public var readFiles: [ConfigurationFile] {
    files.filter { $0.name != EffectiveSettings.fileName }
  }
}
