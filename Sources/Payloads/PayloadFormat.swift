import Telemetry

/// The payload families that have a decoder, under the names used in devices/*.yaml.
public enum PayloadFormat: String, Sendable, CaseIterable {
  /// Any JSON object or array, read with a `JSONMapping`.
  case json
  /// `{device_id, device_type, timestamp, metrics: {…}}` or an array of them.
  case device
  /// Influx line protocol.
  case line
  /// One bare value: `21.5`, `ON`, `true`.
  case scalar
  /// Sparkplug B 3.0, on topics laid out as it says.
  case sparkplug
  /// SenML (RFC 8428) in JSON.
  case senml
  /// SenML in CBOR.
  case senmlCBOR = "senml_cbor"
}

extension PayloadFormat {
  /// The format a MIME type names; `nil` when it names none of ours.
  public init?(contentType: String) {
    let essence = contentType.split(separator: ";").first.map(String.init) ?? ""
    switch essence.trimmingASCIISpaces().lowercased() {
    case "application/json", "text/json": self = .json
    case "application/vnd.millwright.device+json": self = .device
    case "application/vnd.influx.line", "text/x-influx-line": self = .line
    case "text/plain": self = .scalar
    case "application/vnd.eclipse.sparkplug+protobuf": self = .sparkplug
    case "application/senml+json", "application/sensml+json": self = .senml
    case "application/senml+cbor", "application/sensml+cbor": self = .senmlCBOR
    default: return nil
    }
  }
}

extension PayloadFormat {
  /// The MIME type that names this format again, with the precision that line protocol cannot tell.
  public func contentType(precision: TimePrecision? = nil) -> String {
    switch self {
    case .json: "application/json"
    case .device: "application/vnd.millwright.device+json"
    case .line:
      "application/vnd.influx.line" + (precision.map { "; precision=\($0.name)" } ?? "")
    case .scalar: "text/plain"
    case .sparkplug: "application/vnd.eclipse.sparkplug+protobuf"
    case .senml: "application/senml+json"
    case .senmlCBOR: "application/senml+cbor"
    }
  }
}

extension String {
  func trimmingASCIISpaces() -> String {
    var bytes = Substring(self)
    while let first = bytes.first, first == " " || first == "\t" { bytes.removeFirst() }
    while let last = bytes.last, last == " " || last == "\t" { bytes.removeLast() }
    return String(bytes)
  }
}
