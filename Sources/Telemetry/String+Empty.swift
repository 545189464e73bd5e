extension String {
  /// `nil` for the empty string, which stands for "not given" where there is no optional.
  package var nonEmpty: String? { isEmpty ? nil : self }
}
