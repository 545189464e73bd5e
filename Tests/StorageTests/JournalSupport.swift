import Foundation
import Telemetry
import TestSupport

@testable import Storage

/// A directory of its own that goes when the test ends.
final class TemporaryDirectory {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "millwright-" + UUID().uuidString
    // A test that cannot have a directory fails at its first use of it.
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Batches of every shape a gateway makes, and some it should not.
struct BatchMaker {
  var random: SeededGenerator
  private var packetID: UInt16 = 0
  private var values: [UInt32: Double] = [:]
  private var time: Int64 = 1_700_000_000_000_000

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  mutating func next() -> Batch {
    var batch = Batch()
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      if Int.random(in: 0..<10, using: &random) == 0 { batch.items.append(item()) }
      time += Int64.random(in: -2_000_000...5_000_000, using: &random)
      for _ in 0..<Int.random(in: 0...5, using: &random) { batch.samples.append(sample()) }
      if Bool.random(using: &random) {
        packetID = packetID == .max ? 1 : packetID + 1
        if Int.random(in: 0..<8, using: &random) == 0 {
          packetID = .random(in: 1 ... .max, using: &random)
        }
        batch.endDelivery(packetID: packetID)
      } else {
        batch.endDelivery(packetID: 0)
      }
    }
    return batch
  }

  private mutating func sample() -> Sample {
    let series = UInt32.random(in: 0..<40, using: &random)
    var bits: UInt64
    switch Int.random(in: 0..<12, using: &random) {
    case 0: bits = random.next()
    case 1: bits = UInt64.random(in: 0...300, using: &random)
    case 2: bits = Double.nan.bitPattern
    case 3: bits = (-0.0).bitPattern
    case 4: bits = 0
    default:
      let value = (values[series] ?? 20) + Double(Int.random(in: -9...9, using: &random)) / 100
      values[series] = value
      bits = ((value * 100).rounded() / 100).bitPattern
    }
    var sample = Sample(series: series, time: Timestamp(microseconds: time), bits: bits)
    if Int.random(in: 0..<20, using: &random) == 0 {
      sample.time = Timestamp(microseconds: Int64(bitPattern: random.next()))
    }
    if Int.random(in: 0..<9, using: &random) == 0 {
      sample.quality = Quality(rawValue: UInt8.random(in: 0...255, using: &random))
    }
    sample.isReceiveStamped = Int.random(in: 0..<4, using: &random) == 0
    sample.isCurrentOnly = Int.random(in: 0..<30, using: &random) == 0
    return sample
  }

  private mutating func text(_ length: Int) -> String {
    String(
      (0..<length).map { _ in Character(UnicodeScalar(UInt8.random(in: 32...126, using: &random))) }
    )
  }

  private mutating func item() -> Item {
    switch Int.random(in: 0..<10, using: &random) {
    case 0:
      return .device(
        DeviceDefinition(
          index: UInt32.random(in: 0...90, using: &random), id: text(9), profile: text(3),
          asset: "a/b", isAdopted: Bool.random(using: &random)))
    case 1:
      return .series(
        SeriesDefinition(
          index: UInt32.random(in: 0...90, using: &random), device: 3, metric: "température",
          type: .text, kind: .event, unit: "Cel", description: text(20)))
    case 2: return .word(id: UInt32.random(in: 0...900, using: &random), text: text(30))
    case 3:
      return .event(
        Event(
          id: text(12), name: "PageView", time: Timestamp(microseconds: -5), timeIsReceived: true,
          user: Bool.random(using: &random) ? nil : "u", device: "d", session: nil,
          properties: "{\"a\":1}", context: "{}"))
    case 4:
      return .quarantined(
        Quarantined(
          cause: .unknownDevice, topic: "a/b", contentType: "x/y", device: "d", reason: text(40),
          received: Timestamp(microseconds: time), payload: Array(text(100).utf8), payloadSize: 999)
      )
    case 5: return .released(rows: [1, -1, Int64.max], adopted: true)
    case 6: return .configuration(files: [ConfigurationFile(name: "a.yaml", content: text(50))])
    case 7: return .connected(sessionPresent: Bool.random(using: &random))
    case 8:
      return .answered(
        Answered(
          key: text(40), fingerprint: random.next(), accepted: 3, duplicates: 1,
          rejected: [Rejection(index: 4, code: "c", detail: text(20), place: "/4")]))
    default: return .clockStepped(offsetMicroseconds: Int64(bitPattern: random.next()))
    }
  }
}

extension RecordHeader {
  static func test(_ number: Int) -> RecordHeader {
    RecordHeader(
      bootID: 7, monotonicMicroseconds: Int64(number) * 1_000,
      wall: Timestamp(microseconds: 1_700_000_000_000_000 + Int64(number) * 1_000),
      clockQuality: .synchronized)
  }
}
