import Operations
import Telemetry
import TestSupport
import Testing

@Suite struct SpanSetTests {
  static let width = 24

  /// The moments of 0..<24 µs as bits.
  private static func bits(_ set: SpanSet) -> [Bool] {
    (0..<width).map { set.contains(Timestamp(microseconds: Int64($0))) }
  }

  private static func randomSpans(_ generator: inout SeededGenerator) -> ([Span], [Bool]) {
    var bitmap = [Bool](repeating: false, count: width)
    let spans = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
      let a = Int.random(in: 0..<width, using: &generator)
      let b = Int.random(in: a..<width, using: &generator)
      for index in a..<b { bitmap[index] = true }
      return Span(Timestamp(microseconds: Int64(a))..<Timestamp(microseconds: Int64(b)))
    }
    return (spans, bitmap)
  }

  @Test("Union, intersection, subtraction, clamping and length agree with a bitmap of moments")
  func bitmap() {
    var generator = SeededGenerator(seed: 20_261_123)
    for _ in 0..<2_000 {
      let (spansA, bitsA) = Self.randomSpans(&generator)
      let (spansB, bitsB) = Self.randomSpans(&generator)
      let (a, b) = (SpanSet(spansA), SpanSet(spansB))
      #expect(Self.bits(a) == bitsA)
      #expect(a.microseconds == Int64(bitsA.count { $0 }))
      #expect(Self.bits(a.union(b)) == zip(bitsA, bitsB).map { $0 || $1 })
      #expect(Self.bits(a.intersection(b)) == zip(bitsA, bitsB).map { $0 && $1 })
      #expect(Self.bits(a.subtracting(b)) == zip(bitsA, bitsB).map { $0 && !$1 })
      #expect(a.microseconds == a.subtracting(b).microseconds + a.intersection(b).microseconds)
      // The form is unique: the same moments are the same value.
      #expect(a.subtracting(b).union(a.intersection(b)) == a)
      for set in [a, a.union(b), a.intersection(b), a.subtracting(b)] { set._checkInvariants() }
      let low = Int.random(in: 0..<Self.width, using: &generator)
      let high = Int.random(in: low..<Self.width, using: &generator)
      let window = Span(Timestamp(microseconds: Int64(low))..<Timestamp(microseconds: Int64(high)))
      #expect(a.microseconds(within: window) == Int64(bitsA[low..<high].count { $0 }))
      #expect(a.clamped(to: window).microseconds == a.microseconds(within: window))
      let last = a.lastMoment(from: window.from, through: window.to)
      let expected: Int? = (low...high).last { bitsA[$0] }
      #expect(last?.microseconds == expected.map { Int64($0) })
    }
  }

  @Test("A span whose times are swapped is refused, not read as crossing midnight")
  func swapped() {
    #expect(Span(from: at(14), to: at(6)) == nil)
    #expect(Span(from: at(6), to: at(6))?.microseconds == 0)
    #expect(DayWindow(from: TimeOfDay(second: 50_400), to: TimeOfDay(second: 21_600)) == nil)
    #expect(
      DayWindow(from: TimeOfDay(second: 50_400), to: TimeOfDay(second: 21_600), overnight: true)?
        .seconds == 16 * 3_600)
    #expect(
      DayWindow(from: TimeOfDay(second: 21_600), to: TimeOfDay(second: 50_400), overnight: true)
        == nil)
  }

  @Test("The ends of time do not overflow")
  func extremes() {
    let all = SpanSet(Span(Timestamp.distantPast..<Timestamp.distantFuture))
    #expect(all.microseconds == .max)
    #expect(all.subtracting(SpanSet(early)).spans.count == 2)
    #expect(all.subtracting(SpanSet(early)).microseconds == .max)
  }
}

@Suite struct FractionTests {
  @Test("A quotient is rounded once, to the nearest double")
  func rounding() {
    #expect(Fraction(380, over: 480).value == 380.0 / 480)
    #expect(Fraction(1, over: 3).value == 1.0 / 3)
    #expect((Fraction(1, over: 3) * Fraction(3)).value == 1)
    #expect((Fraction(1, over: 10) + Fraction(2, over: 10)).value == 0.3)
    #expect(Fraction(-7, over: 2).rounded == -4)
    #expect(Fraction(7, over: -2) < Fraction.zero)
    // More digits than a double holds, on both sides.
    let big = Fraction((Int128(1) << 90) + 1, over: (Int128(1) << 89) + 1)
    #expect((big.value - 2).magnitude < 1e-15)
  }

  @Test("Terms beyond 128 bits are rounded to about 18 digits instead of trapping")
  func overflow() {
    var product = Fraction(1)
    var expected = 1.0
    for index in 1...60 {
      product = product * Fraction(Int128(1_000_003 + index), over: Int128(999_983 - index))
      expected *= Double(1_000_003 + index) / Double(999_983 - index)
    }
    #expect((product.value / expected - 1).magnitude < 1e-12)
    var sum = Fraction.zero
    var plain = 0.0
    for index in 1...200 {
      sum = sum + Fraction(1, over: Int128(1_000_003 + 2 * index))
      plain += 1 / Double(1_000_003 + 2 * index)
    }
    #expect((sum.value / plain - 1).magnitude < 1e-12)
  }

  @Test("Ideal cycles are read as times or rates, exactly")
  func cycles() throws {
    #expect(try #require(IdealCycle("1.2 s")).microseconds == Fraction(1_200_000))
    #expect(try #require(IdealCycle("450ms")).microseconds == Fraction(450_000))
    #expect(
      try #require(IdealCycle("7000 parts/h")).microseconds == Fraction(3_600_000_000, over: 7_000))
    #expect(try #require(IdealCycle("50 1/min")).microseconds == Fraction(1_200_000))
    #expect(try #require(IdealCycle("50 pcs / min")).microseconds == Fraction(1_200_000))
    for text in ["", "0 s", "-1 s", "1.2", "0 parts/h", "12 parts", "nan s", "1e3 s", "1..2 s"] {
      #expect(IdealCycle(text) == nil, "\(text)")
    }
  }
}
