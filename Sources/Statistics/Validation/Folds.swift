/// Which fold each row belongs to, for cross-validation; a function of the seed alone.
public struct Folds: Sendable, Equatable {
  public let count: Int
  public let foldOfRow: [Int]

  /// Keeps rows of one group (an engine, a machine) in one fold.
  public static func grouped(_ groups: [Int], count: Int, seed: UInt64) -> Folds {
    var names = Array(Set(groups)).sorted()
    var random = SplitMix64(seed: seed)
    random.shuffle(&names)
    var foldOfGroup: [Int: Int] = [:]
    for (place, name) in names.enumerated() { foldOfGroup[name] = place % count }
    return Folds(count: count, foldOfRow: groups.map { foldOfGroup[$0, default: 0] })
  }

  /// Gives each fold the same share of true labels.
  public static func stratified(_ labels: [Bool], count: Int, seed: UInt64) -> Folds {
    var random = SplitMix64(seed: seed)
    var folds = [Int](repeating: 0, count: labels.count)
    for kind in [false, true] {
      var rows = labels.indices.filter { labels[$0] == kind }
      random.shuffle(&rows)
      for (place, row) in rows.enumerated() { folds[row] = place % count }
    }
    return Folds(count: count, foldOfRow: folds)
  }

  public func training(without fold: Int) -> [Int] {
    foldOfRow.indices.filter { foldOfRow[$0] != fold }
  }

  public func test(in fold: Int) -> [Int] { foldOfRow.indices.filter { foldOfRow[$0] == fold } }
}

/// SplitMix64 (Steele, Lea and Flood 2014): a seed gives the same folds on every machine.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// Fisher and Yates, written out: the library's own shuffle may change between versions.
  public mutating func shuffle<Element>(_ list: inout [Element]) {
    for last in stride(from: list.count - 1, to: 0, by: -1) {
      list.swapAt(last, Int(next().multipliedFullWidth(by: UInt64(last + 1)).high))
    }
  }
}
