import Foundation
import TestSupport
import Testing

@testable import millwright

@Suite struct ServiceManagerTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  private func receiver() throws -> DatagramReceiver {
    try DatagramReceiver(path: folder.path + "/notify")
  }

  @Test("Without NOTIFY_SOCKET, or with something else in it, nobody is told")
  func nobody() {
    #expect(ServiceManager(environment: [:]) == nil)
    #expect(ServiceManager(environment: ["NOTIFY_SOCKET": ""]) == nil)
    #expect(ServiceManager(environment: ["NOTIFY_SOCKET": "vsock:2:1"]) == nil)
    let long = "/" + String(repeating: "a", count: 200)
    #expect(ServiceManager(environment: ["NOTIFY_SOCKET": long]) == nil)
  }

  @Test("Notices arrive as one datagram, an assignment a line")
  func path() throws {
    let receiver = try receiver()
    let manager = try #require(ServiceManager(environment: ["NOTIFY_SOCKET": receiver.path]))
    manager.tell([.watchdog, .status("connected")])
    #expect(receiver.nextText() == "WATCHDOG=1\nSTATUS=connected")
    manager.tell([])
    #expect(receiver.next() == nil)
  }

  @Test("A socket with an abstract name is reached")
  func abstract() throws {
    let receiver = try DatagramReceiver(path: "@millwright-test-" + UUID().uuidString)
    let manager = try #require(ServiceManager(environment: ["NOTIFY_SOCKET": receiver.path]))
    manager.tell([.stopping])
    #expect(receiver.nextText() == "STOPPING=1")
  }

  @Test("A reload is told with the monotonic time, and ends with READY")
  func reload() async throws {
    let receiver = try receiver()
    let manager = try #require(ServiceManager(environment: ["NOTIFY_SOCKET": receiver.path]))
    manager.tellReloading()
    let lines = try #require(receiver.nextText()).split(separator: "\n")
    #expect(lines.first == "RELOADING=1")
    #expect(lines.last?.hasPrefix("MONOTONIC_USEC=") == true)
    #expect(Int64(lines.last?.dropFirst(15) ?? "") ?? 0 > 0)
    try await manager.tellReady()
    #expect(receiver.nextText() == "READY=1")
  }

  @Test("A line break in a status cannot begin an assignment of its own")
  func lineBreak() {
    #expect(
      ServiceManager.text([.status("refused\nMAINPID=1\r\nFDSTORE=1")])
        == "STATUS=refused MAINPID=1 FDSTORE=1")
  }

  @Test("The watchdog's period counts only when it is ours")
  func watchdog() throws {
    func period(_ environment: [String: String]) throws -> Int64? {
      let place = ["NOTIFY_SOCKET": folder.path + "/notify"]
      return try #require(
        ServiceManager(environment: place.merging(environment) { $1 }, processID: 77)
      ).watchdogMicroseconds
    }
    #expect(try period([:]) == nil)
    #expect(try period(["WATCHDOG_USEC": "30000000"]) == 30_000_000)
    #expect(try period(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "77"]) == 30_000_000)
    #expect(try period(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "78"]) == nil)
    #expect(try period(["WATCHDOG_USEC": "0"]) == nil)
    #expect(try period(["WATCHDOG_USEC": "soon"]) == nil)
  }

  @Test("A manager that is away is no error, and one that comes back is found again")
  func restartedManager() throws {
    let path = folder.path + "/notify"
    let manager = try #require(ServiceManager(environment: ["NOTIFY_SOCKET": path]))
    manager.tell([.watchdog])
    let receiver = try DatagramReceiver(path: path)
    manager.tell([.watchdog])
    #expect(receiver.nextText() == "WATCHDOG=1")
  }
}
