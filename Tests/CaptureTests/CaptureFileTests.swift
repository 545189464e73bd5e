import Capture
import Foundation
import Telemetry
import TestSupport
import Testing

@Suite("Capture files")
struct CaptureFileTests {
  private func messages(_ count: Int, seed: UInt64) -> [CapturedMessage] {
    var random = SeededGenerator(seed: seed)
    var time = Timestamp(microseconds: 1_760_000_000_000_000)
    return (0..<count).map { index in
      time = time.advanced(byMicroseconds: Int64.random(in: -2_000...90_000, using: &random))
      return CapturedMessage(
        time: time, topic: "plant/line\(index % 7)/ö",
        payload: (0..<Int.random(in: 0...900, using: &random)).map { _ in
          UInt8.random(in: 0...255, using: &random)
        },
        qos: UInt8(index % 2), isRetained: index % 5 == 0,
        contentType: index % 3 == 0 ? "application/json" : "")
    }
  }

  private func write(_ messages: [CapturedMessage], to path: String, flushEvery: Int) throws {
    let writer = try CaptureWriter(path: path)
    for (index, message) in messages.enumerated() {
      try writer.append(message)
      if index % flushEvery == flushEvery - 1 { try writer.flush() }
    }
    try writer.close()
  }

  @Test("What was recorded is read back, message for message", arguments: [1, 7, 100_000])
  func roundTrip(flushEvery: Int) throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a.mwcap"
    let sent = messages(1_500, seed: UInt64(flushEvery))
    try write(sent, to: path, flushEvery: flushEvery)
    var reader = try CaptureReader(path: path)
    #expect(Array(IteratorSequence(reader)) == sent)
    while reader.next() != nil {}
    #expect(reader.damage == nil)
  }

  @Test("A capture that was cut off reads up to its last whole block and says so")
  func cut() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a.mwcap"
    let sent = messages(60, seed: 3)
    try write(sent, to: path, flushEvery: 10)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for end in stride(from: 8, to: whole.count, by: 97) {
      let part = scratch.path + "/part"
      try whole[..<end].write(to: URL(fileURLWithPath: part))
      var reader = try CaptureReader(path: part)
      var read: [CapturedMessage] = []
      while let message = reader.next() { read.append(message) }
      #expect(read.count % 10 == 0)
      #expect(read == Array(sent[..<read.count]))
    }
  }

  @Test("Damaged bytes never come out as messages")
  func damage() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a.mwcap"
    let sent = messages(40, seed: 4)
    try write(sent, to: path, flushEvery: 10)
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var random = SeededGenerator(seed: 9)
    for _ in 0..<300 {
      var bytes = whole
      bytes[Int.random(in: 8..<bytes.count, using: &random)] ^= UInt8.random(
        in: 1...255, using: &random)
      let part = scratch.path + "/part"
      try Data(bytes).write(to: URL(fileURLWithPath: part))
      var reader = try CaptureReader(path: part)
      var read: [CapturedMessage] = []
      while let message = reader.next() { read.append(message) }
      #expect(reader.damage != nil)
      #expect(read == Array(sent[..<read.count]))
    }
  }

  @Test("Another file is told from a capture, and a capture is never written over")
  func refuses() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a.mwcap"
    try Data("hello".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: CaptureError.self) { _ = try CaptureReader(path: path) }
    #expect(throws: CaptureError.self) { _ = try CaptureWriter(path: path) }
    #expect(throws: CaptureError.self) { _ = try CaptureReader(path: scratch.path + "/none") }
  }
}
