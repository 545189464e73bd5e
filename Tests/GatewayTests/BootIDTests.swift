import Testing

@testable import Gateway

@Suite struct BootIDTests {
  @Test(
    "The first eight bytes count, with hyphens as the kernel writes them or without as systemd does"
  )
  func forms() {
    let id: UInt64 = 0x3f2a_91c4_77de_4b10
    #expect(ClockSource.bootID("3f2a91c4-77de-4b10-8a55-0123456789ab\n") == id)
    #expect(ClockSource.bootID("3f2a91c477de4b108a550123456789ab") == id)
  }

  @Test("What is no id names no boot", arguments: ["", "%b", "3f2a-91c4", "unknown"])
  func others(text: String) { #expect(ClockSource.bootID(text) == nil) }
}
