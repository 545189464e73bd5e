#if canImport(Glibc)
  import Glibc
#endif

/// SplitMix64: a seeded source for tests, the same on every machine.
struct ChunkRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// Uniform in 0 ..< 1.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Standard normal by Box and Muller.
  mutating func normal() -> Double {
    let radius = (-2 * log(1 - unit())).squareRoot()
    return radius * cos(2 * .pi * unit())
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// How many times longer than usual the random tests run: the environment's MILLWRIGHT_FUZZ says how many
/// inputs a decoder gets, and 20,000 of them are usual.
let fuzzFactor: Int =
  max(1, (getenv("MILLWRIGHT_FUZZ").flatMap { Int(String(cString: $0)) } ?? 0) / 20_000)
