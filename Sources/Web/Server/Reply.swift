import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry

/// What a route answers: bytes that are all there, or a stream of them.
struct Reply: Sendable {
  typealias Stream = @Sendable (inout any ResponseBodyWriter) async throws -> Void

  enum Body: Sendable {
    case buffer(ByteBuffer)
    case stream(Stream)
  }

  var status: HTTPResponse.Status
  var headers: HTTPFields
  var body: Body

  init(
    status: HTTPResponse.Status = .ok, contentType: String? = nil, buffer: ByteBuffer = ByteBuffer()
  ) {
    self.status = status
    headers = [:]
    headers[.contentType] = contentType
    body = .buffer(buffer)
  }

  init(status: HTTPResponse.Status = .ok, json: JSONValue) {
    self.init(
      status: status, contentType: "application/json", buffer: ByteBuffer(string: json.encoded))
  }

  /// A stream whose writer is finished for it.
  init(contentType: String, stream: @escaping Stream) {
    status = .ok
    headers = [.contentType: contentType]
    body = .stream(stream)
  }

  var response: Response {
    switch body {
    case .buffer(let buffer):
      var response = Response(
        status: status, headers: headers, body: ResponseBody(byteBuffer: buffer))
      if status == .noContent { response.headers[.contentLength] = nil }
      return response
    case .stream(let stream):
      return Response(
        status: status, headers: headers,
        body: ResponseBody { writer in
          try await stream(&writer)
          try await writer.finish(nil)
        })
    }
  }
}
