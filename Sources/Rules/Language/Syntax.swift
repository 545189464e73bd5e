import Telemetry

/// An expression as it was written, with places; meaning comes with `ProgramBuilder`.
struct Syntax {
  indirect enum Form {
    case number(Double, Telemetry.Unit?)
    case samples(Int)
    case boolean(Bool)
    case text(String)
    case signal(Reference)
    case call(String, [Syntax])
    case negative(Syntax)
    case not(Syntax)
    case binary(Operator, Syntax, Syntax)
    case membership(Syntax, [Syntax], isNegated: Bool)
    case sequence(Syntax, Syntax, within: Syntax)
  }

  enum Operator: String {
    case or, and
    case less = "<"
    case lessEqual = "<="
    case greater = ">"
    case greaterEqual = ">="
    case equal = "=="
    case notEqual = "!="
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"

    var isOrdering: Bool {
      switch self {
      case .less, .lessEqual, .greater, .greaterEqual: true
      default: false
      }
    }

    var isComparison: Bool { isOrdering || self == .equal || self == .notEqual }
  }

  var form: Form
  /// In Unicode scalars from the start of the expression.
  var range: Range<Int>
}

/// Which signal an expression means.
struct Reference: Hashable, Sendable {
  enum Place: Hashable, Sendable {
    /// The device that the rule's instance watches.
    case own
    case device(String)
    /// Below the asset that the rule's instance watches.
    case below(String)
  }

  var place: Place
  var metric: String

  var description: String {
    switch place {
    case .own: metric
    case .device(let id): "\(id)/\(metric)"
    case .below(let path): "./\(path)/\(metric)"
    }
  }
}
