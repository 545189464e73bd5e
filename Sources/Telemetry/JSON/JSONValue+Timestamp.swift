extension JSONValue {
  /// RFC 3339 text, or an epoch number in a unit told by its size; `nil` for anything else.
  public var timestamp: Timestamp? {
    switch self {
    case .string(let text): Timestamp(rfc3339: text)
    case .number(let digits):
      // Whole numbers first: a double would round nanoseconds.
      Int64(digits).flatMap { Timestamp(epoch: $0) }
        ?? Double(digits).flatMap { Timestamp(epoch: $0) }
    default: nil
    }
  }
}
