import Payloads
import Telemetry

/// Messages of devices that say beforehand what their metrics are.
extension Resolver {
  /// The series that says whether a device is there: `online` or `offline`.
  private static let availabilityMetric = "availability"

  /// Takes note of an announcement.
  ///
  /// - Returns: false when the message turns out to announce nothing.
  mutating func receiveAnnouncement(
    _ message: IncomingMessage, _ outcome: inout Outcome, _ batch: inout Batch
  ) -> Bool {
    let topic = String(decoding: message.topic, as: UTF8.self)
    do throws(PayloadError) {
      guard let reception = try announcements.receive(topic: topic, payload: message.payload) else {
        return false
      }
      if reception.isChanged { emptyCaches() }
      outcome.isIgnored = reception.isIgnored
      if let memory = reception.memory {
        batch.items.append(.remembered(name: memory.name, content: memory.content))
      }
      for refusal in reception.refusals { outcome.refuse(refusal) }
      if let first = reception.refusals.first {
        let more = reception.refusals.count - 1
        let place = first.place.isEmpty ? "" : "\(first.place): "
        quarantine(
          message, .partlyRefused, device: "",
          reason: place + first.detail + (more > 0 ? " (and \(more) more)" : ""), &outcome, &batch)
      }
    } catch {
      let wasTold = announcements.wasTold(error, topic: topic, payload: message.payload)
      if wasTold, message.isRetained {
        // The same bytes are in the quarantine since the broker sent them last.
        outcome.isIgnored = true
      } else {
        refuse(message, error, &outcome, &batch)
      }
    }
    return true
  }

  /// Reads a message whose topic was announced or is that of a known family, once for each device in it.
  mutating func resolveAnnounced(
    _ message: IncomingMessage, plan: Int, _ outcome: inout Outcome, _ batch: inout Batch
  ) {
    // The broker tells by it that a retained message was deleted.
    guard !message.payload.isEmpty else {
      outcome.isIgnored = true
      return
    }
    for part in [plan] + plans[plan].also {
      if let availability = plans[part].availability {
        take(availability, message, plan: part, &outcome, &batch)
      }
      if plans[part].carriesValues { resolveValues(message, plan: part, &outcome, &batch) }
    }
    if outcome.samples > 0 { outcome.isIgnored = false }
  }

  /// Stores whether a device is there, and ends the values of one that is gone.
  private mutating func take(
    _ availability: AnnouncedAvailability, _ message: IncomingMessage, plan: Int,
    _ outcome: inout Outcome, _ batch: inout Batch
  ) {
    let isOnline: Bool
    do throws(PayloadError) {
      isOnline = try availability.isOnline(message.payload)
    } catch {
      // Where the topic carries values as well, most of its messages say nothing of availability.
      if !plans[plan].carriesValues { refuse(message, error, &outcome, &batch) }
      return
    }
    let name = Array(Resolver.availabilityMetric.utf8)
    let word = Array((isOnline ? "online" : "offline").utf8)
    var readings = Readings()
    readings.scratch = name + word
    readings.fields = [
      Field(
        name: Slice(offset: 0, count: name.count, isScratch: true),
        value: .text(Slice(offset: name.count, count: word.count, isScratch: true)))
    ]
    readings.points = [Point(fieldsEnd: 1)]
    takePoints(readings, message, plan: plan, isScalar: false, &outcome, &batch)
    guard !isOnline else { return }
    for id in [plans[plan].device.id] + plans[plan].behind {
      guard let device = registry.deviceIndex(id) else { continue }
      outcome.wentStale += 1
      batch.items.append(.wentStale(Staleness(device: device, time: message.received)))
    }
  }
}
