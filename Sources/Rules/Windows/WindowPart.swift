/// A part of a window, or several merged: seconds covered, a count, and numbers by function.
///
/// ```
/// mean stddev sum   a mean   b Σ(v − mean)²   c Σv
/// min max           a least  b greatest
/// delta rate        a Σ increments  b Σ seconds between
/// slope             a mean of t  b mean of v  c Σ(t − mean)²  d Σ(t − mean)(v − mean)
/// occupancy         a seconds true
/// edges count       the count alone
/// ```
/// Merging of means and squares: Chan, Golub and LeVeque (1979).
struct WindowPart: Hashable, Sendable {
  var covered = 0.0
  var count = 0.0
  var a = 0.0
  var b = 0.0
  var c = 0.0
  var d = 0.0

  init() {}

  init(_ numbers: [Double], at base: Int) {
    covered = numbers[base]
    count = numbers[base + 1]
    a = numbers[base + 2]
    b = numbers[base + 3]
    c = numbers[base + 4]
    d = numbers[base + 5]
  }

  func store(_ numbers: inout [Double], at base: Int) {
    numbers[base] = covered
    numbers[base + 1] = count
    numbers[base + 2] = a
    numbers[base + 3] = b
    numbers[base + 4] = c
    numbers[base + 5] = d
  }

  mutating func observe(_ value: Double, at seconds: Double, _ function: WindowFunction) {
    count += 1
    switch function {
    case .min, .max:
      a = count == 1 ? value : Swift.min(a, value)
      b = count == 1 ? value : Swift.max(b, value)
    case .slope:
      let (dt, dv) = (seconds - a, value - b)
      a += dt / count
      b += dv / count
      c += dt * (seconds - a)
      d += dt * (value - b)
    case .mean, .stddev, .sum:
      let step = value - a
      a += step / count
      b += step * (value - a)
      c += value
    default: break
    }
  }

  mutating func add(_ other: WindowPart, _ function: WindowFunction) {
    covered += other.covered
    guard other.count > 0 || function == .occupancy else { return }
    let total = count + other.count
    switch function {
    case .min, .max:
      a = count == 0 ? other.a : Swift.min(a, other.a)
      b = count == 0 ? other.b : Swift.max(b, other.b)
    case .slope:
      let (dt, dv) = (other.a - a, other.b - b)
      let share = other.count / total
      c += other.c + dt * dt * count * share
      d += other.d + dt * dv * count * share
      a += dt * share
      b += dv * share
    case .mean, .stddev, .sum:
      let step = other.a - a
      let share = other.count / total
      b += other.b + step * step * count * share
      a += step * share
      c += other.c
    default:
      a += other.a
      b += other.b
    }
    count = total
  }

  /// `nil`: too few values to say anything.
  func result(_ function: WindowFunction) -> Double? {
    switch function {
    case .mean: count > 0 ? a : nil
    case .stddev: count > 1 ? (Swift.max(0, b) / (count - 1)).squareRoot() : nil
    case .sum: c
    case .count, .edges: count
    case .min: count > 0 ? a : nil
    case .max: count > 0 ? b : nil
    case .slope: count > 1 && c > 0 ? d / c : nil
    case .delta: count > 0 ? a : nil
    case .rate: count > 0 && b > 0 ? a / b : nil
    case .occupancy: a
    case .percentile: nil
    }
  }
}
