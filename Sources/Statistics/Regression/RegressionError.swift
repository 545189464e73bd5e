/// Why a model cannot be fitted to what was given.
public enum RegressionError: Error, Equatable, CustomStringConvertible {
  case tooFewRows(Int, needed: Int)
  case oneClassOnly
  case notFinite(row: Int)
  case singular
  case notConverged(iterations: Int)

  public var description: String {
    switch self {
    case .tooFewRows(let rows, let needed):
      "\(rows) rows are too few to fit a model; at least \(needed) are needed"
    case .oneClassOnly: "all rows have the same label; both failures and survivors are needed"
    case .notFinite(let row): "the label of row \(row + 1) is not a finite number"
    case .singular:
      "the features depend on each other exactly; a ridge penalty above 0 makes the fit unique"
    case .notConverged(let iterations):
      "the fit did not settle in \(iterations) iterations; a larger ridge penalty helps"
    }
  }
}
