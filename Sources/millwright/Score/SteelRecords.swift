import Operations

/// The quarter hours of the steel works data set of the UCI repository, and what is computed from them.
///
/// The days are those printed in the rows: `01/01/2018 00:00` is the last quarter of 01/01/2018 there, so each of
/// the 365 days has 96 quarters.
struct SteelRecords: Sendable {
  enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    case header(String)
    case row(line: Int, String)
    case noRows

    var description: String {
      switch self {
      case .header(let name): "1: the column `\(name)` is missing"
      case .row(let line, let text): "\(line): not a row of this file: \(text)"
      case .noRows: "2: there are no rows"
      }
    }
  }

  static let drivers = ["weekend", "medium_load_quarters", "maximum_load_quarters"]

  /// Days in the order of the file.
  private(set) var days: [EnergyObservation] = []
  private(set) var totalKilowattHours = 0.0
  private(set) var peakQuarterKilowattHours = 0.0
  private(set) var quarters = 0

  /// - Parameter text: Steel_industry_data.csv, with its header.
  init(csv text: String) throws(Refusal) {
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...]
    var header = lines.popFirst() ?? ""
    if header.unicodeScalars.first == "\u{FEFF}" {
      header = Substring(header.unicodeScalars.dropFirst())
    }
    let names = header.split(separator: ",", omittingEmptySubsequences: false)
    var columns: [Int] = []
    for name in ["date", "Usage_kWh", "WeekStatus", "Load_Type"] {
      guard let index = names.firstIndex(of: name[...]) else { throw .header(name) }
      columns.append(index)
    }
    for (index, line) in lines.enumerated() where !line.isEmpty {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      guard cells.count == names.count, let usage = Double(cells[columns[1]]), usage.isFinite,
        cells[columns[0]].utf8.count >= 10
      else { throw .row(line: index + 2, "\(line.prefix(80))") }
      add(
        day: String(cells[columns[0]].prefix(10)), usage: usage,
        isWeekend: cells[columns[2]] == "Weekend", load: cells[columns[3]])
    }
    guard !days.isEmpty else { throw .noRows }
  }

  private mutating func add(day: String, usage: Double, isWeekend: Bool, load: Substring) {
    if days.last?.period != day {
      days.append(EnergyObservation(period: day, kilowattHours: 0, drivers: [0, 0, 0]))
    }
    let last = days.count - 1
    days[last].kilowattHours += usage
    if isWeekend { days[last].drivers[0] = 1 }
    if load == "Medium_Load" { days[last].drivers[1] += 1 }
    if load == "Maximum_Load" { days[last].drivers[2] += 1 }
    totalKilowattHours += usage
    peakQuarterKilowattHours = max(peakQuarterKilowattHours, usage)
    quarters += 1
  }
}
