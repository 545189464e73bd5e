import Payloads
import Telemetry

/// Writes what a decoder made of `input`, one line per reading, as the golden files hold it.
func render(_ decoder: PayloadDecoder, _ input: [UInt8]) -> String {
  var readings = Readings()
  var lines: [String] = []
  input.withUnsafeBytes { payload in
    do throws(PayloadError) {
      try decoder.decode(payload, into: &readings)
    } catch {
      lines.append("error: \(error.code)\(error.offset.map { " at \($0)" } ?? "")")
    }
    for index in readings.points.indices {
      lines.append(render(readings.points[index], index, readings, payload))
      lines += readings.fieldRange(index).map { render(readings.fields[$0], readings, payload) }
    }
  }
  lines += readings.refusals.map { "refused: \($0.place) \($0.code)" }
  return lines.joined(separator: "\n") + "\n"
}

private func render(
  _ point: Point, _ index: Int, _ readings: Readings, _ payload: UnsafeRawBufferPointer
) -> String {
  var line = "point \(index)"
  if let device = point.device { line += " device=\(readings.text(device, payload: payload))" }
  if let type = point.deviceType { line += " type=\(readings.text(type, payload: payload))" }
  if let time = point.time { line += " at \(time.rfc3339)" }
  if point.receiptOffset != 0 { line += " at receipt \(point.receiptOffset) us" }
  return line
}

private func render(
  _ field: Field, _ readings: Readings, _ payload: UnsafeRawBufferPointer
) -> String {
  var line = "  \(readings.text(field.name, payload: payload)) = "
  switch field.value {
  case .number(let number): line += "\(number)"
  case .boolean(let boolean): line += "\(boolean)"
  case .text(let text): line += "\"\(readings.text(text, payload: payload))\""
  }
  if let unit = field.unit { line += " [\(readings.text(unit, payload: payload))]" }
  if let time = field.time { line += " at \(time.rfc3339)" }
  if field.quality != .good { line += " \(field.quality.text)" }
  return line
}
