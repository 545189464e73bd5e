import Foundation
import Payloads
import Storage
import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite struct PublishedEntityTests {
  private func discovery(gateway: String = "edge-7") -> HomeAssistantDiscovery {
    HomeAssistantDiscovery(
      gatewayID: gateway, root: "millwright/edge-7/", prefix: "homeassistant",
      entities: [.connectivity] + GatewayState.entities)
  }

  private func parsed(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("A discovery message names device, origin and each entity with a unique id of its own")
  func message() throws {
    let message = try parsed(discovery().payload)
    #expect((message["dev"] as? [String: Any])?["ids"] as? [String] == ["millwright_edge-7"])
    #expect((message["o"] as? [String: Any])?["name"] as? String == "Millwright")
    let components = try #require(message["cmps"] as? [String: [String: String]])
    let ids = components.values.compactMap { $0["uniq_id"] }
    #expect(ids.count == GatewayState.entities.count + 1)
    #expect(Set(ids).count == ids.count)
    #expect(
      components["disk_free"] == [
        "p": "sensor", "name": "Disk free", "uniq_id": "millwright_edge-7_disk_free",
        "stat_t": "millwright/edge-7/state", "val_tpl": "{{ value_json.disk_free }}",
        "unit_of_meas": "B", "dev_cla": "data_size", "stat_cla": "measurement",
        "ent_cat": "diagnostic", "avty_t": "millwright/edge-7/status",
        "avty_tpl": "{{ value_json.status }}",
      ])
    #expect(
      components["connectivity"] == [
        "p": "binary_sensor", "name": "Connectivity", "uniq_id": "millwright_edge-7_connectivity",
        "stat_t": "millwright/edge-7/status", "val_tpl": "{{ value_json.status }}",
        "pl_on": "online", "pl_off": "offline", "dev_cla": "connectivity",
        "ent_cat": "diagnostic",
      ])
  }

  @Test("A gateway's name becomes a topic level of allowed letters, different names different ones")
  func objects() {
    #expect(discovery().topic == "homeassistant/device/edge-7/config")
    #expect(discovery(gateway: "hall 2").object == "hall_202")
    #expect(discovery(gateway: "a/b").object == "a_2fb")
    #expect(discovery(gateway: "ß").object == "_c3_9f")
  }

  @Test("Our own reader of discovery understands what we announce, without a refusal")
  func readBack() throws {
    var book = AnnouncementBook()
    let reception = try Array(discovery().payload.utf8).withUnsafeBytes {
      try book.receive(topic: discovery().topic, payload: $0)
    }
    #expect(reception?.refusals.map(\.detail) == [])
    #expect(reception?.isChanged == true)
  }

  @Test("The state has a member for each entity on its topic, null where it is not known")
  func state() throws {
    var figures = IngestFigures()
    figures.devices = 12
    figures.store.storedSamples = 90
    figures.store.lateSamples = 10
    figures.flushProblem = "the disk does not answer"
    let text = GatewayState(
      figures, samplesPerMinute: 184.2499, rows: nil, diskFreeBytes: nil, lastCommitAgeSeconds: 0.44
    ).json
    let members = try parsed(text)
    #expect(Set(members.keys) == Set(GatewayState.entities.map(\.member)))
    #expect(members["devices"] as? Int == 12)
    #expect(members["samples"] as? Int == 100)
    #expect(text.contains(#""samples_per_minute":184.2,"#))
    #expect(text.contains(#""last_commit_age":0.4,"#))
    #expect(members["disk_free"] is NSNull && members["losses"] is NSNull)
    #expect(members["problem"] as? String == "ON")
  }

  @Test(
    "The state is published every half minute, on a change, when asked; never without a connection")
  func schedule() {
    var schedule = StateSchedule()
    let calm = GatewayState.Notable(devices: 1, hasProblem: false)
    let troubled = GatewayState.Notable(devices: 1, hasProblem: true)
    func look(
      _ seconds: Int64, _ notable: GatewayState.Notable, connected: Bool = true, asked: Bool = false
    ) -> Bool {
      schedule.look(
        now: seconds * 1_000_000, notable: notable, isConnected: connected, isAsked: asked)
    }
    #expect(!look(0, calm, connected: false, asked: true))
    #expect(look(1, calm))
    #expect(!look(30, calm))
    #expect(look(31, calm))
    #expect(look(36, troubled))
    #expect(!look(41, troubled))
    #expect(look(42, troubled, asked: true))
    #expect(!look(71, troubled))
    #expect(!look(80, calm, connected: false))
    #expect(look(81, calm))
  }

  @Test("Samples per minute are counted over twenty seconds and more; 50 in 30 s are 100")
  func rate() {
    var rate = SampleRate()
    #expect(rate.observe(total: 1_000, now: 0) == nil)
    #expect(rate.observe(total: 1_040, now: 5_000_000) == nil)
    #expect(rate.observe(total: 1_050, now: 30_000_000) == 100)
    #expect(rate.observe(total: 9_000, now: 31_000_000) == 100)
    #expect(rate.observe(total: 1_050, now: 60_000_000) == 0)
  }

  @Test("Topics of our own are those under the root and those named, to the letter")
  func ownTopics() {
    var own = OwnTopics(root: "millwright/a/", gatewayID: "a")
    own.add(["ha/device/a/config"])
    func contains(_ topic: String) -> Bool {
      Array(topic.utf8).withUnsafeBytes { own.contains($0) }
    }
    for topic in ["millwright/a/", "millwright/a/status", "ha/device/a/config"] {
      #expect(contains(topic))
    }
    for topic in ["", "m", "millwright/ab", "ha/device/a/config/x", "ha/device/b/config"] {
      #expect(!contains(topic))
    }
  }

  @Test("Announced topics outlive a restart until they are forgotten")
  func announcedTopics() throws {
    let scratch = try Scratch()
    var topics = AnnouncedTopics(directory: scratch.path)
    #expect(topics.topics.isEmpty)
    try topics.note("a")
    try topics.note("b")
    try topics.note("a")
    #expect(AnnouncedTopics(directory: scratch.path).topics == ["a", "b"])
    try topics.forget(["a"])
    #expect(AnnouncedTopics(directory: scratch.path).topics == ["b"])
    try topics.forget(["b"])
    try topics.forget(["b"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
  }
}
