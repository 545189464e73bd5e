import Payloads
import Telemetry
import Testing

@testable import Devices

@Suite struct TopicTests {
  func captures(_ pattern: String, _ topic: String) throws -> [String]? {
    try TopicPattern(pattern)
      .captures(from: topic.split(separator: "/", omittingEmptySubsequences: false))?
      .map { "\($0.name)=\($0.levels.joined(separator: "/"))" }
  }

  @Test("Captures take what stands at their level")
  func capture() throws {
    #expect(
      try captures("plant/{line}/{device}/telemetry", "plant/l1/p1/telemetry") == [
        "line=l1", "device=p1",
      ])
    #expect(try captures("plant/{line}/{device}/telemetry", "plant/l1/p1/state") == nil)
    #expect(try captures("plant/{line}", "plant/l1/x") == nil)
    #expect(try captures("plant/{line}/x", "plant/l1") == nil)
    #expect(try captures("a/{rest#}", "a/b/c") == ["rest=b/c"])
    #expect(try captures("a/{rest#}", "a") == nil)
    #expect(try captures("a/+/{x}", "a/b/c") == ["x=c"])
  }

  @Test("Wildcards follow MQTT")
  func wildcards() throws {
    #expect(try captures("a/#", "a") == [])
    #expect(try captures("a/#", "a/b/c") == [])
    #expect(try captures("#", "a/b") == [])
    #expect(try captures("#", "$SYS/x") == nil)
    #expect(try captures("+/x", "$SYS/x") == nil)
    #expect(try captures("$SYS/#", "$SYS/x") == [])
    #expect(try captures("a/+", "a/") == [])
    #expect(try captures("+", "a/b") == nil)
  }

  @Test("Matching bytes agrees with what is captured, over all small patterns and topics")
  func bytes() throws {
    let levels = ["a", "b", "+", "{x}", "#", "{rest#}", "$S"]
    var patterns = levels
    for first in levels where !first.contains("#") { patterns += levels.map { first + "/" + $0 } }
    patterns += ["a/+/b", "+/{x}/#", "a/b/{rest#}"]
    let words = ["a", "b", "", "$S"]
    var topics = words
    for first in words { topics += words.map { first + "/" + $0 } }
    topics += ["a/b/b", "a/a/b", "a/b/a/b", "$S/a/b"]
    var matched = 0
    for pattern in patterns where !pattern.hasSuffix("{x}/{x}") {
      let compiled = try TopicPattern(pattern)
      for topic in topics {
        let agrees = Array(topic.utf8).withUnsafeBytes { compiled.matches($0) }
        #expect(agrees == (try captures(pattern, topic) != nil), "\(pattern) and \(topic)")
        matched += agrees ? 1 : 0
      }
    }
    #expect(matched > 100)
  }

  @Test("The most specific route wins, then the device's topic, then the order of the file")
  func precedence() throws {
    let patterns = ["#", "plant/#", "plant/+/x", "plant/{l}/x", "plant/a/+", "plant/a/x", "+/a/x"]
    let routes = try patterns.map { Route(topic: try TopicPattern($0)) }
    let device = DeclaredDevice(id: "d", topic: try TopicPattern("plant/a/+"))
    let table = RouteTable(devices: [device], routes: routes)
    func target(_ topic: String) -> RouteTable.Target? { table.match(topic)?.target }
    #expect(target("plant/a/x") == .route(5))
    #expect(target("plant/a/y") == .device(0))
    #expect(target("plant/b/x") == .route(2))
    #expect(target("plant/b/y") == .route(1))
    #expect(target("other/a/x") == .route(6))
    #expect(target("other") == .route(0))
    #expect(target("$SYS/x") == nil)
  }

  @Test("Templates are filled from captures")
  func templates() throws {
    let pattern = try TopicPattern("p/{line}/{rest#}")
    let captures = try #require(pattern.captures(from: ["p", "l1", "a", "b"]))
    #expect(
      try TopicTemplate("{line}-x-{rest}").filled(with: captures, separator: ".") == "l1-x-a.b")
    #expect(
      try TopicTemplate("s/{line}/{rest}").filled(with: captures, separator: "/") == "s/l1/a/b")
  }
}
