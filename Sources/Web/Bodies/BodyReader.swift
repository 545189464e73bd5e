import Gateway
import HTTPTypes
import Hummingbird
import NIOCore

/// Collects and unpacks the body of a request within the bounds of the settings.
struct BodyReader: Sendable {
  var bytesMax: Int
  var inflatedBytesMax: Int

  init(_ settings: HTTPSettings) {
    bytesMax = settings.bodyBytesMax
    inflatedBytesMax = max(settings.inflatedBytesMax, settings.bodyBytesMax)
  }

  func read(_ request: Request) async throws -> [UInt8] {
    guard let coding = ContentCoding(header: request.headers[.contentEncoding]) else {
      var problem = Problem.unsupportedMedia(
        "send the body as it is, or packed by gzip or zstd, and say so in Content-Encoding")
      problem.headers[.acceptEncoding] = "gzip, zstd"
      throw problem
    }
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > bytesMax {
      throw tooLarge
    }
    var bytes: [UInt8] = []
    for try await part in request.body {
      guard bytes.count + part.readableBytes <= bytesMax else { throw tooLarge }
      bytes.append(contentsOf: part.readableBytesView)
    }
    guard coding != .identity else { return bytes }
    do throws(Inflate.Failure) {
      return try Inflate.inflate(bytes, coding: coding, bytesMax: inflatedBytesMax)
    } catch {
      switch error {
      case .tooLarge:
        throw Problem.tooLarge("the body unpacks to more than \(inflatedBytesMax) bytes; split it")
      case .damaged:
        throw Problem.badBody("the body is not what its Content-Encoding, \(coding), says")
      }
    }
  }

  private var tooLarge: Problem {
    .tooLarge("a body holds at most \(bytesMax) bytes on the wire; split it or pack it")
  }
}
