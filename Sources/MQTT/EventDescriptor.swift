import CLinux
import Glibc

/// An eventfd: other threads wake with it whoever polls.
public final class EventDescriptor: Sendable {
  public let descriptor: Int32

  public init() {
    descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    precondition(descriptor >= 0, "the kernel gives an eventfd")
  }

  deinit { close(descriptor) }

  /// Wakes the poller; any number of calls before it looks count as one.
  public func signal() {
    var one: UInt64 = 1
    // Fails only when the counter is about to overflow: then the poller is awake anyway.
    _ = write(descriptor, &one, 8)
  }

  public func clear() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
  }
}
