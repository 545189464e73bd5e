import Telemetry

/// How far ahead a failure probability looks: in time, and in the usage that time will bring.
public struct Horizon: Sendable, Hashable {
  /// `24h`, `7d`, `30d`: the end of the score's name.
  public var name: String
  public var seconds: Double
  /// In the model's usage unit: the horizon itself where that is hours, else hours × duty rate.
  public var usage: Double

  public init(name: String, seconds: Double, usage: Double) {
    self.name = name
    self.seconds = seconds
    self.usage = usage
  }

  /// 24 h, 7 d and 30 d.
  /// - Parameter usagePerHour: the measured duty rate; 1 when the usage unit is calendar hours.
  public static func standard(usagePerHour: Double) -> [Horizon] {
    [("24h", 24.0), ("7d", 168), ("30d", 720)].map {
      Horizon(name: $0.0, seconds: $0.1 * 3_600, usage: $0.1 * usagePerHour)
    }
  }

  func encode(into writer: inout ByteWriter) {
    writer.text(name)
    writer.double(seconds)
    writer.double(usage)
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    name = try reader.text()
    seconds = try reader.double()
    usage = try reader.double()
  }
}
