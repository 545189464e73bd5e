import ArgumentParser
import Foundation

/// Why a command ends without a result: a sentence for standard error and the exit status.
struct Failure: Error {
  enum Status: Int32 {
    /// A problem was found, or the work failed.
    case failed = 1
    /// Another process has the data directory or the port.
    case inUse = 2
    /// The gateway or the broker does not answer.
    case notReachable = 3
  }

  var status: Status
  var sentence: String

  init(_ status: Status, _ sentence: String) {
    self.status = status
    self.sentence = sentence
  }

  init(_ sentence: String) { self.init(.failed, sentence) }
}

/// Lines for people, beside the result on standard output.
enum StandardError {
  static func write(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

extension ParsableCommand {
  /// Runs `body` and turns what it throws into one sentence and an exit status.
  func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
      return try await body()
    } catch let failure as Failure {
      StandardError.write("millwright: \(failure.sentence)")
      throw ExitCode(failure.status.rawValue)
    } catch let exit as ExitCode {
      throw exit
    } catch let error as ValidationError {
      throw error
    } catch {
      StandardError.write("millwright: \(error)")
      throw ExitCode(Failure.Status.failed.rawValue)
    }
  }
}
