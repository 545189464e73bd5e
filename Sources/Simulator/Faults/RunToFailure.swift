import Telemetry

/// The life of a press with a bearing that wears until it fails, as its messages tell it: what remaining life is
/// learned from, and judged by.
public struct RunToFailure: Sendable {
  /// Half an hour: what `cycles` are made of.
  public static let cycleSeconds = 1_800
  private static let tickSeconds = 300

  /// Means over half an hour of the messages in which the press ran; NaN where it did not.
  public struct Cycle: Sendable, Hashable {
    public var vibration: Double
    public var temperature: Double
    public var power: Double
  }

  /// One a half-hour; the last is the one before the failure.
  public private(set) var cycles: [Cycle] = []

  /// A life of 50 to 110 hours, with a severity that differs by machine; both follow from the seed.
  public init(seed: UInt64) {
    var random = RandomSource(seed: seed, name: "life")
    let count = 100 + Int(random.share() * 120)
    let severity = 30 + 30 * random.share()
    var settings = PlantSettings()
    settings.intervalMilliseconds = Self.tickSeconds * 1_000
    settings.roomSeconds = 86_400
    var week = WorkingWeek()
    (week.fromHour, week.toHour) = (0, 24)  // Three shifts from Monday on: no life reaches the weekend.
    settings.life = .steady(week)
    let start = Timestamp(microseconds: 1_767_571_200_000_000)  // Monday, 2026-01-05.
    let life = Double(count * Self.cycleSeconds)
    settings.machineFaults = [
      MachineFault(
        .bearingWear, device: "press1", severity: severity, begin: start, seconds: life + 3_600,
        growthSeconds: life)
    ]
    var plant = Plant(seed: seed, start: start, settings: settings)
    for _ in 0..<count { cycles.append(Self.cycle(of: &plant)) }
  }

  private static func cycle(of plant: inout Plant) -> Cycle {
    var sums = (vibration: 0.0, temperature: 0.0, power: 0.0)
    var count = 0.0
    for _ in 0..<cycleSeconds / tickSeconds {
      for message in plant.step(to: plant.next)
      where message.topic == "plant/line1/press1/telemetry" {
        // The plant wrote it: it can be read.
        guard let json = try? JSONReader.read(message.payload), json["state"]?.text == "running"
        else { continue }
        sums.vibration += number(json["vibration"])
        sums.temperature += number(json["temperature"])
        sums.power += number(json["power"])
        count += 1
      }
    }
    // Without a message 0/0: not a number, which is what is meant.
    return Cycle(
      vibration: sums.vibration / count, temperature: sums.temperature / count,
      power: sums.power / count)
  }

  private static func number(_ value: JSONValue?) -> Double {
    guard case .number(let digits)? = value else { return .nan }
    return Double(digits) ?? .nan
  }
}
