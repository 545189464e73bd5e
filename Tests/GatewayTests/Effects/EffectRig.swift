import Foundation
import Storage
import Synchronization
import Telemetry
import TestSupport

@testable import Gateway

/// A clock that goes on by itself and can be put forward.
final class SkippingClock: Sendable {
  private let skipped = Mutex<Int64>(0)

  func skip(seconds: Int64) { skipped.withLock { $0 += seconds * 1_000_000 } }

  var source: ClockSource {
    let system = ClockSource.system()
    return ClockSource(bootID: system.bootID) { [self] in
      let skipped = skipped.withLock { $0 }
      let now = system.read()
      return ClockReading(
        wallMicroseconds: now.wallMicroseconds + skipped,
        monotonicMicroseconds: now.monotonicMicroseconds + skipped, isSynchronized: true)
    }
  }
}

extension GatewayRig {
  /// Makes one event with these effects; it is committed when this returns.
  func request(_ effects: String...) async throws {
    let command = OperatorCommand(
      name: Stages.effectCommand, target: "", principal: "test",
      body: #"{"effects":[\#(effects.joined(separator: ","))]}"#)
    _ = try await gateway.submit(Submission(.command(.stage(command))))
  }

  func figures(_ lane: String) -> EffectFigures.Lane {
    gateway.effectFigures.lanes.first { $0.name == lane }?.figures ?? EffectFigures.Lane()
  }

  /// Details of what was booked as undelivered.
  func undelivered() async throws -> [String] {
    await gateway.flush()
    return try await gateway.queries.fetch { reader in
      try SQLConsole(secondsMax: 10, rowsMax: 100).run(
        "SELECT detail FROM loss WHERE cause = 'undelivered' ORDER BY id", reader: reader
      ).rows.map { if case .text(let text) = $0[0] { text } else { "" } }
    }
  }

  func cursors() throws -> [String: Int64] {
    try gateway.queries.reader.cursors(prefix: Outbox.cursorPrefix)
  }
}

/// Takes webhooks and answers as it was told, then with 200.
final class HookServer: Sendable {
  struct Taken: Sendable {
    var path: String
    var headers: [String: String]
    var body: String
    var status: Int

    var id: String { headers["x-millwright-delivery"] ?? "" }
  }

  private final class Memory: Sendable {
    let answers: Mutex<[(status: Int, headers: String)]>
    let taken = Mutex<[Taken]>([])

    init(_ answers: [(status: Int, headers: String)]) { self.answers = Mutex(answers) }

    func serve(_ connection: LineConnection) {
      while let line = connection.readLine() {
        var headers: [String: String] = [:]
        while let header = connection.readLine(), !header.isEmpty {
          let parts = header.split(separator: ":", maxSplits: 1)
          headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        guard let body = connection.read(Int(headers["content-length"] ?? "") ?? 0) else { return }
        let answer = answers.withLock { $0.isEmpty ? (200, "") : $0.removeFirst() }
        let path = line.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        taken.withLock {
          $0.append(Taken(path: path, headers: headers, body: body, status: answer.0))
        }
        connection.write("HTTP/1.1 \(answer.0) X\r\nContent-Length: 2\r\n\(answer.1)\r\nok")
      }
    }
  }

  private let memory: Memory
  private let server: LineServer

  init(_ answers: [(status: Int, headers: String)] = []) throws {
    let memory = Memory(answers)
    self.memory = memory
    server = try LineServer { memory.serve($0) }
  }

  var taken: [Taken] { memory.taken.withLock { $0 } }
  var lane: String { "webhook:127.0.0.1:\(server.port)" }

  func effect(_ path: String, more: String = "") -> String {
    #"{"kind":"webhook","url":"http://127.0.0.1:\#(server.port)/\#(path)","body":{"n":"\#(path)"}\#(more)}"#
  }
}

/// An SMTP server that keeps what it is given and answers commands as it was told.
final class MailServer: Sendable {
  private final class Memory: Sendable {
    /// Command prefix and the answer to its next use.
    let answers: Mutex<[(command: String, answer: String)]>
    let transcript = Mutex<[String]>([])
    let messages = Mutex<[String]>([])

    init(_ answers: [(command: String, answer: String)]) { self.answers = Mutex(answers) }

    func serve(_ connection: LineConnection) {
      connection.write("220 test ESMTP\r\n")
      while let line = connection.readLine() {
        transcript.withLock { $0.append(line) }
        let answer = answer(to: line)
        connection.write(answer + "\r\n")
        if line == "QUIT" { return }
        guard line == "DATA", answer.hasPrefix("354") else { continue }
        var text = ""
        while let line = connection.readLine(), line != "." {
          text += (line.hasPrefix(".") ? String(line.dropFirst()) : line) + "\n"
        }
        messages.withLock { $0.append(text) }
        connection.write("250 taken\r\n")
      }
    }

    private func answer(to line: String) -> String {
      let told = answers.withLock { answers -> String? in
        guard let place = answers.firstIndex(where: { line.hasPrefix($0.command) }) else {
          return nil
        }
        return answers.remove(at: place).answer
      }
      if let told { return told }
      switch line.prefix(4) {
      case "EHLO": return "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN"
      case "AUTH": return "334 "
      case "AGVk": return "235 welcome"
      case "DATA": return "354 go on"
      case "QUIT": return "221 bye"
      default: return "250 ok"
      }
    }
  }

  private let memory: Memory
  private let server: LineServer

  init(_ answers: [(command: String, answer: String)] = []) throws {
    let memory = Memory(answers)
    self.memory = memory
    server = try LineServer { memory.serve($0) }
  }

  var port: Int { server.port }
  var transcript: [String] { memory.transcript.withLock { $0 } }
  var messages: [String] { memory.messages.withLock { $0 } }
}
