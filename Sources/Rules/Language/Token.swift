/// One word of a rule expression with its place.
struct Token: Equatable {
  enum Kind: Equatable {
    /// A number, with the unit that was written behind it.
    case number(Double, unit: String)
    /// `20 samples`.
    case samples(Int)
    /// A metric, a function, a word of the language.
    case word(String)
    /// `press1/temperature`.
    case absolute(device: String, metric: String)
    /// `./press/temperature`: below the asset that the rule watches.
    case relative(path: String, metric: String)
    case text(String)
    /// An operator or a bracket.
    case symbol(String)
    case end
  }

  var kind: Kind
  /// In Unicode scalars from the start of the expression.
  var range: Range<Int>
  /// Where the unit of a number stands.
  var unitRange: Range<Int> = 0..<0
}

/// What is wrong with an expression, and where in it.
struct ExpressionError: Error, Equatable {
  /// In Unicode scalars from the start of the expression.
  var offset: Int
  var message: String
}
