import Devices
import Telemetry

/// What devices/*.yaml say under `quality:`.
///
/// ```yaml
/// quality:
///   characteristics:
///     - id: bore                     # required
///       description: Bore of the bracket
///       device: mill1                # or `profile: cnc_mill`: a chart for each device of it
///       metric: bore                 # left out: from events called InspectionResult
///       unit: mm                     # of values and limits
///       lower: 11.95                 # specification limits; one may be left out
///       upper: 12.05
///       target: 12
///       chart: xbar_r                # xbar_r | xbar_s | i_mr | p | np | c | u | ewma | cusum; required
///       subgroup: {size: 5}          # or {order: 25} | {time: 15 min} | each
///       rules: nelson                # or western_electric | limits | [nelson_1, nelson_2, …]; default nelson
///       baseline: {subgroups: 25}    # or {center: 12, sigma: 0.01}; default 25 subgroups
///       ewma: {lambda: 0.3, width: 3}          # ewma charts only
///       cusum: {allowance: 0.5, decision: 5}   # cusum charts only; in σ of a subgroup mean
///       opportunities: 5             # attributes only: ways in which a unit can be defective; default 1
///       alarm: high                  # priority while out of control, or none; default medium
///       sampling: {aql: 1.0}         # attributes only; or normal/tightened/reduced: {sample: 80, accept: 2}
/// ```
/// Several files may have the key; characteristics are numbered through in the order of the files.
public struct QualityConfiguration: Hashable, Sendable {
  public var characteristics: [Characteristic]

  public init(characteristics: [Characteristic] = []) { self.characteristics = characteristics }

  /// Reads `quality:` of all files.
  ///
  /// - Parameter devices: what the same files declare, to check references; `nil` when that could not be read.
  /// - Returns: every problem in order of file, line and column, and the configuration unless one of them is an error.
  public static func load(
    files: [ConfigurationFile], devices: DeviceConfiguration?
  ) -> (configuration: QualityConfiguration?, diagnostics: [Diagnostic]) {
    let log = DiagnosticLog()
    var configuration = QualityConfiguration()
    var claims = ClaimedNames(log: log)
    for file in files {
      // What is not YAML at all is reported by whoever reads the devices of the same file.
      guard let root = YAMLReader(log: DiagnosticLog()).map(in: file),
        root.value("quality")?.isNull == false,
        let map = YAMLReader(log: log).map(in: file)?.optional("quality", .map)
      else { continue }
      for entry in map.optional("characteristics", .list(of: .map)) ?? [] {
        claims.claim("characteristic", in: entry)
        let reading = CharacteristicReading(map: entry, devices: devices)
        if let characteristic = reading.characteristic() {
          configuration.characteristics.append(characteristic)
        }
      }
      map.refuseUnknownKeys()
    }
    return (log.hasErrors ? nil : configuration, log.sorted)
  }

  public func characteristic(_ id: String) -> Characteristic? {
    characteristics.first { $0.id == id }
  }
}

/// Ids that may be used once, each with the place where it was.
struct ClaimedNames {
  let log: DiagnosticLog
  private var places: [String: String] = [:]

  init(log: DiagnosticLog) { self.log = log }

  /// Reports the second entry of a kind with one `id`.
  mutating func claim(_ noun: String, in map: YAMLMap) {
    guard let entry = map.entries.first(where: { $0.key == "id" }), !entry.value.isNull,
      !entry.value.isMap, !entry.value.isList,
      // Whether it is a good id is asked, and reported, by the reader of the entry.
      let id = entry.value.read(.string)
    else { return }
    let position = entry.value.position
    let place = "\(map.file):\(position.line):\(position.column)"
    guard let first = places["\(noun) \(id)"] else {
      places["\(noun) \(id)"] = place
      return
    }
    entry.value.report("duplicate \(noun) `\(id)`, first at \(first)")
  }
}

/// `, did you mean …?`, or nothing.
func didYouMean(_ text: String, among names: [String]) -> String {
  nearestName(to: text, among: names).map { ", did you mean `\($0)`?" } ?? ""
}
