import Gateway
import Hummingbird
import NIOCore
import Storage
import Telemetry

/// Streams raw samples page by page: memory stays that of one page, however much is asked for.
///
/// In JSON each page is an element of `series`; a series longer than a page comes in several elements one
/// after the other, so that columns need not be held until their end.
struct SampleSource: Sendable {
  static let pageSamples = 32_768

  let queries: Queries
  let plan: QueryPlan
  let catalog: Catalog

  func writeJSON(to writer: inout any ResponseBodyWriter) async throws {
    try await writer.write(ByteBuffer(string: #"{"series":["#))
    var isFirst = true
    let cursor = try await pages { target, columns, buffer in
      buffer.writeString((isFirst ? "" : ",") + Self.head(target))
      Self.appendJSON(columns, target: target, plan: plan, catalog: catalog, to: &buffer)
    } wrote: { buffer in
      isFirst = false
      try await writer.write(buffer)
    }
    let next = JSONValue.optional(cursor).encoded
    try await writer.write(ByteBuffer(string: "],\"next_cursor\":\(next)}"))
  }

  func writeCSV(to writer: inout any ResponseBodyWriter) async throws {
    try await writer.write(ByteBuffer(string: "device,metric,time,value,unit,quality\r\n"))
    _ = try await pages { target, columns, buffer in
      Self.appendCSV(columns, target: target, plan: plan, catalog: catalog, to: &buffer)
    } wrote: { buffer in
      try await writer.write(buffer)
    }
  }

  /// Goes through the pages of all series; answers the cursor when the limit ended it.
  private func pages(
    form: (QueryPlan.Target, ChunkColumns, inout ByteBuffer) -> Void,
    wrote: (ByteBuffer) async throws -> Void
  ) async throws -> String? {
    var left = plan.samplesMax
    let through = plan.to.advanced(byMicroseconds: -1)
    for (position, target) in plan.targets.enumerated() {
      var from: Timestamp? = position == 0 ? plan.resumeAt : plan.from
      var part = 0
      while let start = from {
        guard left > 0 else { return QueryPlan.cursor(target, start) }
        let wanted = min(left, Self.pageSamples)
        let page = try await queries.fetch { reader in
          try reader.page(of: target.series.index, from: start, through: through, count: wanted)
        }
        var columns = page.columns
        from = page.next
        if columns.count > left {
          from = Timestamp(microseconds: columns.times[left])
          var cut = ChunkColumns()
          cut.append(0..<left, of: columns)
          columns = cut
        }
        left -= columns.count
        if !columns.isEmpty || part == 0 {
          var buffer = ByteBuffer()
          form(target, columns, &buffer)
          try await wrote(buffer)
        }
        part += 1
      }
    }
    return nil
  }

  static func head(_ target: QueryPlan.Target) -> String {
    let unit = JSONValue.optional(target.series.unit.nonEmpty).encoded
    return #"{"device":\#(JSONText.quoted(target.key.device)),"metric":"#
      + #"\#(JSONText.quoted(target.key.metric)),"unit":\#(unit),"#
      + #""type":"\#(target.series.type.name)","columns":{"#
  }

  static func appendJSON(
    _ columns: ChunkColumns, target: QueryPlan.Target, plan: QueryPlan, catalog: Catalog,
    to buffer: inout ByteBuffer
  ) {
    buffer.reserveCapacity(minimumWritableBytes: columns.count * 48 + 64)
    var text = TextColumns()
    buffer.writeString(#""time":["#)
    text.write(times: columns.times[...], form: plan.timeForm, to: &buffer)
    buffer.writeString(#"],"value":["#)
    switch target.series.type {
    case .number: text.write(numbers: columns.bits[...], to: &buffer)
    case .boolean: TextColumns.write(booleans: columns.bits[...], to: &buffer)
    case .text:
      TextColumns.write(columns.bits[...], to: &buffer) { bits in
        SeriesForm.json(catalog.value(bits, type: .text)).encoded
      }
    }
    buffer.writeString(#"],"quality":["#)
    TextColumns.write(qualities: columns.qualities[...], to: &buffer)
    buffer.writeString("]}}")
  }

  static func appendCSV(
    _ columns: ChunkColumns, target: QueryPlan.Target, plan: QueryPlan, catalog: Catalog,
    to buffer: inout ByteBuffer
  ) {
    let head = Array(
      "\(CSVText.field(target.key.device)),\(CSVText.field(target.key.metric)),".utf8)
    let unit = Array(",\(CSVText.field(target.series.unit)),".utf8)
    let type = target.series.type
    var text = TextColumns()
    for index in 0..<columns.count {
      let bits = columns.bits[index]
      let word = type == .text ? Array(CSVText.field(CSVText.value(bits, catalog)).utf8) : []
      let quality = Quality(rawValue: columns.qualities[index])
      let room = head.count + unit.count + word.count + 160
      buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { bytes in
        var cursor = TextCursor(bytes: bytes)
        cursor.append(head)
        text.append(columns.times[index], form: plan.timeForm, isQuoted: false, to: &cursor)
        cursor.append(byte: 0x2C)
        switch type {
        case .number: text.append(Double(bitPattern: bits), notFinite: "NaN", to: &cursor)
        case .boolean: cursor.append(bits == 0 ? "false" : "true")
        case .text: cursor.append(word)
        }
        cursor.append(unit)
        if quality == .good { cursor.append("good") }
        return cursor.count
      }
      if quality != .good { buffer.writeString(CSVText.field(quality.text)) }
      buffer.writeString("\r\n")
    }
  }
}

extension CSVText {
  static func value(_ bits: UInt64, _ catalog: Catalog) -> String {
    if case .text(let text) = catalog.value(bits, type: .text) { text } else { "" }
  }
}
