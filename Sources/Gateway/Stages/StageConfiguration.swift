import Devices
import Foundation
import Operations
import Rules
import Scoring
import Telemetry

/// What the stages need of a configuration that is recorded in the journal.
///
/// Read from the recorded files alone: a replay on another machine, with another time zone and other
/// directories, reads the same.
struct StageConfiguration: Sendable {
  var files: [ConfigurationFile] = []
  var devices = DeviceConfiguration()
  var rules = RuleSet()
  var production = ProductionConfiguration()
  var quality = QualityConfiguration()
  var maintenance = MaintenanceConfiguration()
  var effective = EffectiveSettings()

  init() {}

  /// - Returns: `nil` when this version cannot read them: the one before stays in force.
  init?(files: [ConfigurationFile]) {
    self.files = files
    guard let settings = files.first(where: { $0.name == EffectiveSettings.fileName }) else {
      return  // Recorded by a version without stages: there were no rules.
    }
    effective = EffectiveSettings(text: settings.content)
    let deviceFiles = files.filter { Self.directory(of: $0.name) == effective.devices }
    let (devices, _) = DeviceConfiguration.load(files: deviceFiles)
    guard let devices else { return nil }
    self.devices = devices
    let (production, _) = ProductionConfiguration.load(files: deviceFiles, devices: devices)
    guard let production else { return nil }
    self.production = production
    let (maintenance, _) = MaintenanceConfiguration.load(files: deviceFiles, devices: devices)
    guard let maintenance else { return nil }
    self.maintenance = maintenance
    let (quality, _) = QualityConfiguration.load(files: deviceFiles, devices: devices)
    guard let quality else { return nil }
    self.quality = quality
    let ruleFiles = files.filter { Self.directory(of: $0.name) == effective.rules }
    let (rules, _) = RuleSet.read(
      ruleFiles + [quality.alarmRules].compactMap { $0 }, configuration: devices)
    guard let rules else { return nil }
    self.rules = rules
  }

  private static func directory(of name: String) -> String {
    name.lastIndex(of: "/").map { String(name[..<$0]) } ?? ""
  }

  /// Seconds east of Greenwich at a moment, in the plant's zone.
  var localOffset: LocalOffset {
    let zone = TimeZone(identifier: effective.timeZone) ?? .gmt
    return { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double($0.microseconds) / 1e6)) }
  }

  func metric(_ series: SeriesDefinition, of device: DeviceDefinition) -> MetricProfile? {
    devices.profile(device.profile)?.metric(series.metric)
  }
}

/// Settings that come from the environment or the machine and that stages depend on: recorded as a file of the
/// configuration, a setting a line.
struct EffectiveSettings: Sendable, Equatable {
  static let fileName = "(effective)"

  /// Directories as the names of recorded files begin.
  var devices = ""
  var rules = ""
  /// IANA name of the plant's zone.
  var timeZone = "UTC"
  /// How long a series is only learned, in µs.
  var learningMicroseconds: Int64 = DetectionSettings().learningMicroseconds

  init() {}

  init(_ gateway: GatewayConfiguration) {
    devices = gateway.devicesDirectory
    rules = gateway.rulesDirectory
    timeZone = gateway.timeZone
    learningMicroseconds = gateway.learning.microseconds
  }

  init(text: String) {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      let value = String(parts[1])
      switch parts[0] {
      case "devices": devices = value
      case "rules": rules = value
      case "time_zone": timeZone = value
      case "learning_us": learningMicroseconds = Int64(value) ?? learningMicroseconds
      default: break
      }
    }
  }

  var file: ConfigurationFile {
    ConfigurationFile(
      name: Self.fileName,
      content: "devices=\(devices)\nrules=\(rules)\ntime_zone=\(timeZone)\n"
        + "learning_us=\(learningMicroseconds)\n")
  }
}
