import Gateway
import Hummingbird
import Logging
import Storage
import Telemetry

extension Problem {
  /// What an error from further inside means to a caller; unknown ones are logged and told nothing of.
  static func from(_ error: any Error, logger: Logger) -> Problem {
    switch error {
    case let problem as Problem: return problem
    case let error as SubmissionError: return from(error)
    case let problem as SQLProblem:
      return Problem(
        status: .unprocessableContent, slug: "sql-" + problem.code.replacing("_", with: "-"),
        title: "The statement was not carried out", detail: problem.description,
        errors: [.init(pointer: "/sql", code: problem.code, detail: problem.description)])
    case let error as any HTTPResponseError:
      return Problem(
        status: error.status, slug: "http-\(error.status.code)",
        title: error.status.reasonPhrase, detail: "the request could not be read")
    default:
      logger.error("a request failed", metadata: ["error": "\(error)"])
      return .internalError
    }
  }

  static func from(_ error: SubmissionError) -> Problem {
    switch error {
    case .overloaded:
      return .unavailable(
        "overloaded", "the ingest queue is full; send it again shortly", retryAfterSeconds: 1)
    case .storageUnavailable(let reason):
      return .unavailable(
        "storage-unavailable", "nothing can be made durable now: \(reason)",
        retryAfterSeconds: 5)
    case .shuttingDown:
      return .unavailable(
        "shutting-down", "the gateway is shutting down; send it again later",
        retryAfterSeconds: 5)
    case .keyReused: return .keyReused
    case .refused(let code, let detail):
      return Problem(
        status: .conflict, slug: code.replacing("_", with: "-"),
        title: "The command cannot be carried out", detail: detail,
        errors: [.init(pointer: "", code: code, detail: detail)])
    }
  }
}
