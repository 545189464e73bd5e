import Telemetry

/// Tells a QoS 1 delivery that we committed but whose acknowledgement the broker never saw.
///
/// libmosquitto does not show the DUP flag, so what was delivered is remembered: packet id and fingerprint
/// of the last `capacity` deliveries. After a reconnect with the session present, a delivery that matches
/// one in both is a redelivery. An entry dies when it is matched, when its id comes with something else,
/// or once `receiveMaximum` deliveries in a row matched none: a broker repeats before it sends what is new.
/// Without a session the window empties.
///
/// More than `receiveMaximum` deliveries back an entry counts only while nothing contradicts that all that
/// followed is still in flight: an id that comes with something else, or a connection that begins with id 1,
/// tells of a broker that uses ids anew, where an equal value may be a new one. See decision 0018.
///
/// The fingerprint is a function of what the journal holds of a delivery, so a replay rebuilds the window
/// and nothing is written for it.
struct RedeliveryWindow: Equatable {
  struct Entry: Equatable {
    var packetID: UInt16
    var fingerprint: UInt64
  }

  private struct Candidate: Equatable {
    var fingerprint: UInt64
    var isFar: Bool
  }

  let capacity: Int
  let receiveMaximum: Int
  /// The newest deliveries; `next` is where the following one goes once the ring is full.
  private(set) var recent: [Entry] = []
  private var next = 0
  /// What may still come again on this connection.
  private var candidates: [UInt16: Candidate] = [:]
  private var trustsFar = false
  private var isFirst = true
  /// How many more deliveries in a row may match none before the candidates are given up.
  private var strangersLeft = 0
  /// How many more deliveries there may be before packet ids come round.
  private var idsLeft = 0

  /// A window for a broker that was told to have at most `receiveMaximum` deliveries in flight.
  ///
  /// It remembers twenty times as many, up to 20,000: mosquitto takes a full share more with each connection that
  /// dies before an acknowledgement got through.
  init(receiveMaximum: UInt16) {
    self.receiveMaximum = max(1, Int(receiveMaximum))
    capacity = max(self.receiveMaximum, min(20 * self.receiveMaximum, 20_000))
  }

  /// Whether deliveries need to be asked about at all.
  var isActive: Bool { !candidates.isEmpty }

  /// Remembers a committed delivery.
  mutating func observe(packetID: UInt16, fingerprint: UInt64) {
    let entry = Entry(packetID: packetID, fingerprint: fingerprint)
    if recent.count < capacity {
      recent.append(entry)
    } else {
      recent[next] = entry
      next = (next + 1) % capacity
    }
  }

  mutating func connected(sessionPresent: Bool) {
    candidates.removeAll()
    guard sessionPresent else {
      recent.removeAll()
      next = 0
      return
    }
    // Older entries first, so that the newest use of a packet id stands.
    let entries = ordered
    for (place, entry) in entries.enumerated() {
      candidates[entry.packetID] = Candidate(
        fingerprint: entry.fingerprint, isFar: entries.count - place > receiveMaximum)
    }
    (trustsFar, isFirst) = (true, true)
    strangersLeft = receiveMaximum
    idsLeft = max(receiveMaximum, Int(UInt16.max) - capacity)
  }

  /// Whether this delivery was committed before; asked once for each delivery, in order.
  mutating func isRedelivery(packetID: UInt16, fingerprint: UInt64) -> Bool {
    passed(packetID: packetID)
    guard !candidates.isEmpty else { return false }
    let known = candidates.removeValue(forKey: packetID)
    if let known, known.fingerprint == fingerprint, !known.isFar || trustsFar {
      strangersLeft = receiveMaximum
      return true
    }
    if known != nil { trustsFar = false }
    strangersLeft -= 1
    if strangersLeft <= 0 { candidates.removeAll() }
    return false
  }

  /// A QoS 1 delivery that is not asked about, such as one of our own, has used a packet id.
  mutating func passed(packetID: UInt16) {
    guard isActive else { return }
    if isFirst, packetID == 1 { trustsFar = false }
    isFirst = false
    idsLeft -= 1
    if idsLeft < 0 { candidates.removeAll() }
  }

  /// Entries, oldest first.
  var ordered: [Entry] { Array(recent[next...] + recent[..<next]) }

  // MARK: - Saved state

  /// u16 packet id, u64 fingerprint per entry, oldest first, little endian.
  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(recent.count * 10)
    for entry in ordered {
      withUnsafeBytes(of: entry.packetID.littleEndian) { bytes.append(contentsOf: $0) }
      withUnsafeBytes(of: entry.fingerprint.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  mutating func restore(_ bytes: [UInt8]) {
    recent.removeAll()
    next = 0
    bytes.withUnsafeBytes { buffer in
      for start in stride(from: 0, to: buffer.count / 10 * 10, by: 10) {
        observe(
          packetID: UInt16(
            littleEndian: buffer.loadUnaligned(fromByteOffset: start, as: UInt16.self)),
          fingerprint: UInt64(
            littleEndian: buffer.loadUnaligned(fromByteOffset: start + 2, as: UInt64.self)))
      }
    }
  }
}

extension Batch {
  /// What a delivery said, as one number: the same before the commit, after it and in a replay.
  ///
  /// Times that we stamped, and definitions that only the first of two equal messages causes, are left out.
  func fingerprint(samples: Range<Int>, items: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0x4D57
    for item in self.items[items] {
      switch item {
      case .quarantined(let refused):
        hash = Hash64.mix(hash, Hash64.hash(refused.topic))
        hash = Hash64.mix(hash, Hash64.hash(refused.payload))
      case .event(let event):
        hash = Hash64.mix(hash, Hash64.hash(event.id))
      case .delivered(let fingerprint): return fingerprint
      default:
        break
      }
    }
    for sample in self.samples[samples] {
      hash = Hash64.mix(hash, UInt64(sample.series))
      hash = Hash64.mix(hash, sample.bits)
      if !sample.isReceiveStamped && !sample.isCurrentOnly {
        hash = Hash64.mix(hash, UInt64(bitPattern: sample.time.microseconds))
      }
    }
    return hash
  }
}
