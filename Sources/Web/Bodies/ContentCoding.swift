/// How bytes are packed on the wire.
enum ContentCoding: String, Sendable {
  case identity
  case gzip
  case zstd

  /// The coding a `Content-Encoding` names; `nil` for anything we cannot undo.
  init?(header: String?) {
    let name = header?.lowercased().filter { $0 != " " } ?? ""
    switch name {
    case "", "identity": self = .identity
    case "gzip", "x-gzip": self = .gzip
    case "zstd": self = .zstd
    default: return nil
    }
  }

  /// The best of ours that an `Accept-Encoding` allows; zstd before gzip where they weigh the same.
  static func preferred(accept header: String?) -> ContentCoding {
    guard let header else { return .identity }
    var best = (coding: ContentCoding.identity, weight: 0.0)
    for part in header.split(separator: ",") {
      let fields = part.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
      guard let name = fields.first else { continue }
      let weight = fields.dropFirst().first { $0.hasPrefix("q=") }.flatMap {
        Double($0.dropFirst(2))
      }
      guard let coding = ContentCoding(rawValue: name), coding != .identity else { continue }
      let value = weight ?? 1
      if value > best.weight || value == best.weight && value > 0 && coding == .zstd {
        best = (coding, value)
      }
    }
    return best.coding
  }
}
