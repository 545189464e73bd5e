import Foundation
import TestSupport
import Testing

@testable import Payloads

@Suite("Fuzzed announcements")
struct AnnouncementFuzzTests {
  @Test("Mutated announcements end in a book that holds together and can be restored")
  func survives() throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["MILLWRIGHT_FUZZ"].flatMap { Int($0) } ?? 4_000
    let seed = environment["MILLWRIGHT_SEED"].flatMap { UInt64($0) } ?? 20_261_121
    var generator = SeededGenerator(seed: seed)
    let corpus = try AnnouncementCase.all.flatMap { try $0.messages() }
    var book = AnnouncementBook()
    var memory: [String: [UInt8]] = [:]
    for round in 0..<count {
      let golden = try #require(corpus.randomElement(using: &generator))
      // Another's payload now and then, so that topics contradict each other.
      let other = try #require(corpus.randomElement(using: &generator))
      let isSwapped = Int.random(in: 0..<8, using: &generator) == 0
      let bytes = mutation(of: isSwapped ? other.payload : golden.payload, &generator)
      do {
        if let piece = try book.receive(golden.topic, bytes)?.memory {
          memory[piece.name] = piece.content.isEmpty ? nil : piece.content
        }
      } catch {
        #expect((error as? PayloadError)?.detail.isEmpty == false)
      }
      if let fault = book.firstFault {
        Issue.record("seed \(seed), round \(round): \(fault) after \(bytes) on \(golden.topic)")
        return
      }
    }
    var restored = AnnouncementBook()
    restored.restore(memory.map { ($0.key, $0.value) })
    #expect(restored.firstFault == nil)
    for topic in book.index.topics.keys {
      #expect(restored.announces(topic) == book.announces(topic))
    }
  }

  private func mutation(of golden: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    let words = ["bar", "°C", "%", "\"unit\"", "{", "}", "[", "]", "\"", ",", "null", "0", "\u{0}"]
    var bytes = golden
    for _ in 0..<Int.random(in: 0...4, using: &generator) {
      let place = Int.random(in: 0...bytes.count, using: &generator)
      switch Int.random(in: 0..<6, using: &generator) {
      case 0:
        bytes.insert(contentsOf: (words.randomElement(using: &generator) ?? "").utf8, at: place)
      case 1 where place < bytes.count: bytes.remove(at: place)
      case 2 where Int.random(in: 0..<8, using: &generator) == 0: bytes.removeSubrange(place...)
      case 3:
        let end = min(bytes.count, place + Int.random(in: 0...64, using: &generator))
        bytes.insert(contentsOf: bytes[place..<end], at: place)
      default:
        if place < bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &generator) }
      }
    }
    return bytes
  }
}

extension AnnouncementBook {
  /// What does not hold together; `nil` when all does.
  var firstFault: String? {
    var other = AnnouncementIndex()
    for (topic, announcement) in announcements {
      other.add(topic, announcement.family, announcement.devices)
    }
    if other.metricCount != index.metricCount { return "metrics miscounted" }
    if Set(other.topics.keys) != Set(index.topics.keys) { return "topics left over or lost" }
    if Set(other.metrics.keys) != Set(index.metrics.keys) { return "metrics left over or lost" }
    if Set(other.places.keys) != Set(index.places.keys) { return "places left over or lost" }
    if other.devices.mapValues({ $0.sorted() }) != index.devices.mapValues({ $0.sorted() }) {
      return "devices left over or lost"
    }
    for (key, claims) in index.metrics {
      for claim in claims {
        for other in claims where claim.metric.contradiction(of: other.metric) != nil {
          return "`\(key.metric)` of `\(key.device)` means two things"
        }
      }
    }
    return nil
  }
}
