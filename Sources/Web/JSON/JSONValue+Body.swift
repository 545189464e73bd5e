import Telemetry

extension JSONValue {
  /// The body of a request.
  /// - Throws: `Problem` with status 400 that says where reading stopped.
  static func body(_ bytes: [UInt8]) throws(Problem) -> JSONValue {
    guard !bytes.isEmpty else { throw .notJSON("the body is empty; send a JSON object") }
    do {
      return try JSONReader.read(bytes)
    } catch {
      throw .notJSON("\(error.detail) at byte \(error.offset)")
    }
  }
}
