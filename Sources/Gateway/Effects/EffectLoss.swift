import Storage

/// What is booked of deliveries that are given up: one entry for each lane and reason.
enum EffectLoss {
  static func entries(_ losses: [DroppedDelivery]) -> [LossEntry] {
    var entries: [(key: String, entry: LossEntry)] = []
    for loss in losses {
      let lane = loss.delivery.effect.map { EffectLane(of: $0) } ?? .unreadable
      let reason: String
      switch loss.reason {
      case .refused(let text): reason = text
      case .givenUp(let text): reason = "waited too long; at last: \(text)"
      case .expired, .superseded: continue
      }
      let key = "\(lane.name): \(reason)"
      let bytes = loss.delivery.effect?.byteCount ?? 0
      if let place = entries.firstIndex(where: { $0.key == key }) {
        entries[place].entry.count += 1
        entries[place].entry.bytes += bytes
      } else {
        let entry = LossEntry(
          cause: .undelivered, count: 1, bytes: bytes,
          detail: "\(lane.name), from \(loss.delivery.id): \(reason)")
        entries.append((key, entry))
      }
    }
    return entries.map(\.entry)
  }
}
