import CLinux
import Glibc

/// An eventfd: other threads wake the ingest thread's poll with it.
final class EventDescriptor: Sendable {
  let descriptor: Int32

  init() {
    descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    precondition(descriptor >= 0, "the kernel gives an eventfd")
  }

  deinit { close(descriptor) }

  /// Wakes the poller; any number of calls before it looks count as one.
  func signal() {
    var one: UInt64 = 1
    // Fails only when the counter is about to overflow: then the poller is awake anyway.
    _ = write(descriptor, &one, 8)
  }

  func clear() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
  }
}
