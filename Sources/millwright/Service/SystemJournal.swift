import Glibc
import Logging
import Synchronization

/// Sends log entries with their fields to journald, in its native protocol: one datagram an entry.
///
/// It never waits: while journald has no room entries are left out, and the next one that arrives says how
/// many in `MILLWRIGHT_ENTRIES_LOST`.
final class SystemJournal: Sendable {
  static let path = "/run/systemd/journal/socket"
  /// Bytes of one entry; longer values are cut before.
  static let entryBytesMax = 64 << 10

  private let socket: DatagramSocket
  private let lost = Atomic<Int>(0)

  init?(path: String = SystemJournal.path) {
    guard let socket = DatagramSocket(address: path) else { return nil }
    self.socket = socket
  }

  /// The journal, when it is where standard error goes: systemd then says its device and inode.
  static func behindStandardError(environment: [String: String]) -> SystemJournal? {
    var status = stat()
    guard let stream = environment["JOURNAL_STREAM"], fstat(STDERR_FILENO, &status) == 0,
      stream == "\(status.st_dev):\(status.st_ino)"
    else { return nil }
    return SystemJournal()
  }

  /// - Returns: false when nobody takes entries, so that they must go elsewhere.
  func write(_ entry: JournalEntry) -> Bool {
    var entry = entry
    let missing = lost.exchange(0, ordering: .relaxed)
    if missing > 0 { entry.append("MILLWRIGHT_ENTRIES_LOST", "\(missing)") }
    var error = socket.send(entry.bytes(max: Self.entryBytesMax))
    if error == EMSGSIZE { error = socket.send(entry.bytes(max: Self.entryBytesMax / 16)) }
    switch error {
    case 0: return true
    case EAGAIN, ENOBUFS:
      lost.wrappingAdd(missing + 1, ordering: .relaxed)
      return true
    default:
      lost.wrappingAdd(missing, ordering: .relaxed)
      return false
    }
  }
}

/// One entry as journald reads it.
///
/// ```
/// KEY=value\n                              a value without a line break
/// KEY\n u64 length, little-endian value\n  any other
/// ```
struct JournalEntry {
  private var fields: [(name: String, value: [UInt8])] = []

  init(level: Logger.Level, label: String, message: String) {
    append("MESSAGE", message)
    append("PRIORITY", "\(Self.priority(of: level))")
    append("SYSLOG_IDENTIFIER", "millwright")
    append("MILLWRIGHT_LABEL", label)
  }

  /// As syslog(3) numbers them.
  private static func priority(of level: Logger.Level) -> Int {
    switch level {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }

  mutating func append(_ name: String, _ value: String) {
    fields.append((name, Array(value.utf8)))
  }

  /// `replayed_records` becomes `MILLWRIGHT_REPLAYED_RECORDS`; journald refuses names of other letters or
  /// more than 64 of them.
  mutating func appendMetadata(_ key: String, _ value: String) {
    let letters = key.uppercased().unicodeScalars.map { scalar in
      scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
        ? Character(scalar) : "_"
    }
    append(String(("MILLWRIGHT_" + String(letters)).prefix(64)), value)
  }

  /// - Parameter max: the most bytes; each value gets an equal share and is cut to it.
  func bytes(max: Int) -> [UInt8] {
    let share = Swift.max(64, max / Swift.max(1, fields.count) - 96)
    var bytes: [UInt8] = []
    for (name, value) in fields {
      let value = value.count > share ? Self.cut(value, to: share) : value[...]
      bytes.append(contentsOf: name.utf8)
      if value.contains(UInt8(ascii: "\n")) {
        bytes.append(UInt8(ascii: "\n"))
        withUnsafeBytes(of: UInt64(value.count).littleEndian) { bytes.append(contentsOf: $0) }
      } else {
        bytes.append(UInt8(ascii: "="))
      }
      bytes.append(contentsOf: value)
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  /// Never in the middle of a character: journald shows text that is not UTF-8 as a blob.
  private static func cut(_ value: [UInt8], to count: Int) -> ArraySlice<UInt8> {
    var end = count
    while end > 0, value[end] & 0xC0 == 0x80 { end -= 1 }
    return value[..<end]
  }
}
