import Foundation
import GRDB
import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite("Webhooks", .serialized)
struct WebhookTests {
  private func rig(
    clock: SkippingClock = SkippingClock(), change: (inout GatewayConfiguration) -> Void = { _ in }
  ) throws -> GatewayRig {
    let rig = try GatewayRig(withBroker: false, clock: clock.source, change: change)
    try rig.start()
    try rig.gateway.startPublishing()
    return rig
  }

  @Test("The signature is the one that openssl makes")
  func signature() {
    #expect(
      WebhookSignature.sign(body: #"{"a":1}"#, timestamp: 1_700_000_000, secret: "top secret")
        == "v1=b818565009498d6980f18cd02e140c93528f621038a94cf111e7fee05f3a2bbf")
  }

  @Test("A server that fails, limits and then accepts gets everything in order, under the same ids")
  func retries() async throws {
    let clock = SkippingClock()
    let server = try HookServer([(503, ""), (429, "Retry-After: 60\r\n"), (200, "")])
    let secrets = try Scratch()
    try FileManager.default.createDirectory(
      atPath: secrets.path + "/credentials", withIntermediateDirectories: true)
    try Data("top secret\n".utf8).write(
      to: URL(fileURLWithPath: secrets.path + "/credentials/portal"))
    let rig = try rig(clock: clock) {
      $0.credentials = Credentials(environment: [:], base: secrets.path)
    }
    for name in ["a", "b", "c"] {
      try await rig.request(server.effect(name, more: #","credential":"portal""#))
    }
    #expect(await eventually { server.taken.count >= 1 })
    clock.skip(seconds: 2)
    #expect(await eventually { server.taken.count >= 2 })
    clock.skip(seconds: 30)
    // The server asked for a minute: a look of the thread later it has still been left alone.
    #expect(await eventually { rig.figures(server.lane).retried == 2 })
    #expect(server.taken.count == 2)
    clock.skip(seconds: 30)
    #expect(await eventually { server.taken.count >= 5 })
    #expect(server.taken.map(\.path) == ["/a", "/a", "/a", "/b", "/c"])
    #expect(Set(server.taken.prefix(3).map(\.id)).count == 1)
    #expect(Set(server.taken.map(\.id)).count == 3)
    for taken in server.taken {
      let timestamp = try #require(Int64(taken.headers["x-millwright-timestamp"] ?? ""))
      #expect(
        taken.headers["x-millwright-signature"]
          == WebhookSignature.sign(body: taken.body, timestamp: timestamp, secret: "top secret"))
    }
    #expect(server.taken.last?.body == #"{"n":"c"}"#)
    #expect(await eventually { rig.figures(server.lane).delivered == 3 })
    #expect(rig.figures(server.lane).waiting == 0)
    await rig.stop()
  }

  @Test("What a server refuses for good is booked once, and the next goes on")
  func refused() async throws {
    let server = try HookServer([(410, ""), (301, "Location: http://elsewhere.invalid/\r\n")])
    let rig = try rig()
    for name in ["gone", "moved", "here"] { try await rig.request(server.effect(name)) }
    #expect(await eventually { rig.figures(server.lane).delivered == 1 })
    #expect(server.taken.map(\.path) == ["/gone", "/moved", "/here"])
    #expect(rig.figures(server.lane).refused == 2)
    let booked = try await rig.undelivered()
    #expect(booked.count == 2)
    #expect(booked.first?.contains(server.taken[0].id + ": HTTP 410") == true)
    #expect(booked.last?.contains("HTTP 301: redirects are not followed") == true)
    await rig.stop()
    try rig.start()
    try rig.gateway.startPublishing()
    try await rig.request(server.effect("again"))
    #expect(await eventually { server.taken.count == 4 })
    #expect(try await rig.undelivered().count == 2)
    await rig.stop()
  }

  @Test("A host that is down holds up no other")
  func lanes() async throws {
    let down = try HookServer(Array(repeating: (500, ""), count: 100))
    let up = try HookServer()
    let rig = try rig()
    for name in ["a", "b", "c"] { try await rig.request(down.effect(name), up.effect(name)) }
    #expect(await eventually { up.taken.count == 3 })
    #expect(up.taken.map(\.path) == ["/a", "/b", "/c"])
    #expect(Set(down.taken.map(\.path)) == ["/a"])
    #expect(await eventually { rig.figures(down.lane).waiting == 3 })
    await rig.stop()
  }

  @Test("After a given age it is given up and booked")
  func givenUp() async throws {
    let clock = SkippingClock()
    let down = try HookServer(Array(repeating: (500, ""), count: 100))
    let rig = try rig(clock: clock) { $0.effects.ageSecondsMax = 3_600 }
    try await rig.request(down.effect("a"))
    try await rig.request(down.effect("b"))
    #expect(await eventually { down.taken.count >= 1 })
    #expect(await eventually { rig.figures(down.lane).waiting == 2 })
    clock.skip(seconds: 3_601)
    #expect(await eventually { rig.figures(down.lane).givenUp == 2 })
    #expect(
      try await rig.undelivered().first?.contains("waited too long; at last: HTTP 500") == true)
    await rig.stop()
  }

