import Devices
import Telemetry

/// What devices/*.yaml say of production: calendars, products, reasons, machines and lines.
///
/// ```yaml
/// calendars:
///   - id: two_shifts               # required
///     time_zone: Europe/Vienna     # IANA name; default UTC
///     shifts:
///       - name: early
///         days: [mon, tue, wed, thu, fri]
///         from: 06:00              # clocks on the wall
///         to: 14:00
///         breaks: [{from: 09:00, to: 09:15}]
///       - {name: night, days: [mon], from: 22:00, to: 06:00, overnight: true}
///     holidays: [2026-12-25]       # no shift begins on these
///     planned_stops:               # weekly, or once by `date`
///       - {name: cleaning, days: [fri], from: 13:00, to: 14:00}
///     exceptions:                  # a day with shifts of its own; [] for none
///       - {date: 2026-12-24, shifts: [{name: early, from: 06:00, to: 11:00}]}
/// products:
///   - id: bracket-40               # as the product metric says it
///     description: Bracket, 40 mm
///     planned_scrap: 0.02
///     ideal_cycle:                 # by machine, or by profile for all machines of one kind
///       press: 6 s
///       mill1: 85 parts/h
/// reasons:
///   - {code: tool_break, description: A tool broke, loss: breakdown}
/// machines:                        # see MachineReading
///   - {device: press1, calendar: two_shifts, states: {RUN: running}, counters: {total: cycles}}
/// lines:
///   - id: line1
///     description: Brackets
///     machines: [press1, mill1]    # in the order in which parts pass them
///     constraint: mill1
///     buffers: [{after: press1, capacity: 40, description: Roller table}]
/// ```
public struct ProductionConfiguration: Hashable, Sendable {
  public var calendars: [ShiftCalendar] = []
  public var products: [Product] = []
  public var reasons = StopReasons()
  public var machines: [MachineDefinition] = []
  public var lines: [LineDefinition] = []

  public init() {}

  public var isEmpty: Bool { machines.isEmpty && lines.isEmpty && calendars.isEmpty }

  public func calendar(_ id: String) -> ShiftCalendar? { calendars.first { $0.id == id } }
  public func machine(_ id: String) -> MachineDefinition? { machines.first { $0.id == id } }
  public func line(_ id: String) -> LineDefinition? { lines.first { $0.id == id } }

  /// Reads all files together; references may point across them.
  ///
  /// A file that is not YAML, and keys at its root that nobody knows, are left to `DeviceConfiguration.load`.
  /// - Parameters:
  ///   - devices: to check devices, profiles and metrics against; `nil`: they are not checked.
  ///   - isKnownTimeZone: whether rules for a name can be had.
  /// - Returns: every problem, and the configuration unless one of them is an error.
  public static func load(
    files: [ConfigurationFile], devices: DeviceConfiguration?,
    isKnownTimeZone: (String) -> Bool = { _ in true }
  ) -> (configuration: ProductionConfiguration?, diagnostics: [Diagnostic]) {
    let log = DiagnosticLog()
    var reading = ProductionReading(log: log, devices: devices)
    for file in files {
      let own = DiagnosticLog()
      // Problems with the YAML itself are told by whoever reads the devices.
      guard YAMLReader(log: own).map(in: file) != nil,
        let root = YAMLReader(log: log).map(in: file)
      else { continue }
      reading.collect(root)
    }
    reading.read(isKnownTimeZone: isKnownTimeZone)
    return (log.hasErrors ? nil : reading.configuration, log.sorted)
  }
}

/// The state of reading: sections as they were found, then what was made of them.
///
/// Sections are read in the order of their references, not of the files: reasons and calendars, machines, products,
/// lines.
struct ProductionReading {
  var configuration = ProductionConfiguration()
  let log: DiagnosticLog
  let devices: DeviceConfiguration?
  private var sections: [(name: String, map: YAMLMap)] = []
  private var places: [String: String] = [:]

  init(log: DiagnosticLog, devices: DeviceConfiguration?) {
    self.log = log
    self.devices = devices
  }

  mutating func collect(_ root: YAMLMap) {
    for name in ["calendars", "reasons", "machines", "products", "lines"] {
      for map in root.optional(name, .list(of: .map)) ?? [] { sections.append((name, map)) }
    }
  }

  mutating func read(isKnownTimeZone: (String) -> Bool) {
    for map in maps("reasons") { readReason(map) }
    for map in maps("calendars") {
      claim("id", "calendar", in: map)
      if let calendar = ShiftCalendar(reading: map, isKnownTimeZone: isKnownTimeZone) {
        configuration.calendars.append(calendar)
      }
    }
    for map in maps("machines") { readMachine(map) }
    for map in maps("products") { readProduct(map) }
    for map in maps("lines") { readLine(map) }
  }

