/// How hard lots are looked at.
public enum InspectionSeverity: UInt8, Sendable, Hashable, CaseIterable {
  case normal, tightened, reduced

  public var name: String { ["normal", "tightened", "reduced"][Int(rawValue)] }
}

/// Single sampling plans for inspection by attributes, general inspection level II.
///
/// Code letters, sample sizes and acceptance numbers of normal and tightened inspection as in MIL-STD-105E
/// (tables I, II-A and II-B; a work of the US government, in the public domain), which ISO 2859-1 took over.
/// Held are letters A to M and AQL 0.65 to 4.0 % nonconforming. Where the standard's table has an arrow, the plan
/// of the letter it leads to is used, with its sample size. Reduced inspection is not held: the
/// editions differ in it (MIL-STD-105E leaves a gap between Ac and Re, ISO 2859-1:1999 does not); give such a plan
/// in the configuration. A plan from a contract goes before this table.
public enum SamplingTable {
  /// In percent nonconforming.
  public static let acceptableQualityLevels = [0.65, 1.0, 1.5, 2.5, 4.0]
  public static let letters = ["A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "L", "M"]

  private static let lotSizes: [(max: Int, letter: String)] = [
    (8, "A"), (15, "B"), (25, "C"), (50, "D"), (90, "E"), (150, "F"), (280, "G"), (500, "H"),
    (1_200, "J"), (3_200, "K"), (10_000, "L"), (35_000, "M"), (150_000, "N"), (500_000, "P"),
    (.max, "Q"),
  ]

  private static let sizes = [2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315]

  /// Letter of general inspection level II; `nil` for lots below 2.
  public static func codeLetter(lot: Int) -> String? {
    lot < 2 ? nil : lotSizes.first { lot <= $0.max }?.letter
  }

  /// - Parameter aql: one of `acceptableQualityLevels`.
  /// - Returns: `nil` for letters, levels and severities that are not held. A sample as large as the lot means that
  ///   all of it is inspected.
  public static func plan(
    letter: String, aql: Double, severity: InspectionSeverity = .normal
  ) -> SamplingPlan? {
    guard let row = letters.firstIndex(of: letter),
      let column = acceptableQualityLevels.firstIndex(of: aql)
    else { return nil }
    let table: [[Int]]
    switch severity {
    case .normal: table = normal
    case .tightened: table = tightened
    case .reduced: return nil
    }
    var place = row
    // Arrows: down to the first plan with a number, or up where that is nearer.
    while place >= 0, place < table.count {
      switch table[place][column] {
      case down: place += 1
      case up: place -= 1
      case let acceptance: return SamplingPlan(sampleSize: sizes[place], acceptance: acceptance)
      }
    }
    return nil
  }

  private static let down = -1
  private static let up = -2

  /// Acceptance numbers by letter and AQL 0.65, 1.0, 1.5, 2.5, 4.0.
  private static let normal = [
    [down, down, down, down, down],  // A, 2
    [down, down, down, down, 0],  // B, 3
    [down, down, down, 0, up],  // C, 5
    [down, down, 0, up, down],  // D, 8
    [down, 0, up, down, 1],  // E, 13
    [0, up, down, 1, 2],  // F, 20
    [up, down, 1, 2, 3],  // G, 32
    [down, 1, 2, 3, 5],  // H, 50
    [1, 2, 3, 5, 7],  // J, 80
    [2, 3, 5, 7, 10],  // K, 125
    [3, 5, 7, 10, 14],  // L, 200
    [5, 7, 10, 14, 21],  // M, 315
  ]

  private static let tightened = [
    [down, down, down, down, down],  // A, 2
    [down, down, down, down, down],  // B, 3
    [down, down, down, down, 0],  // C, 5
    [down, down, down, 0, down],  // D, 8
    [down, down, 0, down, down],  // E, 13
    [down, 0, down, down, 1],  // F, 20
    [0, down, down, 1, 2],  // G, 32
    [down, down, 1, 2, 3],  // H, 50
    [down, 1, 2, 3, 5],  // J, 80
    [1, 2, 3, 5, 8],  // K, 125
    [2, 3, 5, 8, 12],  // L, 200
    [3, 5, 8, 12, 18],  // M, 315
  ]
}
