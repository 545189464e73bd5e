import Telemetry

/// What a loss costs: at its machine, and at the line.
public struct LossWorth: Hashable, Sendable {
  public var machine: String
  public var loss: String
  public var microseconds: Int64
  /// Points of the machine's OEE; 0.01 is one percent.
  public var machinePoints: Double?
  public var machinePartsPerShift: Double?
  /// Points of the line's OEE: 0 at a machine that is not the constraint, because the line would not make one part more.
  public var linePoints: Double?
  public var linePartsPerShift: Double?

  public var json: JSONValue {
    func number(_ value: Double?) -> JSONValue { value.map(JSONValue.double) ?? .null }
    return .object([
      ("machine", .string(machine)), ("loss", .string(loss)),
      ("duration_seconds", .seconds(microseconds)),
      ("machine_oee_points", number(machinePoints)),
      ("machine_parts_per_shift", number(machinePartsPerShift)),
      ("line_oee_points", number(linePoints)),
      ("line_parts_per_shift", number(linePartsPerShift)), ("basis", .string("observed_not_tried")),
    ])
  }
}

extension LineResult {
  /// Every loss inside planned time, the costliest to the line first, then to its machine.
  ///
  /// What the parts would be worth had the loss not been is arithmetic on what was observed; nothing was tried.
  public var worth: [LossWorth] {
    var list: [LossWorth] = []
    for machine in machines {
      let figures = machine.result.figures
      let isConstraint = machine.definition.id == constraint
      for loss in machine.result.waterfall.losses
      where loss.level != .calendar && loss.microseconds != 0 {
        let lineParts = cycle.map { Fraction(loss.microseconds) / $0 }
        list.append(
          LossWorth(
            machine: machine.definition.id, loss: loss.name, microseconds: loss.microseconds,
            machinePoints: loss.points,
            machinePartsPerShift: loss.parts.flatMap {
              figures.shifts > 0 ? $0 / Double(figures.shifts) : nil
            },
            linePoints: isConstraint ? loss.points : 0,
            linePartsPerShift: isConstraint
              ? lineParts.flatMap {
                figures.shifts > 0 ? ($0 / Fraction(figures.shifts)).value : nil
              } : 0))
      }
    }
    return list.stablySorted { worth in
      Descending(first: worth.linePoints ?? 0, second: worth.machinePoints ?? 0)
    }
  }
}

private struct Descending: Comparable {
  var first: Double
  var second: Double

  static func < (a: Descending, b: Descending) -> Bool {
    (b.first, b.second) < (a.first, a.second)
  }
}
