import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// Which zone a measured severity is in, without flutter.
///
/// The value is a fading mean over half the time `hold`; the zone changes when the mean has been in another one for
/// `hold`, in at least two samples. Going down it must fall 5 % below the limit. After a pause of ten times `hold` the
/// mean begins anew, so that rare samples are judged one by one.
public struct SeverityWatch: Sendable, Equatable {
  static let downwardShare = 0.95
  private static let formatVersion: UInt8 = 1

  /// The mean that is judged; `nil` before the first sample.
  public private(set) var value: Double?
  /// `nil` until a zone was held.
  public private(set) var zone: SeverityZones.Zone?
  /// When the present zone began, in the source's time.
  public private(set) var since: Timestamp?
  private var last: Timestamp?
  private var candidate: SeverityZones.Zone?
  private var candidateSince = Timestamp.epoch
  private var held: Int64 = 0

  public init() {}

  /// Takes a sample in the unit of `zones`.
  /// - Returns: whether the zone is another one now.
  @discardableResult
  mutating func observe(
    _ sample: Double, at time: Timestamp, zones: SeverityZones, hold: Int64
  ) -> Bool {
    guard sample.isFinite else { return false }
    let passed = last.map { time.microseconds(since: $0) } ?? .max
    guard passed > 0 else { return false }
    last = time
    if let mean = value, passed <= 10 * max(hold, 1_000_000) {
      let weight = -expm1(-2 * Double(passed) / Double(max(hold, 1)))
      value = mean + weight * (sample - mean)
    } else {
      value = sample
    }
    return judge(zones: zones, passed: passed, hold: hold, at: time)
  }

  private mutating func judge(
    zones: SeverityZones, passed: Int64, hold: Int64, at time: Timestamp
  ) -> Bool {
    guard let value, var reached = zones.zone(of: value) else { return false }
    // A little below a limit the zone above still holds.
    if let zone, reached < zone, let lifted = zones.zone(of: value / Self.downwardShare) {
      reached = min(zone, lifted)
    }
    guard reached != zone else {
      candidate = nil
      return false
    }
    guard candidate == reached else {
      candidate = reached
      candidateSince = time
      held = 0
      return false
    }
    held += min(passed, hold)
    guard held >= hold else { return false }
    zone = reached
    since = candidateSince
    candidate = nil
    return true
  }

  func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.double(value ?? .nan)
    writer.byte(zone?.code ?? 0)
    writer.zigzag(since?.microseconds ?? .min)
    writer.zigzag(last?.microseconds ?? .min)
    writer.byte(candidate?.code ?? 0)
    writer.zigzag(candidateSince.microseconds)
    writer.zigzag(held)
  }

  init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    let mean = try reader.double()
    value = mean.isNaN ? nil : mean
    zone = SeverityZones.Zone(code: try reader.byte())
    let (began, newest) = (try reader.zigzag(), try reader.zigzag())
    since = began == .min ? nil : Timestamp(microseconds: began)
    last = newest == .min ? nil : Timestamp(microseconds: newest)
    candidate = SeverityZones.Zone(code: try reader.byte())
    candidateSince = Timestamp(microseconds: try reader.zigzag())
    held = try reader.zigzag()
  }
}

extension SeverityZones.Zone: Comparable {
  /// 1…4 for A…D.
  var code: UInt8 { UInt8((Self.allCases.firstIndex(of: self) ?? 0) + 1) }

  init?(code: UInt8) {
    guard (1...4).contains(code) else { return nil }
    self = Self.allCases[Int(code) - 1]
  }

  public static func < (a: Self, b: Self) -> Bool { a.code < b.code }
}
