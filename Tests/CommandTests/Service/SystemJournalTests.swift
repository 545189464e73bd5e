import Foundation
import Logging
import TestSupport
import Testing

@testable import millwright

@Suite struct SystemJournalTests {
  /// Reads an entry as journald does.
  private func fields(_ bytes: [UInt8]) throws -> [String: String] {
    var rest = bytes[...]
    var fields: [String: String] = [:]
    while !rest.isEmpty {
      let end = try #require(rest.firstIndex(of: UInt8(ascii: "\n")))
      let line = rest[..<end]
      if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
        fields[String(decoding: line[..<equals], as: UTF8.self)] = String(
          decoding: line[(equals + 1)...], as: UTF8.self)
        rest = rest[(end + 1)...]
      } else {
        let start = end + 9
        let count = rest[(end + 1)..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
        fields[String(decoding: line, as: UTF8.self)] = String(
          decoding: rest[start..<(start + count)], as: UTF8.self)
        #expect(rest[start + count] == UInt8(ascii: "\n"))
        rest = rest[(start + count + 1)...]
      }
    }
    return fields
  }

  @Test("A value without a line break is a line, one with line breaks is counted")
  func encoding() throws {
    var entry = JournalEntry(level: .warning, label: "gateway", message: "hello")
    entry.appendMetadata("reason", "one\nPRIORITY=0\n")
    #expect(
      entry.bytes(max: 65_536)
        == Array("MESSAGE=hello\nPRIORITY=4\nSYSLOG_IDENTIFIER=millwright\n".utf8)
        + Array("MILLWRIGHT_LABEL=gateway\nMILLWRIGHT_REASON\n".utf8)
        + [15, 0, 0, 0, 0, 0, 0, 0] + Array("one\nPRIORITY=0\n\n".utf8))
    let read = try fields(entry.bytes(max: 65_536))
    #expect(read["MILLWRIGHT_REASON"] == "one\nPRIORITY=0\n")
    #expect(read["PRIORITY"] == "4")
  }

  @Test(
    "Metadata keys become field names that journald takes",
    arguments: [
      ("topic", "MILLWRIGHT_TOPIC"), ("hb.id", "MILLWRIGHT_HB_ID"), ("größe", "MILLWRIGHT_GR_SSE"),
      (String(repeating: "k", count: 90), "MILLWRIGHT_" + String(repeating: "K", count: 53)),
    ])
  func names(key: String, name: String) throws {
    var entry = JournalEntry(level: .info, label: "x", message: "m")
    entry.appendMetadata(key, "v")
    #expect(try fields(entry.bytes(max: 65_536))[name] == "v")
  }

  @Test("Long values are cut between two characters, and the entry keeps its bound")
  func bound() throws {
    var entry = JournalEntry(
      level: .info, label: "x", message: String(repeating: "ü", count: 9_000))
    for number in 0..<20 {
      entry.appendMetadata("key\(number)", String(repeating: "ä", count: 9_000))
    }
    let bytes = entry.bytes(max: 16_384)
    #expect(bytes.count <= 16_384)
    let read = try fields(bytes)
    #expect(read.count == 24)
    #expect(read["MESSAGE"]?.allSatisfy { $0 == "ü" } == true)
  }

  @Test("An entry through the log handler arrives with message, level and fields")
  func handler() throws {
    let folder = try Folder()
    let receiver = try DatagramReceiver(path: folder.path + "/journal")
    var output = LogOutput(label: "", logLevel: .info, format: .text)
    output.journal = SystemJournal(path: receiver.path)
    output.logger(label: "gateway").error(
      "not stored", metadata: ["topic": "a/b", "error": "two\nlines"])
    let read = try fields(try #require(receiver.next()))
    #expect(read["MESSAGE"] == #"gateway: not stored error=two\nlines topic=a/b"#)
    #expect(read["PRIORITY"] == "3")
    #expect(read["MILLWRIGHT_TOPIC"] == "a/b")
    #expect(read["MILLWRIGHT_ERROR"] == "two\nlines")
    #expect(read["SYSLOG_IDENTIFIER"] == "millwright")
  }

  @Test("While journald has no room entries are left out, and the next one says how many")
  func lost() throws {
    let folder = try Folder()
    let receiver = try DatagramReceiver(path: folder.path + "/journal")
    let journal = try #require(SystemJournal(path: receiver.path))
    let entry = JournalEntry(level: .info, label: "x", message: "m")
    let sent = 10_000
    for _ in 0..<sent { #expect(journal.write(entry)) }
    var arrived = 0
    while receiver.next() != nil { arrived += 1 }
    #expect(arrived < sent)
    #expect(journal.write(entry))
    let read = try fields(try #require(receiver.next()))
    #expect(read["MILLWRIGHT_ENTRIES_LOST"] == "\(sent - arrived)")
  }

  @Test("Without journald the entry is refused, so that standard error gets it")
  func away() throws {
    let folder = try Folder()
    let journal = try #require(SystemJournal(path: folder.path + "/none"))
    #expect(!journal.write(JournalEntry(level: .info, label: "x", message: "m")))
  }

  @Test("Standard error that is no journal stream is left alone")
  func otherStream() {
    #expect(SystemJournal.behindStandardError(environment: [:]) == nil)
    #expect(SystemJournal.behindStandardError(environment: ["JOURNAL_STREAM": "1:1"]) == nil)
  }
}
