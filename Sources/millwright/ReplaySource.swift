import Capture
import Foundation
import Storage
import Telemetry

/// The messages that a replay sends, oldest first.
enum ReplaySource {
  case capture(String)
  case journal(directory: String, catalog: Catalog)

  init(file: String?, journal: String?) throws {
    if let file {
      self = .capture(file)
    } else {
      let directory = journal ?? ""
      let store = try OfflineStore(directory: directory)
      self = .journal(directory: directory, catalog: try store.reader.catalog())
    }
  }

  /// Calls `body` until it answers false.
  ///
  /// - Throws: `CaptureError` where a capture is damaged, after everything before it was handed over.
  func forEach(_ body: (CapturedMessage) throws -> Bool) throws {
    switch self {
    case .capture(let file):
      var reader = try CaptureReader(path: file)
      while let message = reader.next() {
        guard try body(message) else { return }
      }
      if let damage = reader.damage { throw damage }
    case .journal(let directory, let catalog):
      let reader = try JournalReader(directory: directory + "/journal")
      var isWanted = true
      try reader.readAll(after: 0) { header, batch in
        for message in JournalMessages(header, batch, catalog).messages where isWanted {
          isWanted = try body(message)
        }
      }
    }
  }
}

/// The samples of a journal record as messages in the device format.
private struct JournalMessages {
  private(set) var messages: [CapturedMessage] = []
  private let catalog: Catalog

  /// Samples of one device and time that follow each other become one message.
  init(_ header: RecordHeader, _ batch: Batch, _ catalog: Catalog) {
    self.catalog = catalog
    var start = 0
    while start < batch.samples.count {
      let first = batch.samples[start]
      let device = self.device(of: first)
      var end = start + 1
      while end < batch.samples.count, batch.samples[end].time == first.time,
        self.device(of: batch.samples[end]) == device
      {
        end += 1
      }
      if let device { append(batch.samples[start..<end], of: device, received: header.wall) }
      start = end
    }
  }

  private func device(of sample: Sample) -> UInt32? {
    Int(sample.series) < catalog.series.count ? catalog.series[Int(sample.series)].device : nil
  }

  private mutating func append(
    _ samples: ArraySlice<Sample>, of device: UInt32, received: Timestamp
  ) {
    let id = catalog.devices[Int(device)].id
    let metrics = samples.map { sample in
      let definition = catalog.series[Int(sample.series)]
      return (definition.metric, JSONText.value(catalog.value(sample.bits, type: definition.type)))
    }
    let time = samples.first.map { JSONText.quoted($0.time.rfc3339) } ?? "null"
    let text = JSONText.object([
      ("device_id", JSONText.quoted(id)), ("timestamp", time),
      ("metrics", JSONText.object(metrics)),
    ])
    messages.append(
      CapturedMessage(
        time: received, topic: "replay/\(id)", payload: Array(text.utf8), qos: 1))
  }
}
