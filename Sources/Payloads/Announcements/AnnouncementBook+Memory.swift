/// What the book must know again after a restart, one piece for each announcement topic.
///
/// ```
/// name               content
/// announced/<topic>  1, the ordinal, the units that were kept (how many; device, metric, unit of each),
///                    how many bytes the payload has, the payload as it came
/// ```
/// Numbers are varints, texts a varint of their length and UTF-8. The ordinal is there because which of two
/// contradicting announcements is refused depends on their order; the kept units because the payload alone
/// would bring back the units that were refused.
extension AnnouncementBook {
  static let memoryPrefix = "announced/"

  static func content(_ announcement: Announcement, _ payload: UnsafeRawBufferPointer) -> [UInt8] {
    var writer = MemoryWriter()
    writer.varint(announcement.ordinal)
    writer.varint(UInt64(announcement.kept.count))
    for kept in announcement.kept {
      writer.text(kept.device)
      writer.text(kept.metric)
      writer.text(kept.unit)
    }
    writer.varint(UInt64(payload.count))
    writer.bytes.append(contentsOf: payload)
    return writer.bytes
  }

  /// Takes back what was remembered; other names than its own are passed over.
  ///
  /// - Parameter pieces: in any order; pieces that cannot be read are left out, the next announcement
  ///   repairs them.
  public mutating func restore(_ pieces: [(name: String, content: [UInt8])]) {
    let own = pieces.compactMap { piece in
      piece.name.hasPrefix(Self.memoryPrefix) ? Remembered(piece.name, piece.content) : nil
    }
    for piece in own.sorted(by: { ($0.ordinal, $0.topic) < ($1.ordinal, $1.topic) }) {
      guard let family = AnnouncementBook.family(announcing: piece.topic) else { continue }
      piece.payload.withUnsafeBytes { payload in
        // It was read before; what a newer version no longer reads is told when it is heard again.
        _ = try? take(
          piece.topic, family, payload, kept: piece.kept, ordinal: piece.ordinal)
      }
    }
  }

  private struct Remembered {
    var topic: String
    var ordinal: UInt64
    var kept: [KeptUnit] = []
    var payload: [UInt8]

    init?(_ name: String, _ content: [UInt8]) {
      var reader = MemoryReader(content)
      guard let ordinal = reader.varint(), ordinal < UInt64(Int64.max),
        let count = reader.varint(), count <= UInt64(AnnouncementBook.metricsMax)
      else { return nil }
      topic = String(name.dropFirst(AnnouncementBook.memoryPrefix.count))
      self.ordinal = ordinal
      for _ in 0..<count {
        guard let device = reader.text(), let metric = reader.text(), let unit = reader.text()
        else { return nil }
        kept.append(KeptUnit(device: device, metric: metric, unit: unit))
      }
      guard let size = reader.varint(), let bytes = reader.take(size), !bytes.isEmpty else {
        return nil
      }
      payload = bytes
    }
  }
}
