/// A pattern of names: `*` stands for any run of characters but a slash, `**` for any, `?` for one.
///
/// `/*` at the end takes all that follows: the metrics of a device, also those with slashes in their names.
public struct Glob: Sendable {
  private enum Token: Equatable {
    case byte(UInt8)
    case one
    case run(crossesSlashes: Bool)
  }

  private var tokens: [Token] = []

  public init(_ pattern: String) {
    for byte in pattern.utf8 {
      switch byte {
      case UInt8(ascii: "*"):
        if case .run = tokens.last {
          tokens[tokens.count - 1] = .run(crossesSlashes: true)
        } else {
          tokens.append(.run(crossesSlashes: false))
        }
      case UInt8(ascii: "?"): tokens.append(.one)
      default: tokens.append(.byte(byte))
      }
    }
    if pattern.hasSuffix("/*") { tokens[tokens.count - 1] = .run(crossesSlashes: true) }
  }

  /// A pattern of series; without a slash it names a device with all its metrics.
  public init(series pattern: String) {
    self.init(pattern.contains("/") || pattern.contains("**") ? pattern : pattern + "/**")
  }

  /// Cost at most length × pattern, whatever the pattern.
  public func matches(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    var reachable = [Bool](repeating: false, count: bytes.count + 1)
    reachable[0] = true
    for token in tokens {
      var next = [Bool](repeating: false, count: bytes.count + 1)
      switch token {
      case .byte(let wanted):
        for index in bytes.indices where reachable[index] && bytes[index] == wanted {
          next[index + 1] = true
        }
      case .one:
        for index in bytes.indices where reachable[index] && bytes[index] != UInt8(ascii: "/") {
          next[index + 1] = true
        }
      case .run(let crossesSlashes):
        next = reachable
        for index in bytes.indices
        where next[index] && (crossesSlashes || bytes[index] != UInt8(ascii: "/")) {
          next[index + 1] = true
        }
      }
      reachable = next
    }
    return reachable[bytes.count]
  }
}