  @Test("A host outside the list is never spoken to")
  func hosts() async throws {
    let server = try HookServer()
    let rig = try rig { $0.effects.webhookHosts = ["hooks.example.com", "*.plant.example"] }
    try await rig.request(server.effect("a"))
    #expect(await eventually { rig.figures(server.lane).refused == 1 })
    #expect(server.taken.isEmpty)
    await rig.stop()
    var settings = EffectSettings()
    settings.webhookHosts = ["hooks.example.com", "*.plant.example", "nodered:1880"]
    #expect(settings.allows("hooks.example.com:8443") && settings.allows("a.plant.example"))
    #expect(settings.allows("nodered:1880") && !settings.allows("nodered:1881"))
    #expect(!settings.allows("plant.example") && !settings.allows("evilplant.example"))
  }

  @Test("After a power cut that took the cursor back only the tail comes again, under the same id")
  func repeated() async throws {
    let server = try HookServer()
    let rig = try rig()
    try await rig.request(server.effect("a"))
    try await rig.request(server.effect("b"))
    #expect(await eventually { rig.figures(server.lane).delivered == 2 })
    await rig.gateway.flush()
    #expect(
      await eventually {
        await rig.gateway.flush()
        return (try? rig.cursors()["effects"]).map { $0 > 0 } ?? false
      })
    let before = try rig.cursors()
    try await rig.request(server.effect("c"))
    #expect(await eventually { rig.figures(server.lane).delivered == 3 })
    await rig.stop()
    // A restart alone repeats nothing.
    try rig.start()
    try rig.gateway.startPublishing()
    try await rig.request(server.effect("d"))
    #expect(await eventually { server.taken.count >= 4 })
    #expect(server.taken.map(\.path) == ["/a", "/b", "/c", "/d"])
    await rig.stop()
    let queue = try DatabaseQueue(path: rig.scratch.path + "/data/store.sqlite")
    try await queue.write { db in
      try db.execute(sql: "DELETE FROM cursor WHERE name LIKE 'effects%'")
      for (name, position) in before {
        try db.execute(sql: "INSERT INTO cursor VALUES (?, ?)", arguments: [name, position])
      }
    }
    try queue.close()
    try rig.start()
    try rig.gateway.startPublishing()
    #expect(await eventually { server.taken.count >= 6 })
    #expect(server.taken.map(\.path) == ["/a", "/b", "/c", "/d", "/c", "/d"])
    #expect(server.taken[4].id == server.taken[2].id && server.taken[5].id == server.taken[3].id)
    await rig.stop()
  }

  @Test(
    "Answers mean what the table says",
    arguments: [
      (200, DeliveryOutcome.delivered()), (204, .delivered()),
      (408, .failed("HTTP 408")), (425, .failed("HTTP 425")),
      (500, .failed("HTTP 500")), (503, .failed("HTTP 503")),
      (400, .refused("HTTP 400")), (404, .refused("HTTP 404")), (410, .refused("HTTP 410")),
    ])
  func answers(status: Int, outcome: DeliveryOutcome) {
    #expect(
      WebhookAnswer.outcome(status: status, retryAfter: nil, now: .epoch) == outcome)
  }

  @Test("Retry-After is read as seconds and as a date")
  func retryAfter() throws {
    let now = try #require(Timestamp(rfc3339: "1994-11-06T08:48:37Z"))
    #expect(WebhookAnswer.seconds("120", now: now) == 120)
    #expect(WebhookAnswer.seconds("Sun, 06 Nov 1994 08:49:37 GMT", now: now) == 60)
    #expect(WebhookAnswer.seconds("Sun, 06 Nov 1994 08:00:00 GMT", now: now) == 0)
    #expect(WebhookAnswer.seconds("soon", now: now) == nil)
  }
}
