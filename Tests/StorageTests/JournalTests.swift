import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Storage

/// What a journal gives back, record by record.
private struct Recovered {
  var batches: [Batch] = []
  var sequences: [UInt64] = []
  var damages: [JournalDamage] = []

  init(_ directory: String, after sequence: UInt64 = 0) throws {
    let reader = try JournalReader(directory: directory)
    var batches: [Batch] = []
    var sequences: [UInt64] = []
    try reader.readAll(after: sequence) { header, batch in
      batches.append(batch)
      sequences.append(header.sequence)
    }
    self.batches = batches
    self.sequences = sequences
    damages = reader.damages
  }
}

/// Compared out of sight of the test's report, which would print both in full.
private func same(_ a: [Batch], _ b: [Batch]) -> Bool { a == b }

private func smallSegments() -> JournalSettings {
  var settings = JournalSettings()
  settings.segmentBytes = 64 << 10
  settings.resetBytes = 8 << 10
  settings.synchronizes = false
  return settings
}

/// Writes `count` batches and returns them.
private func write(
  _ count: Int, seed: UInt64, to directory: String, settings: JournalSettings = smallSegments()
) throws -> [Batch] {
  let journal = try Journal(directory: directory, settings: settings, lastSequence: 0)
  var maker = BatchMaker(seed: seed)
  var written: [Batch] = []
  for number in 0..<count {
    let batch = maker.next()
    _ = try journal.append(batch, header: .test(number))
    written.append(batch)
  }
  return written
}

private func segmentPaths(_ directory: String) throws -> [String] {
  try Directory.names(in: directory).filter { SegmentName.id($0) != nil }.map {
    directory + "/" + $0
  }
}

private func change(_ path: String, _ body: (inout [UInt8]) -> Void) throws {
  var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  body(&bytes)
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}

/// Offsets of the records of a segment.
private func recordOffsets(_ path: String) throws -> [Int] {
  let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  return try bytes.withUnsafeBytes { buffer in
    let header = try #require(SegmentHeader(buffer))
    var offsets: [Int] = []
    var offset = SegmentHeader.byteCount
    while offset < buffer.count {
      if let frame = RecordHeader.frame(in: buffer, at: offset, segmentID: header.id) {
        offsets.append(offset)
        offset = frame.end
      } else {
        offset += 8
      }
    }
    return offsets
  }
}

@Suite struct JournalTests {
  @Test(
    "Every batch comes back exactly, over many segments and resets", arguments: [1, 2, 3, 4, 5])
  func roundTrip(seed: UInt64) throws {
    let directory = TemporaryDirectory()
    let written = try write(600, seed: seed, to: directory.path)
    let read = try Recovered(directory.path)
    #expect(same(read.batches, written), "seed \(seed)")
    #expect(read.sequences == Array(1...600))
    #expect(read.damages.isEmpty)
    #expect(try segmentPaths(directory.path).count > 2)
  }

  @Test("Reading after a position gives the rest and nothing else")
  func readsFromPosition() throws {
    let directory = TemporaryDirectory()
    let written = try write(300, seed: 9, to: directory.path)
    for position in [0, 1, 17, 150, 299, 300] {
      let read = try Recovered(directory.path, after: UInt64(position))
      #expect(same(read.batches, Array(written[position...])))
    }
  }

  @Test("A record cut anywhere at the tail is left out and all before it is kept")
  func tornTail() throws {
    let directory = TemporaryDirectory()
    var settings = smallSegments()
    settings.segmentBytes = 1 << 20
    let written = try write(40, seed: 3, to: directory.path, settings: settings)
    let path = try #require(try segmentPaths(directory.path).last)
    let last = try #require(try recordOffsets(path).last)
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    for cut in stride(from: last + 1, to: last + 60, by: 7) {
      try change(path) { bytes in
        bytes = whole
        for index in cut..<bytes.count { bytes[index] = 0 }
      }
      let read = try Recovered(directory.path)
      if read.batches.count == 40 { continue }  // Only padding was cut.
      #expect(same(read.batches, Array(written.dropLast())))
      #expect(read.damages.allSatisfy { $0.kind == .tornTail && $0.lost == nil })
    }
  }

  @Test("After a restart the journal goes on in a new segment behind a torn tail")
  func goesOnBehindTornTail() throws {
    let directory = TemporaryDirectory()
    let written = try write(20, seed: 4, to: directory.path)
    let path = try #require(try segmentPaths(directory.path).last)
    let last = try #require(try recordOffsets(path).last)
    try change(path) { $0[last + 70] ^= 0x40 }
    let kept = try Recovered(directory.path)
    #expect(same(kept.batches, Array(written.dropLast())))
    let journal = try Journal(
      directory: directory.path, settings: smallSegments(), lastSequence: kept.sequences.last ?? 0)
    var maker = BatchMaker(seed: 44)
    let next = maker.next()
    #expect(try journal.append(next, header: .test(20)) == 20)
    let read = try Recovered(directory.path)
    #expect(same(read.batches, written.dropLast() + [next]))
    #expect(read.damages.filter { $0.lost != nil }.isEmpty)
  }

  @Test(
    "A corrupt record in the middle costs at most the records up to the next reset, all of them booked"
  )
  func corruptMiddle() throws {
    let directory = TemporaryDirectory()
    let written = try write(400, seed: 5, to: directory.path)
    let path = try segmentPaths(directory.path)[1]
    let offsets = try recordOffsets(path)
    try change(path) { $0[offsets[offsets.count / 3] + 100] ^= 0x01 }
    let read = try Recovered(directory.path)
    let lost = try #require(read.damages.compactMap(\.lost).first)
    let all = read.damages.compactMap(\.lost)
    var missing = Set(1...400).subtracting(read.sequences.map(Int.init))
    #expect(!missing.isEmpty && missing.contains(Int(lost.lowerBound)))
    for range in all { missing.subtract(range.map(Int.init)) }
    #expect(missing.isEmpty, "every record that is not read is in a damage report")
    for (sequence, batch) in zip(read.sequences, read.batches) {
      #expect(same([batch], [written[Int(sequence) - 1]]))
    }
    #expect(read.sequences.last == 400)
  }

