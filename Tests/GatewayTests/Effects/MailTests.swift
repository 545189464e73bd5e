import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite("Mail", .serialized)
struct MailTests {
  private func rig(
    _ server: MailServer, clock: SkippingClock = SkippingClock(),
    change: (inout SMTPSettings) -> Void = { _ in }
  ) throws -> GatewayRig {
    let rig = try GatewayRig(withBroker: false, clock: clock.source) {
      var smtp = SMTPSettings(
        host: "127.0.0.1", port: server.port, from: "edge@plant.example", security: .none)
      change(&smtp)
      $0.smtp = smtp
    }
    try rig.start()
    try rig.gateway.startPublishing()
    return rig
  }

  private let mail =
    #"{"kind":"email","to":["ana@example.com","rui@example.com"],"subject":"Prensa 1: pressão","body":"Está quente.\n.\nFim="}"#

  @Test("A mail goes through the whole dialog and arrives as it was written")
  func dialog() async throws {
    let server = try MailServer()
    let rig = try rig(server) {
      $0.username = "edge"
      $0.password = "secret"
    }
    try await rig.request(mail)
    #expect(await eventually { rig.figures("email").delivered == 1 })
    #expect(
      server.transcript.prefix(6) == [
        "EHLO test", "AUTH PLAIN", "AGVkZ2UAc2VjcmV0", "MAIL FROM:<edge@plant.example>",
        "RCPT TO:<ana@example.com>", "RCPT TO:<rui@example.com>",
      ])
    let message = try #require(server.messages.first)
    #expect(message.contains("From: <edge@plant.example>\n"))
    #expect(message.contains("To: <ana@example.com>,\n <rui@example.com>\n"))
    #expect(message.contains("Subject: =?utf-8?q?Prensa_1=3A_press=C3=A3o?=\n"))
    #expect(message.contains("@test.millwright>\n"))
    #expect(message.hasSuffix("\n\nEst=C3=A1 quente.\n.\nFim=3D\n"))
    await rig.stop()
  }

  @Test("A server that is busy is tried again with the same message id")
  func busy() async throws {
    let clock = SkippingClock()
    let server = try MailServer([(command: "MAIL", answer: "451 later")])
    let rig = try rig(server, clock: clock)
    try await rig.request(mail)
    #expect(await eventually { rig.figures("email").retried == 1 })
    clock.skip(seconds: 2)
    #expect(await eventually { rig.figures("email").delivered == 1 })
    #expect(server.messages.count == 1)
    #expect(server.transcript.filter { $0.hasPrefix("MAIL") }.count == 2)
    await rig.stop()
  }

  @Test("A mail that the server refuses for good is booked, and the next goes on")
  func refused() async throws {
    let server = try MailServer([(command: "MAIL", answer: "550 not you")])
    let rig = try rig(server)
    let single = #"{"kind":"email","to":["ana@example.com"],"subject":"a","body":"b"}"#
    try await rig.request(single)
    try await rig.request(single)
    #expect(await eventually { rig.figures("email").delivered == 1 })
    #expect(rig.figures("email").refused == 1)
    #expect(try await rig.undelivered().first?.contains("(SMTP 550)") == true)
    await rig.stop()
  }

  @Test("One wrong address does not keep the mail from the others")
  func oneWrong() async throws {
    let wrong = (command: "RCPT TO:<ana", answer: "550 unknown")
    let server = try MailServer([wrong, wrong])
    let rig = try rig(server)
    try await rig.request(mail)
    #expect(await eventually { rig.figures("email").delivered == 1 })
    #expect(server.messages.count == 1)
    await rig.stop()
  }

  @Test("A wrong password is no reason to give a mail up")
  func login() async throws {
    let server = try MailServer([(command: "AGVk", answer: "535 who are you")])
    let clock = SkippingClock()
    let rig = try rig(server, clock: clock) {
      $0.username = "edge"
      $0.password = "wrong"
    }
    try await rig.request(mail)
    #expect(await eventually { rig.figures("email").retried == 1 })
    clock.skip(seconds: 2)
    #expect(await eventually { rig.figures("email").delivered == 1 })
    await rig.stop()
  }

  @Test("Where TLS is asked for and not offered, nothing is said")
  func noTLS() async throws {
    let server = try MailServer()
    let rig = try rig(server) {
      $0.security = .starttls
      $0.username = "edge"
      $0.password = "secret"
    }
    try await rig.request(mail)
    #expect(await eventually { rig.figures("email").retried >= 1 })
    #expect(!server.transcript.contains { $0.hasPrefix("AUTH") || $0.hasPrefix("MAIL") })
    await rig.stop()
  }

  @Test("Without a server a mail is booked with what is missing")
  func notConfigured() async throws {
    let rig = try GatewayRig(withBroker: false)
    try rig.start()
    try rig.gateway.startPublishing()
    try await rig.request(mail)
    #expect(await eventually { rig.figures("email").refused == 1 })
    #expect(try await rig.undelivered().first?.contains("there is no `smtp`") == true)
    await rig.stop()
  }

  @Test("Encoded words are at most 75 characters and split no character")
  func encodedWords() {
    let subject = String(repeating: "ação €", count: 30)
    let words = MailMessage.encodedWords(subject).split(separator: "\r\n ")
    #expect(words.count > 5)
    var bytes: [UInt8] = []
    for word in words {
      #expect(word.count <= 75 && word.hasPrefix("=?utf-8?q?") && word.hasSuffix("?="))
      var part: [UInt8] = []
      var rest = word.dropFirst(10).dropLast(2)
      while let first = rest.first {
        let isCode = first == "="
        part.append(
          isCode
            ? UInt8(rest.dropFirst().prefix(2), radix: 16)!
            : first == "_" ? 0x20 : first.asciiValue!)
        rest = rest.dropFirst(isCode ? 3 : 1)
      }
      #expect(String(validating: part, as: UTF8.self) != nil)
      bytes += part
    }
    #expect(String(decoding: bytes, as: UTF8.self) == subject)
    #expect(MailMessage.encodedWords("Press 1 is hot") == "Press 1 is hot")
  }

  @Test("Quoted-printable lines are at most 76 characters, and blanks at their end survive")
  func quotedPrintable() {
    let text = MailMessage.quotedPrintable(String(repeating: "é", count: 100) + "\nend \n")
    for line in text.split(separator: "\r\n") { #expect(line.utf8.count <= 76) }
    #expect(text.replacing("=\r\n", with: "").contains(String(repeating: "=C3=A9", count: 100)))
    #expect(text.contains("\r\nend=20\r\n"))
  }

  @Test("Dates are those of RFC 5322")
  func dates() throws {
    let time = try #require(Timestamp(rfc3339: "1997-11-21T09:55:06Z"))
    #expect(MailMessage.date(time) == "Fri, 21 Nov 1997 09:55:06 +0000")
    #expect(MailMessage.date(.epoch) == "Thu, 01 Jan 1970 00:00:00 +0000")
  }

  @Test("A message id comes from the delivery, whatever the gateway is called")
  func messageIDs() {
    #expect(
      MailMessage.messageID(delivery: "mw:12.0#1", gateway: "edge 7/ß")
        == "mw.12.0.1@edge.7.millwright")
    #expect(
      MailMessage.messageID(delivery: "mw:1.0#0", gateway: "ß") == "mw.1.0.0@gateway.millwright")
  }
}
