/// The exponents of a unit over the base quantities: newton is length 1, mass 1, time −2.
///
/// To the seven of the SI come the plane angle, which is a base quantity in UCUM too, data, pieces, and
/// marks for quantities that share a dimension in physics and must not convert here: a kVA is never to
/// become a kW, nor a gauge pressure an absolute one.
struct UnitVector: Hashable, Sendable {
  enum Axis: Int {
    case length, mass, time, current, temperature, amount, luminousIntensity
    case angle, data, count
    case apparent, reactive, torque, gauge, norm, activity, absorbedDose, doseEquivalent
    case acidity, turbidity, level, weightedLevel, soundPressureLevel, signalLevel
  }

  private var exponents: SIMD32<Int16> = .zero

  static let one = UnitVector()

  private init() {}

  /// The vector of a product with `other` to the power of `exponent`.
  func times(_ other: UnitVector, toThe exponent: Int) -> UnitVector {
    var product = self
    product.exponents &+= other.exponents &* Int16(exponent)
    return product
  }
}

extension Dimension {
  var vector: UnitVector {
    switch self {
    case .absorbedDose: [.length: 2, .time: -2, .absorbedDose: 1]
    case .acceleration: [.length: 1, .time: -2]
    case .acidity: [.acidity: 1]
    case .activity: [.time: -1, .activity: 1]
    case .amount: [.amount: 1]
    case .angle: [.angle: 1]
    case .apparentEnergy: [.length: 2, .mass: 1, .time: -2, .apparent: 1]
    case .apparentPower: [.length: 2, .mass: 1, .time: -3, .apparent: 1]
    case .area: [.length: 2]
    case .capacitance: [.length: -2, .mass: -1, .time: 4, .current: 2]
    case .catalyticActivity: [.amount: 1, .time: -1]
    case .charge: [.current: 1, .time: 1]
    case .concentration: [.amount: 1, .length: -3]
    case .conductance: [.length: -2, .mass: -1, .time: 3, .current: 2]
    case .conductivity: [.length: -3, .mass: -1, .time: 3, .current: 2]
    case .count: [.count: 1]
    case .current: [.current: 1]
    case .data: [.data: 1]
    case .dataRate: [.data: 1, .time: -1]
    case .density: [.mass: 1, .length: -3]
    case .doseEquivalent: [.length: 2, .time: -2, .doseEquivalent: 1]
    case .dynamicViscosity: [.length: -1, .mass: 1, .time: -1]
    case .energy: [.length: 2, .mass: 1, .time: -2]
    case .force: [.length: 1, .mass: 1, .time: -2]
    case .frequency: [.time: -1]
    case .gaugePressure: [.length: -1, .mass: 1, .time: -2, .gauge: 1]
    case .illuminance: [.luminousIntensity: 1, .angle: 2, .length: -2]
    case .inductance: [.length: 2, .mass: 1, .time: -2, .current: -2]
    case .irradiance: [.mass: 1, .time: -3]
    case .kinematicViscosity: [.length: 2, .time: -1]
    case .length: [.length: 1]
    case .luminance: [.luminousIntensity: 1, .length: -2]
    case .luminousFlux: [.luminousIntensity: 1, .angle: 2]
    case .luminousIntensity: [.luminousIntensity: 1]
    case .magneticFlux: [.length: 2, .mass: 1, .time: -2, .current: -1]
    case .magneticFluxDensity: [.mass: 1, .time: -2, .current: -1]
    case .mass: [.mass: 1]
    case .massFlow: [.mass: 1, .time: -1]
    case .normVolume: [.length: 3, .norm: 1]
    case .normVolumeFlow: [.length: 3, .time: -1, .norm: 1]
    case .numberDensity: [.count: 1, .length: -3]
    case .power: [.length: 2, .mass: 1, .time: -3]
    case .pressure: [.length: -1, .mass: 1, .time: -2]
    case .ratio: .one
    case .reactiveEnergy: [.length: 2, .mass: 1, .time: -2, .reactive: 1]
    case .reactivePower: [.length: 2, .mass: 1, .time: -3, .reactive: 1]
    case .resistance: [.length: 2, .mass: 1, .time: -3, .current: -2]
    case .signalLevel: [.signalLevel: 1]
    case .solidAngle: [.angle: 2]
    case .soundLevel: [.level: 1]
    case .soundPressureLevel: [.soundPressureLevel: 1]
    case .speed: [.length: 1, .time: -1]
    case .temperature: [.temperature: 1]
    case .time: [.time: 1]
    case .torque: [.length: 2, .mass: 1, .time: -2, .torque: 1]
    case .turbidity: [.turbidity: 1]
    case .voltage: [.length: 2, .mass: 1, .time: -3, .current: -1]
    case .volume: [.length: 3]
    case .volumeFlow: [.length: 3, .time: -1]
    case .weightedSoundLevel: [.weightedLevel: 1]
    }
  }

  private static let byVector: [UnitVector: Dimension] = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0.vector, $0) })

  /// The dimension that has a vector; `nil`: none of those that have a name here.
  init?(_ vector: UnitVector) {
    guard let known = Self.byVector[vector] else { return nil }
    self = known
  }
}

extension UnitVector: ExpressibleByDictionaryLiteral {
  init(dictionaryLiteral elements: (Axis, Int16)...) {
    for (axis, exponent) in elements { exponents[axis.rawValue] = exponent }
  }
}