  @Test("Any single flipped byte gives either the right batches or a report, never wrong ones")
  func flippedBytes() throws {
    let directory = TemporaryDirectory()
    let written = try write(30, seed: 6, to: directory.path)
    let path = try segmentPaths(directory.path)[0]
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let end = (try recordOffsets(path).last ?? 0) + 200
    var random = SeededGenerator(seed: 60)
    for _ in 0..<150 {
      let place = Int.random(in: 0..<min(end, whole.count), using: &random)
      try change(path) { bytes in
        bytes = whole
        bytes[place] ^= UInt8.random(in: 1...255, using: &random)
      }
      let read = try Recovered(directory.path)
      for (sequence, batch) in zip(read.sequences, read.batches) {
        #expect(same([batch], [written[Int(sequence) - 1]]), "byte \(place)")
      }
      if read.batches.count < 30 { #expect(!read.damages.isEmpty, "byte \(place)") }
    }
  }

  @Test("A damaged segment head loses that segment only, and its records are booked")
  func corruptSegmentHead() throws {
    let directory = TemporaryDirectory()
    _ = try write(1_500, seed: 7, to: directory.path)
    let paths = try segmentPaths(directory.path)
    try #require(paths.count > 3)
    try change(paths[1]) { $0[9] ^= 0xFF }
    let read = try Recovered(directory.path)
    #expect(read.sequences.first == 1 && read.sequences.last == 1_500)
    #expect(read.damages.contains { $0.kind == .corruptSegment })
    let lost = Set(read.damages.compactMap(\.lost).flatMap { $0.map { $0 } })
    #expect(lost.union(read.sequences) == Set(1...1_500))
    #expect(lost.isDisjoint(with: read.sequences))
  }

  @Test("Released segments are reused and their old records never come back")
  func recyclesSegments() throws {
    let directory = TemporaryDirectory()
    let journal = try Journal(
      directory: directory.path, settings: smallSegments(), lastSequence: 0)
    var maker = BatchMaker(seed: 8)
    var written: [Batch] = []
    for number in 0..<1_500 {
      let batch = maker.next()
      let sequence = try journal.append(batch, header: .test(number))
      written.append(batch)
      if number % 100 == 99 { try journal.release(through: sequence - 50) }
    }
    let names = try Directory.names(in: directory.path)
    #expect(names.filter(SegmentName.isSpare).count <= 2)
    let first = try #require(journal.segments.first?.firstSequence)
    let read = try Recovered(directory.path, after: first - 1)
    #expect(same(read.batches, Array(written[Int(first - 1)...])))
    #expect(read.damages.isEmpty)
    #expect(first > 1_200, "released through 1,450, and a segment holds about 150 records")
  }

  @Test("A clean close leaves nothing to replay and no files")
  func cleanClose() throws {
    let directory = TemporaryDirectory()
    let journal = try Journal(
      directory: directory.path, settings: smallSegments(), lastSequence: 0)
    var maker = BatchMaker(seed: 10)
    for number in 0..<50 { _ = try journal.append(maker.next(), header: .test(number)) }
    try journal.close(keepingNothing: true)
    #expect(try Directory.names(in: directory.path).isEmpty)
  }

  @Test("A batch larger than a segment is written and read back")
  func oversizedBatch() throws {
    let directory = TemporaryDirectory()
    let journal = try Journal(
      directory: directory.path, settings: smallSegments(), lastSequence: 0)
    var batch = Batch()
    var random = SeededGenerator(seed: 11)
    for index in 0..<40_000 {
      batch.samples.append(
        Sample(
          series: UInt32(index % 300), time: Timestamp(microseconds: Int64(index)),
          bits: random.next()))
    }
    batch.endDelivery(packetID: 1)
    _ = try journal.append(batch, header: .test(0))
    _ = try journal.append(Batch(), header: .test(1))
    let read = try Recovered(directory.path)
    #expect(same(Array(read.batches.prefix(1)), [batch]))
    #expect(read.sequences == [1, 2])
  }

  @Test("Steady telemetry costs less than 1.6 bytes a sample, whole pages counted")
  func recordsAreSmall() throws {
    let directory = TemporaryDirectory()
    var settings = JournalSettings()
    settings.synchronizes = false
    let journal = try Journal(directory: directory.path, settings: settings, lastSequence: 0)
    var random = SeededGenerator(seed: 12)
    var values = [Int](repeating: 2_000, count: 3_000)
    var total = 0
    for round in 0..<40 {
      var batch = Batch()
      for device in 0..<1_000 {
        let time = Timestamp(microseconds: Int64(round) * 1_000_000 + Int64(device))
        for metric in 0..<3 {
          let series = device * 3 + metric
          values[series] += Int.random(in: -5...5, using: &random)
          batch.samples.append(
            Sample(
              series: UInt32(series), time: time, bits: (Double(values[series]) / 100).bitPattern))
        }
        batch.endDelivery(packetID: UInt16((round * 1_000 + device) % 65_535 + 1))
      }
      total += batch.samples.count
      _ = try journal.append(batch, header: .test(round))
    }
    let bytesPerSample = Double(journal.writtenBytes) / Double(total)
    #expect(bytesPerSample < 1.6, "\(bytesPerSample)")
  }
}
