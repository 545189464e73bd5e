import Telemetry

/// Seeded random numbers that are the same on every machine: xoshiro256++ filled by splitmix64.
///
/// Algorithms: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2021), and
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). Published value a test
/// repeats: splitmix64 from state 1234567 gives 6457827717110365317 first. Not for secrets.
public struct RandomSource: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  public init(seed: UInt64) {
    var filler = seed
    state = (
      RandomSource.splitmix(&filler), RandomSource.splitmix(&filler),
      RandomSource.splitmix(&filler), RandomSource.splitmix(&filler)
    )
  }

  /// A source of its own for the part called `name`, so that parts do not disturb each other's numbers.
  public init(seed: UInt64, name: String) {
    self.init(seed: Hash64.hash(name, seed: seed))
  }

  public mutating func next() -> UInt64 {
    let result = RandomSource.rotate(state.0 &+ state.3, 23) &+ state.0
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = RandomSource.rotate(state.3, 45)
    return result
  }

  /// Uniform in 0 ..< 1, a multiple of 2⁻⁵³.
  public mutating func share() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// True with the given probability.
  public mutating func happens(_ probability: Double) -> Bool { share() < probability }

  /// Bell-shaped with mean 0 and standard deviation 1, between -6 and 6: the sum of twelve uniform numbers
  /// less six. Needs no logarithm, whose last bit differs between C libraries.
  public mutating func noise() -> Double {
    var sum = 0.0
    for _ in 0..<12 { sum += share() }
    return sum - 6
  }

  /// One of the elements.
  public mutating func element<Element>(of list: [Element]) -> Element {
    precondition(!list.isEmpty, "there is something to choose from")
    return list[Int(share() * Double(list.count))]
  }

  static func splitmix(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value << bits | value >> (64 - bits)
  }
}
