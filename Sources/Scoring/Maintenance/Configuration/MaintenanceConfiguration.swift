import Devices
import Telemetry

/// What devices/*.yaml say under `maintenance:`.
///
/// ```yaml
/// maintenance:
///   currency: EUR                    # of all costs; required where costs are given
///   topics: ["plant/{line}/maintenance"]   # MQTT topics on which maintenance events come as JSON
///   machines:
///     - device: press1               # or `asset:` of one device, or `profile:` for each device of it
///       component: main bearing      # what wears and is replaced; default: the machine
///       installed: 2024-03-01        # the day its present life began
///       running: {metric: state, values: [running], timeout: 5 min}
///       signals: [vibration, temperature, power]
///       period: 1 h                  # running time that makes one row of features; default 1 h
///       zones:
///         metric: vibration
///         limits: iso10816-3/2/rigid # or [1.4, 2.8, 4.5]: the first values of zones B, C and D
///         unit: mm/s                 # of the limits; default: that of the metric
///         hold: 1 min                # how long another zone must last; default 1 min
///       usage: {counter: cycles, unit: cycles, initial: 0, per_day: 9000}   # or {hours: running | calendar}
///       prior: {shape: 2.5, scale: 2000000}     # Weibull of lives, in the usage unit
///       services:
///         - {id: oil, every: 250 h, text: Change the oil, text_pt: Trocar o óleo}   # h: running hours
///         - {id: calibration, every: 90 d, component: gauge}
///         - {id: belt, every: 50000 cycles}
///       costs: {failure: 12000, planned: 1500, downtime_per_hour: 400, failure_hours: 16, planned_hours: 4}
///       lead_time: 5 d
///       actions:
///         C: {code: plan_bearing, text: …, text_pt: …}
///         D: {code: stop_press, text: …}
///         failure: {code: replace_bearing, text: …}
///       detectors: {learn_products: true, reset_after_setup: false}
/// ```
/// Several files may have the key; `currency` is given once. An entry of a device counts before one of its profile.
public struct MaintenanceConfiguration: Sendable, Equatable {
  public var currency: String?
  /// On which maintenance events come by MQTT.
  public var topics: [TopicPattern] = []
  public var machines: [MaintainedMachine]

  public init(currency: String? = nil, machines: [MaintainedMachine] = []) {
    self.currency = currency
    self.machines = machines
  }

  public var isEmpty: Bool { machines.isEmpty }

  /// The entry for a device: its own, else that of its profile.
  public func machine(device: String, profile: String) -> MaintainedMachine? {
    machines.first { $0.subject == .device(device) }
      ?? (profile.isEmpty ? nil : machines.first { $0.subject == .profile(profile) })
  }

  /// Reads `maintenance:` of all files.
  ///
  /// - Parameter devices: what the same files declare, to check references; `nil` when that could not be read.
  /// - Returns: every problem in order of file, line and column, and the configuration unless one of them is an error.
  public static func load(
    files: [ConfigurationFile], devices: DeviceConfiguration?
  ) -> (configuration: MaintenanceConfiguration?, diagnostics: [Diagnostic]) {
    let log = DiagnosticLog()
    var configuration = MaintenanceConfiguration()
    var roots: [YAMLMap] = []
    for file in files {
      // What is not YAML at all is reported by whoever reads the devices of the same file.
      guard let root = YAMLReader(log: DiagnosticLog()).map(in: file),
        root.value("maintenance")?.isNull == false,
        let map = YAMLReader(log: log).map(in: file)?.optional("maintenance", .map)
      else { continue }
      if let currency = map.optional("currency", .name(bytesMax: 3)) {
        if configuration.currency != nil {
          map.value("currency")?.report("`currency` is given twice")
        }
        configuration.currency = currency
      }
      roots.append(map)
    }
    var places: [MaintainedMachine.Subject: String] = [:]
    for map in roots {
      for value in map.optional("topics", .list(of: YAMLType<YAMLValue> { $0 })) ?? [] {
        guard let text = value.read(.string) else { continue }
        do throws(TopicPattern.SyntaxError) {
          configuration.topics.append(try TopicPattern(text))
        } catch {
          value.report(error.message)
        }
      }
      for entry in map.optional("machines", .list(of: .map)) ?? [] {
        let reading = MaintainedMachineReading(
          map: entry, devices: devices, currency: configuration.currency)
        guard let machine = reading.machine() else { continue }
        let place = "\(entry.file):\(entry.position.line):\(entry.position.column)"
        if let first = places[machine.subject] {
          entry.report("\(machine.subject.words) has an entry already, at \(first)")
        }
        places[machine.subject] = place
        configuration.machines.append(machine)
      }
      map.refuseUnknownKeys()
    }
    return (log.hasErrors ? nil : configuration, log.sorted)
  }
}

extension MaintainedMachine.Subject {
  var words: String {
    switch self {
    case .device(let id): "device `\(id)`"
    case .profile(let id): "profile `\(id)`"
    }
  }
}
