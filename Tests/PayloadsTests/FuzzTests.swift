import Foundation
import Payloads
import TestSupport
import Testing

@Suite("Fuzzed payloads")
struct FuzzTests {
  @Test(
    "Mutated and random bytes end in readings that hold together or in an error",
    arguments: PayloadFormat.allCases.filter { $0 != .sparkplug })
  func survives(_ format: PayloadFormat) throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["MILLWRIGHT_FUZZ"].flatMap { Int($0) } ?? 20_000
    let seed = environment["MILLWRIGHT_SEED"].flatMap { UInt64($0) } ?? 20_261_121
    var generator = SeededGenerator(seed: seed)
    let goldens = GoldenCase.all.filter { $0.format == format }
    let corpus = try goldens.map { (try $0.decoder(), try $0.input()) }
    var readings = Readings()
    for round in 0..<count {
      let (decoder, golden) = try #require(corpus.randomElement(using: &generator))
      let bytes = mutation(of: golden, &generator)
      let fault = bytes.withUnsafeBytes { payload -> String? in
        _ = PayloadFormat.sniff(payload)
        let hasThrown = (try? decoder.decode(payload, into: &readings)) == nil
        return firstFault(readings, payload, hasThrown: hasThrown)
      }
      if let fault {
        Issue.record("seed \(seed), round \(round), \(format): \(fault) in \(bytes)")
        return
      }
    }
  }

  private func mutation(of golden: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    if Int.random(in: 0..<10, using: &generator) == 0 {
      let count = Int.random(in: 0...64, using: &generator)
      return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
    // Syntax of the text formats, then heads of CBOR: arrays, maps, strings, tags, floats, a break.
    let syntax =
      Array("{}[]\",:\\ \n=#u09-.eEniNI\u{FF}".utf8)
      + [0x5F, 0x7F, 0x81, 0x9B, 0x9F, 0xA1, 0xBB, 0xBF, 0xC4, 0xC5, 0xF9, 0xFB, 0xFF]
    var bytes = golden
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let place = Int.random(in: 0...bytes.count, using: &generator)
      let byte = Bool.random(using: &generator) ? syntax.randomElement(using: &generator) : nil
      let new = byte ?? UInt8.random(in: 0...255, using: &generator)
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: bytes.insert(new, at: place)
      case 1 where place < bytes.count: bytes.remove(at: place)
      case 2: bytes.removeSubrange(place...)
      case 3:
        let end = min(bytes.count, place + Int.random(in: 0...16, using: &generator))
        bytes.insert(contentsOf: bytes[place..<end], at: place)
      default: if place < bytes.count { bytes[place] = new }
      }
    }
    return bytes
  }

  /// What does not hold together in `readings`; `nil` when all does.
  private func firstFault(
    _ readings: Readings, _ payload: UnsafeRawBufferPointer, hasThrown: Bool
  ) -> String? {
    if hasThrown { return readings.fields.isEmpty && readings.points.isEmpty ? nil : "left over" }
    if readings.refusals.contains(where: { $0.code.isEmpty || $0.detail.isEmpty }) {
      return "mute refusal"
    }
    var end = 0
    for point in readings.points {
      if point.fieldsEnd < end { return "points overlap" }
      end = point.fieldsEnd
    }
    if end != readings.fields.count { return "fields outside of points" }
    var slices = readings.points.flatMap { [$0.device, $0.deviceType].compactMap { $0 } }
    for field in readings.fields {
      slices.append(field.name)
      if let unit = field.unit { slices.append(unit) }
      if case .text(let text) = field.value { slices.append(text) }
      if case .number(let number) = field.value, !number.isFinite { return "not finite" }
    }
    return slices.contains { !isSound($0, readings, payload) } ? "unsound slice" : nil
  }

  private func isSound(
    _ slice: Payloads.Slice, _ readings: Readings, _ payload: UnsafeRawBufferPointer
  ) -> Bool {
    let size = slice.isScratch ? readings.scratch.count : payload.count
    guard slice.offset >= 0, slice.count >= 0, Int(slice.offset) + Int(slice.count) <= size else {
      return false
    }
    return readings.withBytes(of: slice, payload: payload) {
      String(validating: $0, as: UTF8.self) != nil
    }
  }
}
