import Telemetry

extension MappingProposal {
  /// Whether there is anything to write.
  public var isEmpty: Bool { routes.isEmpty && declarations.isEmpty }

  /// A devices file with profiles and routes; each line says where it comes from.
  public func yaml(source: String) -> String {
    var lines = [
      "# Proposed by `millwright map` from \(messageCount) messages of \(source).",
      "# Lines marked with `guess` leave more than one reading: look at them before relying on them.",
    ]
    let wanted = profiles.filter { !$0.isKnown }
    if !wanted.isEmpty { lines += ["", "profiles:"] }
    for profile in wanted {
      lines.append("  - id: \(profile.id)")
      lines.append("    # \(profile.devices.prefix(5).joined(separator: ", "))")
      lines.append("    metrics:")
      for metric in profile.metrics { lines.append("      " + line(metric)) }
    }
    if !declarations.isEmpty { lines += ["", "devices:"] }
    for (device, profile) in declarations {
      lines.append("  - {id: \(quoted(device)), profile: \(profile)}")
    }
    if !routes.isEmpty { lines += ["", "routes:"] }
    for route in routes {
      lines.append("  - topic: \(quoted(route.group.pattern))")
      if route.isScalar { lines.append("    format: scalar") }
      lines.append("    device: \(quoted(route.group.device))")
      if let metric = route.group.metric { lines.append("    metric: \(quoted(metric))") }
      if !route.profile.isEmpty { lines.append("    profile: \(route.profile)") }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func line(_ guess: MetricGuess) -> String {
    var members: [String] = []
    switch (guess.type, guess.kind) {
    case (.number, .gauge): break
    case (.number, let kind): members.append("kind: \(kind.name)")
    case (.boolean, _): members.append("type: boolean")
    case (.text, _): members.append("type: text")
    }
    if guess.type == .number, guess.kind == .state { members.append("type: number") }
    if !guess.unit.isEmpty, guess.type == .number { members.append("unit: \(quoted(guess.unit))") }
    return "\(quoted(guess.metric)): {\(members.joined(separator: ", "))}  # "
      + (guess.isGuess ? "guess: " : "") + guess.reason.replacingLineBreaks
  }

  /// Plain where YAML allows it, else in double quotes.
  private func quoted(_ text: String) -> String {
    let isPlain =
      text.first?.isLetter == true
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-./".contains($0)) }
      && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(text.lowercased())
    return isPlain ? text : JSONText.quoted(text)
  }
}

extension String {
  fileprivate var replacingLineBreaks: String {
    String(map { $0.isNewline ? " " : $0 })
  }
}
