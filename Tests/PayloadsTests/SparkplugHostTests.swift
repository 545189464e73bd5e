import Telemetry
import Testing

@testable import Payloads

@Suite("Sparkplug B: sessions, order and rebirth")
struct SparkplugHostTests {
  @Test("A topic is namespace, group, kind, node and, for D messages alone, a device")
  func topics() {
    #expect(SparkplugTopic("spBv1.0/g/NBIRTH/n")?.kind == .nodeBirth)
    #expect(SparkplugTopic("spBv1.0/g/DDATA/n/d")?.deviceID == "g.n.d")
    #expect(SparkplugTopic("site4/spBv1.0/g/DDATA/n/d")?.deviceID == "site4.g.n.d")
    #expect(SparkplugTopic("spBv1.0/STATE/scada")?.kind == .hostState)
    #expect(SparkplugTopic("spBv1.0/g/DDEATH/n/d")?.commandTopic == "spBv1.0/g/NCMD/n")
    for wrong in [
      "spBv1.0/g/NBIRTH", "spBv1.0/g/NBIRTH/n/d", "spBv1.0/g/DDATA/n", "spBv1.0/g/XDATA/n",
      "spAv1.0/g/NDATA/n", "spBv1.0//NDATA/n", "spBv1.0/g/STATE/n",
    ] {
      #expect(SparkplugTopic(wrong) == nil, "\(wrong)")
    }
  }

  @Test("After birth an alias alone names the metric, its data type and its unit")
  func aliases() {
    var edge = EdgeNode()
    var birth = EdgeNode.metric("speed", alias: 9, datatype: 3, .intValue(5))
    birth.properties.keys = ["engUnit"]
    birth.properties.values = [
      .with {
        $0.type = 12
        $0.stringValue = "mm/s"
      }
    ]
    #expect(edge.send("NBIRTH", seq: 0, [EdgeNode.bdSeq(0), birth]) == ["take speed=5 mm/s"])
    let data = EdgeNode.metric(alias: 9, datatype: nil, .intValue(UInt32(bitPattern: -7)))
    #expect(edge.send("NDATA", seq: 1, [data]) == ["take speed=-7 mm/s"])
  }

  @Test("Sequence numbers run over node and devices together, and 0 follows 255")
  func wrapping() {
    var edge = EdgeNode()
    edge.send("NBIRTH", seq: 254, [EdgeNode.bdSeq(0), EdgeNode.metric("a", alias: 1)])
    edge.send("DBIRTH", device: "d", seq: 255, [EdgeNode.metric("b", alias: 2)])
    let a = EdgeNode.metric(alias: 1, datatype: nil, .doubleValue(1))
    let b = EdgeNode.metric(alias: 2, datatype: nil, .doubleValue(2))
    #expect(edge.send("NDATA", seq: 0, [a]) == ["take a=1"])
    #expect(edge.send("DDATA", device: "d", seq: 1, [b]) == ["take b=2"])
    #expect(edge.wait(seconds: 100).requests.isEmpty)
  }

  @Test("A birth may begin with any sequence number", arguments: [UInt64(0), 17, 255])
  func anyStart(_ start: UInt64) {
    var edge = EdgeNode()
    edge.send("NBIRTH", seq: start, [EdgeNode.bdSeq(0), EdgeNode.metric("a", alias: 1)])
    let a = EdgeNode.metric(alias: 1, datatype: nil, .doubleValue(1))
    #expect(edge.send("NDATA", seq: (start + 1) % 256, [a]) == ["take a=1"])
  }

