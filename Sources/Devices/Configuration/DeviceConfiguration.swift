import Telemetry

/// Everything devices/*.yaml says: what devices are, where they are and how their messages are read.
///
/// ```yaml
/// settings: {unknown_devices: adopt}
/// profiles:
///   - id: press
///     metrics:
///       temperature: {unit: °C, range: [0, 120]}
/// devices:
///   - {id: press1, profile: press, asset: acme/linz/hall1/line1/press1}
/// routes:
///   - {topic: "plant/{line}/{device}/telemetry", format: json, device: "{device}"}
/// ```
/// Every file may hold any of the four; order matters only between equally specific routes.
public struct DeviceConfiguration: Hashable, Sendable {
  public var settings: DeviceSettings
  public var profiles: [Profile]
  public var devices: [DeclaredDevice]
  public var routes: [Route]

  public init(
    settings: DeviceSettings = DeviceSettings(), profiles: [Profile] = [],
    devices: [DeclaredDevice] = [], routes: [Route] = []
  ) {
    self.settings = settings
    self.profiles = profiles
    self.devices = devices
    self.routes = routes
  }

  /// Reads all files together; references may point across them.
  ///
  /// - Returns: every problem in order of file, line and column, and the configuration unless one of
  ///   them is an error.
  public static func load(files: [ConfigurationFile]) -> (
    configuration: DeviceConfiguration?, diagnostics: [Diagnostic]
  ) {
    let log = DiagnosticLog()
    var reading = ConfigurationReading(log: log)
    for file in files { reading.read(file) }
    reading.checkReferences()
    return (log.hasErrors ? nil : reading.configuration, log.sorted)
  }

  public func profile(_ id: String) -> Profile? { profiles.first { $0.id == id } }

  public func device(_ id: String) -> DeclaredDevice? { devices.first { $0.id == id } }
}
