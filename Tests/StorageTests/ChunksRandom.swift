import TestSupport

#if canImport(Glibc)
  import Glibc
#endif

/// Numbers as the tests of the codecs want them.
extension SeededGenerator {
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
