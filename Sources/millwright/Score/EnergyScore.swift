import ArgumentParser
import Operations
import Telemetry

/// The energy baseline of ISO 50001 on the steel works data.
struct EnergyScore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "energy",
    abstract: "Fit an energy baseline to the steel works data of the UCI repository.",
    discussion: """
      kWh of a day ~ weekend + quarters of medium load + quarters of maximum load, by least squares.
      Days are those printed in the rows. Every day has either no such quarters or 32 and 24, so the last two
      drivers say the same: their coefficients are the shortest that fit best, and have no standard error.
      """)

  @Argument(help: "Steel_industry_data.csv.")
  var file: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() async throws {
    try await reporting {
      let records: SteelRecords
      do { records = try SteelRecords(csv: try DataFile.text(file)) } catch let error
        as SteelRecords.Refusal
      { throw Failure("\(file):\(error.description)") }
      let baseline = try EnergyBaseline(drivers: SteelRecords.drivers, reference: records.days)
      json ? printJSON(records, baseline) : printTable(records, baseline)
    }
  }

  private func printTable(_ records: SteelRecords, _ baseline: EnergyBaseline) {
    let fit = baseline.fit
    let peak = records.peakQuarterKilowattHours
    print("\(records.days.count) days, \(records.quarters) quarters of an hour")
    print("total    \(Self.fixed(records.totalKilowattHours, 1)) kWh")
    print("peak     \(Self.fixed(peak, 2)) kWh per 15 min = \(Self.fixed(peak * 4, 2)) kW")
    print("R²       \(Self.fixed(fit.rSquared, 3))")
    print("CV(RMSE) \(fit.cvRMSE.map { Self.fixed($0, 3) } ?? "none")")
    print("")
    let rows = [("intercept", fit.intercept)] + zip(baseline.drivers, fit.coefficients)
    for (name, coefficient) in rows {
      let padded = name + String(repeating: " ", count: max(1, 24 - name.count))
      let value = Self.fixed(coefficient.value, 3)
      let gap = String(repeating: " ", count: max(1, 12 - value.count))
      let error = coefficient.standardError.map { "± " + Self.fixed($0, 3) } ?? "not told apart"
      print("\(padded)\(gap)\(value) kWh  \(error)")
    }
    if !baseline.warnings.isEmpty {
      print("\nwarnings: " + baseline.warnings.map(\.rawValue).joined(separator: ", "))
    }
  }

  private func printJSON(_ records: SteelRecords, _ baseline: EnergyBaseline) {
    let answer = JSONValue.object([
      ("days", .integer(records.days.count)), ("quarters", .integer(records.quarters)),
      ("total_kwh", .double(records.totalKilowattHours)),
      ("peak_quarter_kwh", .double(records.peakQuarterKilowattHours)),
      ("baseline", baseline.json),
    ])
    print(answer.encoded)
  }

  /// With so many digits after the point, rounded half away from zero.
  private static func fixed(_ number: Double, _ digits: Int) -> String {
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let whole = Int((number.magnitude * Double(scale)).rounded())
    let fraction = String(whole % scale)
    let zeros = String(repeating: "0", count: digits - fraction.count)
    let grouped = String(whole / scale)
    return (number < 0 && whole > 0 ? "-" : "") + grouped + "." + zeros + fraction
  }
}