  private func maps(_ name: String) -> [YAMLMap] {
    sections.filter { $0.name == name }.map(\.map)
  }

  private mutating func readReason(_ map: YAMLMap) {
    claim("code", "reason", in: map)
    let code = map.required("code", .name())
    let reason = StopReason(
      code: code ?? "", description: map.optional("description", .string) ?? "",
      loss: map.optional("loss", .choice) ?? .breakdown)
    map.refuseUnknownKeys()
    if code != nil { configuration.reasons.list.append(reason) }
  }

  private mutating func readMachine(_ map: YAMLMap) {
    let reading = MachineReading(
      map: map, devices: devices, reasons: configuration.reasons,
      calendars: configuration.calendars.map(\.id))
    guard let machine = reading.machine() else { return }
    claim(machine.id, "machine", at: (map.value("id") ?? map.value("device"))?.position, in: map)
    configuration.machines.append(machine)
  }

  private mutating func readProduct(_ map: YAMLMap) {
    claim("id", "product", in: map)
    let id = map.required("id", .name())
    var product = Product(id: id ?? "", description: map.optional("description", .string) ?? "")
    product.plannedScrap = map.optional("planned_scrap", .share)
    for entry in map.optional("ideal_cycle", .map)?.entries ?? [] {
      checkCycleKey(entry)
      if let cycle = entry.value.read(.idealCycle) {
        product.idealCycles.append(
          Product.MachineCycle(machineOrProfile: entry.key, cycle: cycle))
      }
    }
    map.refuseUnknownKeys()
    if id != nil { configuration.products.append(product) }
  }

  private func checkCycleKey(_ entry: YAMLMap.Entry) {
    guard let devices else { return }
    let names = configuration.machines.map(\.id) + devices.profiles.map(\.id)
    guard !names.contains(entry.key) else { return }
    entry.name.report(
      "`\(entry.key)` is neither a machine nor a profile" + suggestion(entry.key, names))
  }

  private mutating func readLine(_ map: YAMLMap) {
    claim("id", "line", in: map)
    let id = map.required("id", .name())
    var line = LineDefinition(
      id: id ?? "", description: map.optional("description", .string) ?? "", machines: [])
    let known = configuration.machines.map(\.id)
    for value in map.required("machines", .list(of: .value)) ?? [] {
      guard let name = value.read(.name()) else { continue }
      if !known.contains(name) {
        value.report("unknown machine `\(name)`" + suggestion(name, known))
      } else if line.machines.contains(name) {
        value.report("`\(name)` stands twice in the line")
      }
      line.machines.append(name)
    }
    if map.value("machines") != nil, line.machines.isEmpty {
      map.report("a line needs at least one machine")
    }
    line.constraint = reference("constraint", to: line.machines, "machine of this line", in: map)
    for buffer in map.optional("buffers", .list(of: .map)) ?? [] {
      let after = reference("after", to: line.machines, "machine of this line", in: buffer)
      if buffer.value("after") == nil { buffer.report("`after` is missing in `\(buffer.path)`") }
      line.buffers.append(
        LineDefinition.Buffer(
          after: after ?? "", capacity: buffer.optional("capacity", .int(in: 0...1_000_000_000)),
          description: buffer.optional("description", .string) ?? ""))
      buffer.refuseUnknownKeys()
    }
    map.refuseUnknownKeys()
    if id != nil { configuration.lines.append(line) }
  }

  private func reference(
    _ key: String, to names: [String], _ noun: String, in map: YAMLMap
  ) -> String? {
    guard let name = map.optional(key, .name()) else { return nil }
    if !names.contains(name) {
      map.value(key)?.report("`\(name)` is no \(noun)" + suggestion(name, names))
    }
    return name
  }

  private mutating func claim(_ key: String, _ noun: String, in map: YAMLMap) {
    guard let value = map.value(key), let id = value.quietText else { return }
    claim(id, noun, at: value.position, in: map)
  }

  private mutating func claim(
    _ id: String, _ noun: String, at position: YAMLPosition?, in map: YAMLMap
  ) {
    let position = position ?? map.position
    let place = "\(map.file):\(position.line):\(position.column)"
    if let first = places["\(noun) \(id)"] {
      log.report(
        Diagnostic(
          file: map.file, line: position.line, column: position.column,
          message: "duplicate \(noun) `\(id)`, first at \(first)"))
    } else {
      places["\(noun) \(id)"] = place
    }
  }
}

/// `, did you mean …?`, or nothing.
func suggestion(_ text: String, _ names: [String]) -> String {
  nearestName(to: text, among: names).map { ", did you mean `\($0)`?" } ?? ""
}
