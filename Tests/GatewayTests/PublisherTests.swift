import Glibc
import TestSupport
import Testing

@Suite("What we publish, on a connection of its own")
struct PublisherTests {
  @Test("A client connects and hears beyond the descriptors that select() can watch")
  func highDescriptors() async throws {
    var limits = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
    limits.rlim_cur = max(limits.rlim_cur, min(limits.rlim_max, 4_096))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
    let scratch = try Scratch()
    let broker = try TestBroker(directory: scratch.path)
    var held: [Int32] = []
    defer { for descriptor in held { close(descriptor) } }
    let null = open("/dev/null", O_RDONLY)
    held.append(null)
    while let last = held.last, last >= 0, last < Int32(FD_SETSIZE) { held.append(dup(null)) }
    try #require(
      held.last.map { $0 >= Int32(FD_SETSIZE) } == true, "the limit of open files is lower")

    let ear = try BrokerEar(broker, ["line/#", "ear/#"])
    #expect(await ear.catchUp())
    ear.publish("line/press", "1")
    #expect(await eventually { ear.heard(on: "line/press").map(\.payload) == ["1"] })
  }

  @Test("It connects to a broker that starts later, and what was queued meanwhile arrives")
  func laterBroker() async throws {
    let scratch = try Scratch()
    let broker = try TestBroker(directory: scratch.path)
    broker.stop()
    let speaker = try BrokerEar(broker, [], id: "speaker")
    speaker.publish("line/press", "kept", isRetained: true)
    try broker.start()
    let ear = try BrokerEar(broker, ["line/#"])
    #expect(await eventually { ear.heard(on: "line/press").map(\.payload) == ["kept"] })
  }
}
