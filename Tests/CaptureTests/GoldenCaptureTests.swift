import Capture
import Foundation
import Simulator
import Telemetry
import TestSupport
import Testing

/// Captures of each family and what a reader sees after they were played into an empty gateway.
///
/// Golden/ holds `<family>.mwcap` and `<family>.txt`. With MILLWRIGHT_RECORD_GOLDEN=1 the captures are
/// made again by the simulator (seed 4) and the texts with them: read the difference before committing it.
@Suite("Golden captures", .serialized)
struct GoldenCaptureTests {
  private static let folder =
    (#filePath as NSString).deletingLastPathComponent + "/Golden/"
  private static let start = Timestamp(microseconds: 1_795_248_000_000_000)

  private var isRecording: Bool {
    ProcessInfo.processInfo.environment["MILLWRIGHT_RECORD_GOLDEN"] != nil
  }

  private func messages(_ family: DeviceFamily) throws -> [CapturedMessage] {
    let path = Self.folder + family.rawValue + ".mwcap"
    if isRecording { try record(family, to: path) }
    var reader = try CaptureReader(path: path)
    var messages: [CapturedMessage] = []
    while let message = reader.next() { messages.append(message) }
    #expect(reader.damage == nil)
    return messages
  }

  private func record(_ family: DeviceFamily, to path: String) throws {
    var settings = PlantSettings()
    settings.hasPlant = false
    settings.families = [family]
    settings.faults = [.reconnect]
    var plant = Plant(seed: 4, start: Self.start, settings: settings)
    if FileManager.default.fileExists(atPath: path) {
      try FileManager.default.removeItem(atPath: path)
    }
    let writer = try CaptureWriter(path: path)
    for message in plant.step(to: Self.start.advanced(byMicroseconds: 240_000_000)) {
      try writer.append(
        CapturedMessage(
          time: message.time, topic: message.topic, payload: message.payload,
          qos: UInt8(message.qos)))
    }
    try writer.close()
  }

  @Test(
    "A capture gives the series, units and samples that it always gave",
    arguments: DeviceFamily.allCases)
  func golden(_ family: DeviceFamily) throws {
    let scratch = try Scratch()
    let rig = try ReplayRig(directory: scratch.path)
    try rig.take(try messages(family))
    let path = Self.folder + family.rawValue + ".txt"
    if isRecording { try rig.dump().write(toFile: path, atomically: true, encoding: .utf8) }
    let expected = try String(contentsOfFile: path, encoding: .utf8)
    let found = try rig.dump()
    if found != expected {
      let pairs = zip(found.split(separator: "\n"), expected.split(separator: "\n"))
      let first = pairs.first { $0 != $1 }
      Issue.record("\(family): `\(first?.0 ?? "")` instead of `\(first?.1 ?? "")`")
    }
  }

  @Test("Restarts in the middle of a capture change nothing", arguments: DeviceFamily.allCases)
  func restarts(_ family: DeviceFamily) throws {
    let messages = try messages(family)
    let scratch = try Scratch()
    let rig = try ReplayRig(directory: scratch.path)
    var random = SeededGenerator(seed: 11)
    var start = 0
    while start < messages.count {
      let end = min(messages.count, start + Int.random(in: 1...60, using: &random))
      try rig.take(Array(messages[start..<end]), perRecord: Int.random(in: 1...30, using: &random))
      try rig.restart()
      start = end
    }
    let expected = try String(
      contentsOfFile: Self.folder + family.rawValue + ".txt", encoding: .utf8)
    #expect(try rig.dump() == expected)
  }

  @Test("Messages that came twice count once", arguments: [DeviceFamily.sparkplug, .senml])
  func twice(_ family: DeviceFamily) throws {
    let messages = try messages(family)
    let scratch = try Scratch()
    let rig = try ReplayRig(directory: scratch.path)
    // A birth or death said twice is another session; data is the same data.
    try rig.take(
      messages.flatMap { message in
        message.topic.contains("BIRTH") || message.topic.contains("DEATH")
          ? [message] : [message, message]
      })
    let expected = try String(
      contentsOfFile: Self.folder + family.rawValue + ".txt", encoding: .utf8)
    #expect(try rig.dump() == expected)
  }
}
