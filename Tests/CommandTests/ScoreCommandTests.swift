import Foundation
import TestSupport
import Testing

/// Scores of public data sets from the command line.
@Suite struct ScoreCommandTests {
  /// Three days of a square wave with one value it never had.
  private func data(in folder: Folder, spoiled: String? = nil) throws -> String {
    let group = folder.path + "/data/group"
    try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: true)
    var text = "timestamp,value\n"
    for index in 0..<864 {
      let (day, minute) = (index / 288 + 1, index % 288 * 5)
      let time = String(format: "2026-01-%02d %02d:%02d:00", day, minute / 60, minute % 60)
      let value = index == 800 ? "55.5" : (index / 12).isMultiple(of: 2) ? "10" : "90"
      text += index == 400 ? spoiled ?? "\(time),\(value)" : "\(time),\(value)"
      text += "\n"
    }
    try text.write(toFile: group + "/wave.csv", atomically: false, encoding: .utf8)
    return folder.path + "/data"
  }

  @Test(
    "Results stand where NAB expects them, row by row, and the odd value is above the threshold")
  func nab() throws {
    let folder = try Folder()
    let data = try data(in: folder)
    let run = try Executable.run(["score", "nab", data, "--out", "results"], in: folder.path)
    #expect(run.status == 0)
    #expect(run.output.contains("1 files, 864 rows, strictly causal"))
    #expect(run.output.contains("alarm threshold 0.5"))
    let text = try String(
      contentsOfFile: folder.path + "/results/millwright/group/millwright_wave.csv",
      encoding: .utf8)
    let rows = text.split(separator: "\n")
    #expect(rows.count == 865)
    #expect(rows[0] == "timestamp,value,anomaly_score")
    #expect(rows[801].hasPrefix("2026-01-03 18:40:00,55.5,"))
    let scores = rows.dropFirst().compactMap { Double($0.split(separator: ",")[2]) }
    #expect(scores.count == 864)
    #expect(scores[800] > 0.5)
    #expect(scores[500..<800].allSatisfy { $0 < 0.5 })
  }

  @Test(
    "A line that cannot be read is named with its file and number",
    arguments: ["2026-01-02 09:20:00,many", "yesterday,10", "2026-01-02 09:20:00"])
  func spoiled(_ line: String) throws {
    let folder = try Folder()
    let data = try data(in: folder, spoiled: line)
    let run = try Executable.run(["score", "nab", data, "--out", "results"], in: folder.path)
    #expect(run.status == 1)
    #expect(run.errors.contains("group/wave.csv:402: "))
  }

  @Test("A folder without files says what is wanted")
  func empty() throws {
    let folder = try Folder()
    let run = try Executable.run(["score", "nab", folder.path, "--out", "x"], in: folder.path)
    #expect(run.status == 1)
    #expect(run.errors.contains("give NAB's data folder"))
  }
}

/// The energy baseline from the command line.
@Suite struct EnergyScoreTests {
  @Test("Days are put together as printed, and drivers that say the same are named")
  func smallFile() throws {
    let folder = try Folder()
    var text = "\u{FEFF}date,Usage_kWh,WeekStatus,Load_Type\n"
    for day in 1...28 {
      let isWeekend = day % 7 > 4
      for quarter in 0..<4 {
        let load = isWeekend || quarter < 2 ? "Light_Load" : quarter == 2 ? "Medium_Load" : "Maximum_Load"
        let usage = isWeekend ? 1 : 5 + day % 3
        text += String(format: "%02d/01/2018 %02d:00", day, quarter)
        text += ",\(usage),\(isWeekend ? "Weekend" : "Weekday"),\(load)\n"
      }
    }
    try text.write(toFile: folder.path + "/s.csv", atomically: false, encoding: .utf8)
    let run = try Executable.run(["score", "energy", "s.csv"], in: folder.path)
    #expect(run.status == 0)
    #expect(run.output.contains("28 days, 112 quarters of an hour"))
    #expect(run.output.contains("peak     7.00 kWh per 15 min = 28.00 kW"))
    #expect(run.output.contains("collinear_drivers"))
    try (text + "28/01/2018 04:00,many,Weekday,Light_Load\n").write(
      toFile: folder.path + "/s.csv", atomically: false, encoding: .utf8)
    let spoiled = try Executable.run(["score", "energy", "s.csv"], in: folder.path)
    #expect(spoiled.status == 1 && spoiled.errors.contains("s.csv:114: "))
  }

  static let data = ProcessInfo.processInfo.environment["MILLWRIGHT_DATA"]

  @Test(
    "The steel works data give the published baseline to the printed digit",
    .enabled(if: data != nil, "MILLWRIGHT_DATA is not set: the data set is not there"))
  func steel() throws {
    let file = (Self.data ?? "") + "/industrial/steel-energy/Steel_industry_data.csv"
    let folder = try Folder()
    let run = try Executable.run(["score", "energy", file], in: folder.path)
    #expect(run.status == 0)
    for part in [
      "365 days, 35040 quarters", "total    959636.7 kWh", "peak     157.18 kWh per 15 min",
      "R²       0.598", "CV(RMSE) 0.356", " 1354.617 kWh", " -1270.964 kWh",
      " 39.431 kWh  not told apart", " 29.573 kWh  not told apart",
    ] { #expect(run.output.contains(part), "\(part)\n\(run.output)") }
  }
}
