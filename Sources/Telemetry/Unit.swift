/// A unit of measure, named by its UCUM code (case sensitive): `Cel`, `bar`, `kW.h`, `m3/h`.
///
/// Made from a code, from one of the spellings people and devices use (`°C`, `rpm`, `m³/h`), or put
/// together of such (`kWh/d`, `W/(m2.K)`, `mg/kg`). Two units convert when they measure the same. The
/// units with a row of their own are listed in `docs/units.md`.
public struct Unit: Hashable, Sendable, CustomStringConvertible {
  /// The UCUM code, the form in which units are stored; reads back as the same unit.
  public let code: String
  /// The usual symbol for people: `°C`, `m³/h`, `1/min`.
  public let symbol: String
  let vector: UnitVector
  let scale: UnitScale

  /// Looks up a UCUM code, then a spelling, then the spelling in its plain form; then reads it as put
  /// together of units and prefixes (see `UnitParser`).
  ///
  /// Plain form: no spaces, `µ` and `μ` as `u`, `²` as `2`, `³` as `3`, `·` as `.`, no `^`. Words such
  /// as `Celsius` or `percent` are read in any case; symbols never are (mW is not MW).
  /// Ambiguous: `C` is degrees Celsius (a coulomb is `A.s`), `F` the farad as in UCUM, `g` the gram
  /// (`[g]` is the acceleration), `B`, `kB`, `MB`, `GB` bytes, `t` the tonne, `h` the hour, `S` the
  /// siemens.
  /// - Returns: `nil` for anything else; `Unit.suggestion(for:)` then may know what was meant.
  public init?(_ text: String) {
    guard let unit = UnitTable.unit(named: text) ?? UnitParser.unit(text) else { return nil }
    self = unit
  }

  init(code: String, symbol: String, vector: UnitVector, scale: UnitScale) {
    self.code = code
    self.symbol = symbol
    self.vector = vector
    self.scale = scale
  }

  /// What it measures; `nil` for what has no name here, such as `W/(m2.K)`.
  public var dimension: Dimension? { Dimension(vector) }

  public var description: String { code }

  /// Other spellings that lead to this unit; empty for one that was put together.
  public var aliases: [String] { UnitTable.rows.first { $0.code == code }?.aliases ?? [] }

  /// Every unit of the table, in its order.
  public static var all: [Unit] { UnitTable.units }

  /// The code or alias nearest to `text`, when one is near enough to have been meant.
  public static func suggestion(for text: String) -> String? {
    nearestName(to: text, among: UnitTable.names)
  }

  /// How to turn values in `source` into values in `target`; `nil` when they measure different things.
  public static func conversion(from source: Unit, to target: Unit) -> Conversion? {
    guard source.vector == target.vector else { return nil }
    if source == target { return .identity }
    return Conversion(from: source.scale, to: target.scale)
  }

  public static func == (a: Unit, b: Unit) -> Bool { a.code == b.code }

  public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

/// What a unit measures, where that has a name.
///
/// Active, reactive and apparent power are one dimension in physics but three here: a kVA is never
/// to become a kW silently. The same holds for torque and energy, for pieces and ratios, for gauge and
/// absolute pressure, and for norm cubic metres of a gas and those of the flow itself.
public enum Dimension: String, Sendable, Hashable, CaseIterable {
  case absorbedDose, acceleration, acidity, activity, amount, angle, apparentEnergy, apparentPower
  case area, capacitance, catalyticActivity, charge, concentration, conductance, conductivity, count
  case current, data, dataRate, density, doseEquivalent, dynamicViscosity, energy, force, frequency
  case gaugePressure, illuminance, inductance, irradiance, kinematicViscosity, length, luminance
  case luminousFlux, luminousIntensity, magneticFlux, magneticFluxDensity, mass, massFlow
  case normVolume, normVolumeFlow, numberDensity, power, pressure, ratio, reactiveEnergy
  case reactivePower, resistance, signalLevel, solidAngle, soundLevel, soundPressureLevel, speed
  case temperature, time, torque, turbidity, voltage, volume, volumeFlow, weightedSoundLevel
}
