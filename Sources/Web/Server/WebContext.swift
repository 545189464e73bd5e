import Hummingbird
import Logging
import NIOCore

/// What belongs to one request on its way through the router.
struct WebContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// The peer's address without its port; empty when there is no socket.
  let address: String
  var requestID = ""
  /// Filled while the request is answered, read when it has been.
  let notes = RequestNotes()

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    address = source.channel.remoteAddress?.ipAddress ?? ""
  }
}