  @Test("A message ahead of its turn waits for the missing one, and both count in order")
  func reordering() {
    var edge = EdgeNode.born()
    #expect(edge.send("DDATA", device: "press", seq: 5, edge.pressure(5)).isEmpty)
    #expect(edge.send("DDATA", device: "press", seq: 4, edge.pressure(4)).isEmpty)
    #expect(
      edge.send("DDATA", device: "press", seq: 3, edge.pressure(3))
        == ["take pressure=3", "late pressure=4", "late pressure=5"])
    #expect(edge.host.heldCount == 0)
    #expect(edge.wait(seconds: 100).requests.isEmpty)
  }

  @Test("When the missing message never comes, what waited counts and a rebirth is asked for")
  func reorderTimeout() throws {
    var edge = EdgeNode.born()
    edge.send("DDATA", device: "press", seq: 4, edge.pressure(4))
    #expect(edge.wait(seconds: 4.9).steps.isEmpty)
    #expect(edge.wait(seconds: 0.2).steps == ["late pressure=4"])
    let request = try #require(edge.wait(seconds: 3).requests.first)
    #expect(request.topic == "spBv1.0/plant/NCMD/edge")
    #expect(request.reason == "message 3 never came")
    #expect(edge.host.counters.missedMessages == 1)
    #expect(edge.send("DDATA", device: "press", seq: 5, edge.pressure(5)) == ["take pressure=5"])
  }

  @Test("A request for a rebirth is a Boolean, by name and never by alias")
  func rebirthCommand() throws {
    let bytes = SparkplugPayload.rebirthCommand(at: Timestamp(microseconds: 1_000_000))
    let payload = try bytes.withUnsafeBytes { try SparkplugPayload(reading: $0) }
    let metric = try #require(payload.metrics.first)
    #expect(metric.name == "Node Control/Rebirth" && !metric.hasAlias)
    #expect(metric.datatype == 11 && metric.booleanValue)
  }

  @Test("A late message is taken at once and does not move the count")
  func late() {
    var edge = EdgeNode.born()
    edge.send("DDATA", device: "press", seq: 3, edge.pressure(3))
    edge.send("DDATA", device: "press", seq: 4, edge.pressure(4))
    #expect(edge.send("DDATA", device: "press", seq: 3, edge.pressure(3)) == ["take pressure=3"])
    #expect(edge.send("DDATA", device: "press", seq: 5, edge.pressure(5)) == ["take pressure=5"])
    #expect(edge.host.counters.lateMessages == 1)
  }

  @Test("A node that counts anew without a birth is followed and asked for one")
  func countsAnew() {
    var edge = EdgeNode.born()
    for seq in [3, 200, 201, 202] as [UInt64] {
      edge.send("DDATA", device: "press", seq: seq, edge.pressure(Double(seq)))
    }
    #expect(edge.send("DDATA", device: "press", seq: 203, edge.pressure(9)) == ["take pressure=9"])
    #expect(edge.wait(seconds: 4).requests.count == 1)
  }

  @Test("Data before any birth is refused, and the node is asked for a birth once a while later")
  func dataBeforeBirth() {
    var edge = EdgeNode()
    #expect(edge.send("NDATA", seq: 8, edge.pressure(1)) == ["refuse no_birth"])
    #expect(edge.send("NDATA", seq: 9, edge.pressure(1)) == ["refuse no_birth"])
    #expect(edge.wait(seconds: 0.9).requests.isEmpty, "a birth often comes by itself")
    #expect(edge.wait(seconds: 3).requests.count == 1)
    #expect(edge.wait(seconds: 3).requests.isEmpty)
  }

  @Test("A rebirth is asked for once per interval, and less often while it does not help")
  func throttle() {
    var edge = EdgeNode()
    var askedAt: [Int64] = []
    for _ in 0..<2_000 {
      edge.send("NDATA", seq: 8, edge.pressure(1))
      if !edge.wait(seconds: 1).requests.isEmpty { askedAt.append(edge.now / 1_000_000) }
    }
    let gaps = zip(askedAt, askedAt.dropFirst()).map { $1 - $0 }
    #expect(askedAt.count >= 5)
    #expect(gaps.allSatisfy { $0 >= 30 })
    #expect(zip(gaps, gaps.dropFirst()).allSatisfy { $1 >= $0 })
  }

  @Test("A birth that comes by itself makes the request unnecessary")
  func birthBeforeRequest() {
    var edge = EdgeNode()
    edge.send("NDATA", seq: 8, edge.pressure(1))
    edge.send("NBIRTH", seq: 0, [EdgeNode.bdSeq(0)])
    #expect(edge.wait(seconds: 10).requests.isEmpty)
  }

  @Test("A host that must not speak asks for nothing")
  func silent() {
    var edge = EdgeNode()
    edge.host.settings.asksForRebirth = false
    edge.send("NDATA", seq: 8, edge.pressure(1))
    #expect(edge.wait(seconds: 100).requests.isEmpty)
    #expect(edge.host.nextDeadline == nil)
  }

  @Test("Two gateways do not ask a node at the same moment")
  func gatewaysDiffer() {
    let moments = (0..<8 as Range<UInt64>).map { seed in
      var edge = EdgeNode()
      edge.host.settings.seed = seed
      edge.send("NDATA", seq: 8, edge.pressure(1))
      return edge.host.nodes[0].rebirth.dueAt
    }
    #expect(Set(moments).count == moments.count)
  }

  @Test("Nodes are not all asked at the same moment")
  func jitter() {
    var host = SparkplugHost()
    for node in 0..<50 {
      let topic = SparkplugTopic("spBv1.0/g/NDATA/n\(node)")!
      var readings = Readings()
      var steps: [SparkplugHost.Step] = []
      host.receive(
        topic, EdgeNode.payload(seq: 1, []), now: 0,
        held: { SparkplugHeld(topic: "", received: .epoch, payload: []) }, readings: &readings,
        into: &steps)
    }
    #expect(Set(host.nodes.map(\.rebirth.dueAt)).count > 40)
    #expect(host.nodes.allSatisfy { (1_000_000...3_000_000).contains($0.rebirth.dueAt) })
  }

  @Test(
    "An unknown alias, one of another device, and a metric without a name are refused one by one")
  func aliasRefusals() {
    var edge = EdgeNode.born()
    let metrics = [
      EdgeNode.metric(alias: 99, datatype: nil, .doubleValue(1)),
      EdgeNode.metric(alias: 3, datatype: nil, .doubleValue(1)),
      EdgeNode.metric(datatype: nil, .doubleValue(1)),
      EdgeNode.metric(alias: 2, datatype: nil, .doubleValue(4)),
    ]
    #expect(
      edge.send("DDATA", device: "press", seq: 3, metrics) == [
        "take pressure=4, alias 99:unknown_alias, alias 3:wrong_alias, metrics/2:no_name"
      ])
    #expect(edge.wait(seconds: 4).requests.count == 1)
  }

  @Test("Data of a device that was not born is refused, and its turn is used up")
  func unknownDevice() {
    var edge = EdgeNode.born()
    #expect(edge.send("DDATA", device: "saw", seq: 3, edge.pressure(1)) == ["refuse no_birth"])
    #expect(edge.send("DDATA", device: "press", seq: 4, edge.pressure(4)) == ["take pressure=4"])
  }

  @Test("The death of a node makes it and all its devices stale as of the host's time")
  func nodeDeath() {
    var edge = EdgeNode.born()
    #expect(
      edge.send("NDEATH", seq: nil, [EdgeNode.bdSeq(7)])
        == ["stale node now", "stale press now", "stale oven now"])
    #expect(edge.host.onlineNodeCount == 0)
    #expect(edge.send("DDATA", device: "press", seq: 3, edge.pressure(1)) == ["refuse no_birth"])
  }

  @Test("The death of a session that is over does not count")
  func oldDeath() {
    var edge = EdgeNode.born()
    #expect(edge.send("NDEATH", seq: nil, [EdgeNode.bdSeq(6)]).isEmpty)
    #expect(edge.host.counters.ignoredDeaths == 1)
    #expect(edge.host.onlineNodeCount == 1)
  }

  @Test(
    "The death of a device makes it stale as of the payload's time, and its birth brings it back")
  func deviceDeath() {
    var edge = EdgeNode.born()
    #expect(
      edge.send("DDEATH", device: "press", seq: 3, at: 1_759_999_999_000)
        == ["stale press at 1759999999000"])
    #expect(edge.send("DDATA", device: "press", seq: 4, edge.pressure(1)) == ["refuse no_birth"])
    let birth = [EdgeNode.metric("pressure", alias: 2, .doubleValue(2))]
    #expect(edge.send("DBIRTH", device: "press", seq: 5, birth) == ["take pressure=2"])
    #expect(edge.send("DDATA", device: "press", seq: 6, edge.pressure(3)) == ["take pressure=3"])
  }

  @Test("A rebirth may give aliases another meaning; what waited before it keeps the old one")
  func rebirthRemaps() {
    var edge = EdgeNode.born()
    edge.send("DDATA", device: "press", seq: 4, edge.pressure(4))
    let steps = edge.send("NBIRTH", seq: 0, [EdgeNode.bdSeq(7), EdgeNode.metric("load", alias: 2)])
    #expect(steps.first == "late pressure=4")
    let data = EdgeNode.metric(alias: 2, datatype: nil, .doubleValue(0.5))
    #expect(edge.send("NDATA", seq: 1, [data]) == ["take load=0.5"])
  }

  @Test("A restart knows the aliases and where counting stands, and needs no rebirth")
  func restart() {
    var edge = EdgeNode.born()
    edge.send("DDATA", device: "press", seq: 3, edge.pressure(3))
    edge.commit()
    var again = edge.restarted()
    #expect(again.send("DDATA", device: "press", seq: 4, again.pressure(4)) == ["take pressure=4"])
    #expect(again.wait(seconds: 100).requests.isEmpty)
    #expect(again.host.onlineNodeCount == 1)
  }

  @Test("A message lost while we were away is noticed after the restart")
  func restartGap() {
    var edge = EdgeNode.born()
    edge.commit()
    var again = edge.restarted()
    #expect(again.send("DDATA", device: "press", seq: 5, again.pressure(5)).isEmpty)
    #expect(again.wait(seconds: 6).steps == ["late pressure=5"])
    #expect(again.wait(seconds: 4).requests.count == 1)
  }

  @Test("A message that was held is still held after a restart, and its wait begins anew")
  func restartHolding() {
    var edge = EdgeNode.born()
    edge.send("DDATA", device: "press", seq: 4, edge.pressure(4))
    edge.commit()
    var again = edge.restarted()
    #expect(again.host.heldCount == 1)
    #expect(
      again.send("DDATA", device: "press", seq: 3, again.pressure(3))
        == ["take pressure=3", "late pressure=4"])
    edge = again
    #expect(edge.restarted().host.heldCount == 0)
  }

  @Test("Aliases of a device that was not born again stay unknown after a restart")
  func restartAfterRebirth() {
    var edge = EdgeNode.born()
    edge.send("NBIRTH", seq: 0, [EdgeNode.bdSeq(7), EdgeNode.metric("load", alias: 2)])
    edge.commit()
    var again = edge.restarted()
    let data = EdgeNode.metric(alias: 2, datatype: nil, .doubleValue(0.5))
    #expect(again.send("NDATA", seq: 1, [data]) == ["take load=0.5"])
    #expect(again.send("DDATA", device: "press", seq: 2, [data]) == ["refuse no_birth"])
  }

  @Test("A birth that says the same again is not written again")
  func unchangedBirth() {
    var edge = EdgeNode.born()
    let before = edge.memory
    edge.send(
      "NBIRTH", seq: 0,
      [EdgeNode.bdSeq(7), EdgeNode.metric("uptime", alias: 1, datatype: 8, .longValue(99))])
    let written = edge.steps.compactMap { step -> String? in
      if case .remember(let name, _) = step { name } else { nil }
    }
    #expect(written == ["sparkplug/0"])
    #expect(before["sparkplug/0/metrics/"] != nil)
  }

  @Test("The same message twice waits once; another with its number is taken, not lost")
  func twoWithOneNumber() {
    var edge = EdgeNode.born()
    edge.send("DDATA", device: "press", seq: 5, edge.pressure(5))
    #expect(edge.send("DDATA", device: "press", seq: 5, edge.pressure(5)).isEmpty)
    #expect(edge.send("DDATA", device: "press", seq: 5, edge.pressure(6)) == ["take pressure=6"])
    #expect(edge.host.heldCount == 1)
  }

  @Test("Data alone makes no device, and strangers do not keep known devices out")
  func strangers() {
    var edge = EdgeNode.born()
    for name in 0..<300 {
      #expect(
        edge.send("DDATA", device: "x\(name)", seq: nil, edge.pressure(1)) == ["refuse no_birth"])
    }
    #expect(edge.host.nodes[0].devices.count == 3)
    for name in 0..<(SparkplugHost.strangersMax + 50) {
      var readings = Readings()
      var steps: [SparkplugHost.Step] = []
      edge.host.receive(
        SparkplugTopic("spBv1.0/g/NDATA/s\(name)")!, EdgeNode.payload(seq: 1, []), now: 0,
        held: { SparkplugHeld(topic: "", received: .epoch, payload: []) }, readings: &readings,
        into: &steps)
    }
    #expect(edge.host.nodeCount == SparkplugHost.strangersMax + 1)
    #expect(edge.send("DDATA", device: "press", seq: 3, edge.pressure(3)) == ["take pressure=3"])
  }

  @Test(
    "A device's birth and death write that device alone, and a rebirth of the node ends all of them"
  )
  func deviceMemory() {
    var edge = EdgeNode.born()
    edge.send("DDEATH", device: "press", seq: 3)
    let written = edge.steps.compactMap { step -> String? in
      if case .remember(let name, _) = step { name } else { nil }
    }
    #expect(written == ["sparkplug/0/device/press"])
    edge.commit()
    var again = edge.restarted()
    #expect(again.send("DDATA", device: "press", seq: 4, again.pressure(1)) == ["refuse no_birth"])
    let heat = [EdgeNode.metric(alias: 3, datatype: nil, .doubleValue(9))]
    #expect(again.send("DDATA", device: "oven", seq: 5, heat) == ["take heat=9"])
    again.send("NBIRTH", seq: 0, [EdgeNode.bdSeq(8)])
    again.commit()
    var third = again.restarted()
    #expect(third.send("DDATA", device: "oven", seq: 1, heat) == ["refuse no_birth"])
  }

  @Test("What was held without a known count is let go at its time")
  func heldWithoutCount() {
    var edge = EdgeNode.born()
    edge.send("DDATA", device: "press", seq: 5, edge.pressure(5))
    edge.forget("sparkplug/0/seq")
    var again = edge.restarted()
    _ = again.wait(seconds: 1)
    #expect(again.wait(seconds: 6).steps == ["late pressure=5"])
    _ = again.wait(seconds: 6)
    #expect(again.host.nextDeadline == nil)
  }

  @Test("A message with more metrics than may be is refused before they are made")
  func tooManyMetrics() {
    let bytes = [UInt8](repeatElement([0x12, 0x00], count: 100_001).joined())
    bytes.withUnsafeBytes { bytes in
      #expect(SparkplugPayload.metricCount(bytes, max: 100_000) == 100_001)
      #expect(throws: PayloadError.self) { _ = try SparkplugPayload(reading: bytes) }
    }
  }

  @Test("So many messages of one node may wait, then the wait is over")
  func heldMax() {
    var edge = EdgeNode.born()
    edge.host.settings.heldMax = 3
    for seq in 4...6 as ClosedRange<UInt64> {
      #expect(edge.send("DDATA", device: "press", seq: seq, edge.pressure(Double(seq))).isEmpty)
    }
    #expect(
      edge.send("DDATA", device: "press", seq: 7, edge.pressure(7))
        == ["late pressure=4", "late pressure=5", "late pressure=6", "late pressure=7"])
  }
}
