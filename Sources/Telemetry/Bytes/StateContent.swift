/// Bytes that were written once and go to another thread: tens of megabytes are not copied for it.
public final class StateContent: @unchecked Sendable {  // Nobody writes any more.
  private let writer: ByteWriter

  public init(_ writer: consuming ByteWriter) { self.writer = writer }

  public var count: Int { writer.count }

  public func withBytes<Result, Failure>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withExtendedLifetime(self) { () throws(Failure) in try body(writer.bytes) }
  }
}
