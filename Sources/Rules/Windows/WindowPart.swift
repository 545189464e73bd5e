/// A part of a window, or several merged: seconds covered, a count, and numbers by function.
///
/// ```
/// mean stddev   a mean  b Σ(v − mean)²
/// sum           a Σv
/// min           a least
/// max           a greatest
/// delta rate    a Σ increments  b Σ seconds between
/// slope         a mean of t  b mean of v  c Σ(t − mean)²  d Σ(t − mean)(v − mean)
/// occupancy     a seconds true
/// edges count   the count alone
/// ```
/// Numbers from `WindowFunction.width` on are not kept in a window.
/// Merging of means and squares: Chan, Golub and LeVeque (1979).
struct WindowPart: Hashable, Sendable {
  var covered = 0.0
  var count = 0.0
  var a = 0.0
  var b = 0.0
  var c = 0.0
  var d = 0.0

  init() {}

  init(_ numbers: [Double], at base: Int, _ function: WindowFunction) {
    let width = function.width
    covered = numbers[base]
    count = numbers[base + 1]
    guard width > 2 else { return }
    a = numbers[base + 2]
    guard width > 3 else { return }
    b = numbers[base + 3]
    guard width > 4 else { return }
    c = numbers[base + 4]
    d = numbers[base + 5]
  }

  func store(_ numbers: inout [Double], at base: Int, _ function: WindowFunction) {
    let width = function.width
    numbers[base] = covered
    numbers[base + 1] = count
    guard width > 2 else { return }
    numbers[base + 2] = a
    guard width > 3 else { return }
    numbers[base + 3] = b
    guard width > 4 else { return }
    numbers[base + 4] = c
    numbers[base + 5] = d
  }

  mutating func observe(_ value: Double, at seconds: Double, _ function: WindowFunction) {
    count += 1
    switch function {
    case .min: a = count == 1 ? value : Swift.min(a, value)
    case .max: a = count == 1 ? value : Swift.max(a, value)
    case .sum: a += value
    case .slope:
      let (dt, dv) = (seconds - a, value - b)
      a += dt / count
      b += dv / count
      c += dt * (seconds - a)
      d += dt * (value - b)
    case .mean, .stddev:
      let step = value - a
      a += step / count
      b += step * (value - a)
    default: break
    }
  }

  mutating func add(_ other: WindowPart, _ function: WindowFunction) {
    covered += other.covered
    guard other.count > 0 || function == .occupancy else { return }
    let total = count + other.count
    switch function {
    case .min: a = count == 0 ? other.a : Swift.min(a, other.a)
    case .max: a = count == 0 ? other.a : Swift.max(a, other.a)
    case .slope:
      let (dt, dv) = (other.a - a, other.b - b)
      let share = other.count / total
      c += other.c + dt * dt * count * share
      d += other.d + dt * dv * count * share
      a += dt * share
      b += dv * share
    case .mean, .stddev:
      let step = other.a - a
      let share = other.count / total
      b += other.b + step * step * count * share
      a += step * share
    default:
      a += other.a
      b += other.b
    }
    count = total
  }

  /// `nil`: too few values to say anything.
  func result(_ function: WindowFunction) -> Double? {
    switch function {
    case .mean, .min, .max, .delta: count > 0 ? a : nil
    case .stddev: count > 1 ? (Swift.max(0, b) / (count - 1)).squareRoot() : nil
    case .sum, .occupancy: a
    case .count, .edges: count
    case .slope: count > 1 && c > 0 ? d / c : nil
    case .rate: count > 0 && b > 0 ? a / b : nil
    case .percentile: nil
    }
  }
}
