import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Storage

@Suite("Snapshots of the stages")
struct StageSnapshotTests {
  private let scratch: Scratch
  private let snapshots: StageSnapshots

  init() throws {
    scratch = try Scratch()
    snapshots = StageSnapshots(directory: scratch.path + "/state", synchronizes: false)
  }

  private func saved(_ content: [UInt8]) -> StateContent {
    var writer = ByteWriter()
    for byte in content { writer.byte(byte) }
    return StateContent(writer)
  }

  private func path(_ position: UInt64) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: snapshots.directory).sorted()
    let digits = String(position, radix: 16)
    return snapshots.directory + "/"
      + (try #require(names.first { $0.contains(digits + ".state") }))
  }

  @Test("What was written is read back, each under its record")
  func roundTrip() throws {
    var random = SeededGenerator(seed: 5)
    // Noise does not shrink: it leaves in several pieces.
    let content = (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    #expect(snapshots.positions().isEmpty)
    try snapshots.write(saved(content), position: 300)
    try snapshots.write(saved([]), position: 7)
    #expect(snapshots.positions() == [7, 300])
    #expect(snapshots.read(300) == content)
    #expect(snapshots.read(7) == [])
    #expect(snapshots.read(8) == nil)
    try snapshots.removeOlder(than: 300)
    #expect(snapshots.positions() == [300])
  }

  @Test("A snapshot with any byte changed or cut is no snapshot")
  func damage() throws {
    try snapshots.write(saved(Array("the state of the stages".utf8)), position: 5)
    let path = try path(5)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for place in whole.indices {
      var changed = whole
      changed[place] ^= 0x40
      try changed.write(to: URL(fileURLWithPath: path))
      #expect(snapshots.read(5) == nil, "byte \(place)")
      try whole.prefix(place).write(to: URL(fileURLWithPath: path))
      #expect(snapshots.read(5) == nil, "cut at \(place)")
    }
    try whole.write(to: URL(fileURLWithPath: path))
    #expect(snapshots.read(5) != nil)
  }

  @Test("A snapshot renamed to another record is refused: its checksum knows where it stands")
  func renamed() throws {
    try snapshots.write(saved([1, 2, 3]), position: 5)
    let other = snapshots.directory + "/0000000000000006.state"
    try FileManager.default.moveItem(atPath: try path(5), toPath: other)
    #expect(snapshots.positions() == [6])
    #expect(snapshots.read(6) == nil)
  }

  @Test("Half a write that a crash left is no snapshot and goes with the next")
  func halfWritten() throws {
    try snapshots.write(saved([1]), position: 5)
    let half = snapshots.directory + "/0000000000000004.state.new"
    try Data([1, 2]).write(to: URL(fileURLWithPath: half))
    #expect(snapshots.positions() == [5])
    try snapshots.removeOlder(than: 5)
    #expect(!FileManager.default.fileExists(atPath: half))
  }
}
