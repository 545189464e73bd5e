import Telemetry

/// One MQTT message as it passed on a broker.
public struct CapturedMessage: Hashable, Sendable {
  /// When it was received by whoever recorded it.
  public var time: Timestamp
  public var topic: String
  public var payload: [UInt8]
  /// 0 or 1.
  public var qos: UInt8
  public var isRetained: Bool
  /// MQTT 5 content type; empty when absent.
  public var contentType: String

  public init(
    time: Timestamp, topic: String, payload: [UInt8], qos: UInt8 = 0, isRetained: Bool = false,
    contentType: String = ""
  ) {
    self.time = time
    self.topic = topic
    self.payload = payload
    self.qos = qos
    self.isRetained = isRetained
    self.contentType = contentType
  }
}

/// Why a capture cannot be read or written.
public struct CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
  public var detail: String

  public init(_ detail: String) { self.detail = detail }

  public var description: String { detail }
}
