import Storage
import TestSupport
import Testing

@Suite struct ChunksDecimalScaleTests {
  @Test("A short decimal is its digits and the place of its point")
  func shortDecimals() {
    #expect(DecimalScale.mantissa(of: 21.53, scale: 2) == 2153)
    #expect(DecimalScale.mantissa(of: 21.53, scale: 1) == nil)
    #expect(DecimalScale.mantissa(of: 21.5, scale: 2) == 2150)
    #expect(DecimalScale.mantissa(of: -0.07, scale: 2) == -7)
    #expect(DecimalScale.smallestScale(of: 21.53) == 2)
    #expect(DecimalScale.smallestScale(of: 0) == 0)
    #expect(DecimalScale.smallestScale(of: 9_007_199_254_740_992) == 0)
    #expect(DecimalScale.smallestScale(of: 1e-12) == 12)
  }

  @Test("What is no decimal has neither mantissa nor scale")
  func notDecimal() {
    let strangers: [Double] = [
      -0.0, .nan, .signalingNaN, .infinity, -.infinity, .leastNonzeroMagnitude, 1e300, 1.0 / 3,
      9_007_199_254_740_994, Double.greatestFiniteMagnitude, 1e-13, 0.1 + 0.2,
    ]
    for value in strangers {
      #expect(DecimalScale.smallestScale(of: value) == nil, "\(value)")
      for scale in 0...DecimalScale.scaleMax {
        #expect(DecimalScale.mantissa(of: value, scale: scale) == nil, "\(value) at \(scale)")
      }
    }
  }

  @Test("Mantissa and value are inverse for every decimal of up to fifteen digits")
  func decimalsRoundTrip() {
    var random = SeededGenerator(seed: 7)
    var wrong = 0
    for _ in 0..<200_000 {
      let scale = Int(random.next() % 13)
      let digits = Int(random.next() % 15) + 1
      var bound: Int64 = 1
      for _ in 0..<digits { bound *= 10 }
      let mantissa = Int64(bitPattern: random.next()) % bound
      let value = DecimalScale.value(mantissa: mantissa, scale: scale)
      if DecimalScale.mantissa(of: value, scale: scale) != mantissa { wrong += 1 }
      guard let smallest = DecimalScale.smallestScale(of: value), smallest <= scale,
        let short = DecimalScale.mantissa(of: value, scale: smallest)
      else {
        wrong += 1
        continue
      }
      let again = DecimalScale.value(mantissa: short, scale: smallest)
      if again.bitPattern != value.bitPattern { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test("A value equals the double its decimal text is read as")
  func sameAsText() {
    var random = SeededGenerator(seed: 8)
    for _ in 0..<2_000 {
      let cents = Int64(random.next() % 1_000_000)
      let fraction = cents % 100
      let text = "\(cents / 100).\(fraction < 10 ? "0" : "")\(fraction)"
      #expect(DecimalScale.value(mantissa: cents, scale: 2) == Double(text))
    }
  }

  @Test("Whatever mantissa a random double has gives back its bits")
  func randomDoubles() {
    var random = SeededGenerator(seed: 9)
    var wrong = 0
    for _ in 0..<200_000 {
      let value = Double(bitPattern: random.next())
      for scale in [0, 1, 3, 9, 12] {
        guard let mantissa = DecimalScale.mantissa(of: value, scale: scale) else { continue }
        let again = DecimalScale.value(mantissa: mantissa, scale: scale)
        if again.bitPattern != value.bitPattern { wrong += 1 }
      }
    }
    #expect(wrong == 0)
  }
}
