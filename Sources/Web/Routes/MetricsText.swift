import Gateway

/// Writes metrics as Prometheus text 0.0.4 or OpenMetrics 1.0.
///
/// The two differ in little: OpenMetrics names a counter's family without `_total`, has `# UNIT` lines and
/// ends with `# EOF`.
struct MetricsText {
  enum Form: Sendable {
    case prometheus
    case openMetrics

    /// OpenMetrics for who asks for it, else the text that everybody reads.
    init(accept: String?) {
      self = accept?.contains("application/openmetrics-text") ?? false ? .openMetrics : .prometheus
    }

    var contentType: String {
      switch self {
      case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
      case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
      }
    }
  }

  typealias Labels = [(String, String)]

  let form: Form
  private(set) var text = ""

  init(form: Form) { self.form = form }

  /// - Parameter name: without `_total`; a unit such as `seconds` is its last word.
  mutating func counter(_ name: String, _ help: String, _ samples: [(Labels, Double)]) {
    head(form == .openMetrics ? name : name + "_total", unitOf: name, "counter", help)
    for (labels, value) in samples { sample(name + "_total", labels, value) }
  }

  mutating func counter(_ name: String, _ help: String, _ value: some BinaryInteger) {
    counter(name, help, [([], Double(value))])
  }

  mutating func gauge(_ name: String, _ help: String, _ samples: [(Labels, Double)]) {
    head(name, unitOf: name, "gauge", help)
    for (labels, value) in samples { sample(name, labels, value) }
  }

  mutating func gauge(_ name: String, _ help: String, _ value: Double) {
    gauge(name, help, [([], value)])
  }

  mutating func histogram(_ name: String, _ help: String, _ samples: [(Labels, Histogram)]) {
    head(name, unitOf: name, "histogram", help)
    for (labels, histogram) in samples {
      var total: UInt64 = 0
      for (index, count) in histogram.counts.enumerated() {
        total += count
        let bound = index < histogram.bounds.count ? number(histogram.bounds[index]) : "+Inf"
        sample(name + "_bucket", labels + [("le", bound)], Double(total))
      }
      sample(name + "_sum", labels, histogram.sum)
      sample(name + "_count", labels, Double(total))
    }
  }

  /// The whole text; nothing may follow.
  mutating func finish() -> String {
    if form == .openMetrics { text += "# EOF\n" }
    return text
  }

  private static let units = ["seconds", "bytes"]

  private mutating func head(_ family: String, unitOf name: String, _ type: String, _ help: String)
  {
    text += "# HELP \(family) \(escaped(help, quotes: false))\n# TYPE \(family) \(type)\n"
    guard form == .openMetrics, let unit = Self.units.first(where: { name.hasSuffix("_" + $0) })
    else { return }
    text += "# UNIT \(family) \(unit)\n"
  }

  private mutating func sample(_ name: String, _ labels: Labels, _ value: Double) {
    text += name
    if !labels.isEmpty {
      let pairs = labels.map { "\($0.0)=\"\(escaped($0.1, quotes: true))\"" }
      text += "{" + pairs.joined(separator: ",") + "}"
    }
    text += " \(number(value))\n"
  }

  private func number(_ value: Double) -> String {
    if let whole = Int64(exactly: value), form == .prometheus || whole.magnitude > 1 << 53 {
      return String(whole)
    }
    return "\(value)"
  }

  private func escaped(_ text: String, quotes: Bool) -> String {
    let plain = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    return quotes || form == .openMetrics ? plain.replacing("\"", with: "\\\"") : plain
  }
}
