/// A unit of measure, named by its UCUM code (case sensitive): `Cel`, `bar`, `kW.h`, `/min`.
///
/// Made from a code or from one of the spellings people and devices use (`°C`, `rpm`, `m³/h`).
/// Only units of the table in `UnitTable.swift` exist; two that share a dimension convert.
public struct Unit: Hashable, Sendable, CustomStringConvertible {
  /// Position in `UnitTable.rows`.
  let row: Int

  init(row: Int) { self.row = row }

  /// Looks up a UCUM code, then an alias, then the alias in its plain spelling.
  ///
  /// Plain spelling: no spaces, `µ` and `μ` as `u`, `²` as `2`, `³` as `3`, `·` as `.`. Words such as
  /// `Celsius` or `percent` are read in any case; symbols never are (mW is not MW).
  /// Ambiguous: `C` is degrees Celsius (no coulombs here), `F` the farad as in UCUM, `g` the gram,
  /// `B`, `kB`, `MB`, `GB` bytes, `t` the tonne, `h` the hour, `S` the siemens.
  /// - Returns: `nil` for anything else; `Unit.suggestion(for:)` then may know what was meant.
  public init?(_ codeOrAlias: String) {
    guard let row = UnitTable.row(named: codeOrAlias) else { return nil }
    self.row = row
  }

  /// The UCUM code, the form in which units are stored.
  public var code: String { UnitTable.rows[row].code }

  /// What it measures; units convert within a dimension and nowhere else.
  public var dimension: Dimension { UnitTable.rows[row].dimension }

  /// The usual symbol for people: `°C`, `m³/h`, `1/min`.
  public var symbol: String { UnitTable.rows[row].symbol }

  public var description: String { code }

  /// Every unit of the table, in its order.
  public static var all: [Unit] { UnitTable.rows.indices.map(Unit.init(row:)) }

  /// The code or alias nearest to `text`, when one is near enough to have been meant.
  public static func suggestion(for text: String) -> String? {
    nearestName(to: text, among: UnitTable.names)
  }

  /// How to turn values in `source` into values in `target`; `nil` when the dimensions differ.
  public static func conversion(from source: Unit, to target: Unit) -> Conversion? {
    guard source.dimension == target.dimension else { return nil }
    if source == target { return .identity }
    return Conversion(from: UnitTable.rows[source.row].scale, to: UnitTable.rows[target.row].scale)
  }
}

/// What a unit measures.
///
/// Active, reactive and apparent power are one dimension in physics but three here: a kVA is never
/// to become a kW silently. The same holds for torque and energy, and for pieces and ratios.
public enum Dimension: String, Sendable, Hashable, CaseIterable {
  case acceleration, angle, apparentEnergy, apparentPower, area, capacitance, charge, concentration
  case conductance, conductivity, count, current, data, dataRate, density, dynamicViscosity, energy
  case force, frequency, illuminance, inductance, irradiance, kinematicViscosity, length
  case luminousFlux, magneticFluxDensity, mass, massFlow, acidity, power, pressure, ratio
  case reactiveEnergy, reactivePower, resistance, signalLevel, soundLevel, weightedSoundLevel
  case speed, temperature, time, torque, turbidity, voltage, volume, volumeFlow
}
