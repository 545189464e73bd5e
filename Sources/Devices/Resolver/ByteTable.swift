import Telemetry

/// A bounded cache from (number, bytes) to a number, found without making a `String`.
///
/// Open addressing over XXH64 with the bytes verified, so that colliding names cannot be confused.
/// When it is full it forgets everything: what it holds can always be found again the slow way.
struct ByteTable: Sendable {
  private struct Entry: Sendable {
    var hash: UInt64
    var offset: Int32
    var count: Int32
    var salt: UInt32
    var value: Int32
  }

  /// Positions in `entries`, −1 where free; a power of two, at most half full.
  private var slots: [Int32] = []
  private var entries: [Entry] = []
  private var bytes: [UInt8] = []
  private let entriesMax: Int
  private let bytesMax: Int

  init(entriesMax: Int = 65_536, bytesMax: Int = 8 << 20) {
    self.entriesMax = entriesMax
    self.bytesMax = bytesMax
  }

  var count: Int { entries.count }

  /// Whether `insert` of this many bytes would first empty the table.
  func isFull(for key: UnsafeRawBufferPointer) -> Bool {
    entries.count >= entriesMax || bytes.count + key.count > bytesMax
  }

  func value(_ key: UnsafeRawBufferPointer, salt: UInt32 = 0) -> Int? {
    if entries.isEmpty { return nil }
    let hash = Hash64.hash(key, seed: UInt64(salt))
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let position = slots[slot]
      if position < 0 { return nil }
      let entry = entries[Int(position)]
      if entry.hash == hash, entry.salt == salt, Int(entry.count) == key.count,
        bytes.withUnsafeBytes({ areEqual($0, at: Int(entry.offset), key) })
      {
        return Int(entry.value)
      }
      slot = (slot + 1) & mask
    }
  }

  /// Adds a key that is not there; empties the table first when it is full.
  mutating func insert(_ key: UnsafeRawBufferPointer, salt: UInt32 = 0, value: Int) {
    if isFull(for: key) { removeAll() }
    if (entries.count + 1) * 2 > slots.count { grow() }
    let hash = Hash64.hash(key, seed: UInt64(salt))
    let entry = Entry(
      hash: hash, offset: Int32(bytes.count), count: Int32(key.count), salt: salt,
      value: Int32(value))
    bytes.append(contentsOf: key)
    place(hash, Int32(entries.count))
    entries.append(entry)
  }

  mutating func removeAll() {
    slots.removeAll()
    entries.removeAll()
    bytes.removeAll()
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: max(16, slots.count * 2))
    for (position, entry) in entries.enumerated() { place(entry.hash, Int32(position)) }
  }

  private mutating func place(_ hash: UInt64, _ position: Int32) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] >= 0 { slot = (slot + 1) & mask }
    slots[slot] = position
  }
}

/// Whether `key` stands in `bytes` at `offset`; the caller has compared the counts.
@inline(__always)
func areEqual(_ bytes: UnsafeRawBufferPointer, at offset: Int, _ key: UnsafeRawBufferPointer)
  -> Bool
{
  let count = key.count
  var position = 0
  while position + 8 <= count {
    let a = bytes.loadUnaligned(fromByteOffset: offset + position, as: UInt64.self)
    let b = key.loadUnaligned(fromByteOffset: position, as: UInt64.self)
    if a != b { return false }
    position += 8
  }
  while position < count {
    if bytes[offset + position] != key[position] { return false }
    position += 1
  }
  return true
}
