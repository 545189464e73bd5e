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
