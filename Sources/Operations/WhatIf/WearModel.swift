import Statistics

/// A signal that wears upward with use: its growth per second is `idle` + `rate` × load.
///
/// Fitted by least squares on what it has grown to: y(t) = y₀ + idle·t + rate·∫load dt, over a history without
/// a repair. With load in parts of full load, `rate` is the wear per second at full load.
public struct WearModel: Sendable, Equatable {
  /// Growth per unit of load and second.
  public var rate: Double
  /// Growth per second without load; 0 where the history cannot tell it apart.
  public var idle: Double
  public var fit: ModelFit
  public var loads: ClosedRange<Double>
  /// The mean load of the history: what happens if nothing is changed.
  public var meanLoad: Double

  public static let rowsMin = 20
  public static let r2Min = 0.3

  /// - Parameters:
  ///   - times: in s, rising.
  ///   - signal: what wears, such as vibration, at these times.
  ///   - loads: from each time to the next, at or above 0.
  public init(times: [Double], signal: [Double], loads: [Double]) throws(FitRefusal) {
    precondition(times.count == signal.count && times.count == loads.count, "one row for each time")
    try checkRows(times, [signal, loads])
    guard times.count >= Self.rowsMin else {
      throw .tooFew(times.count, needed: Self.rowsMin)
    }
    let excitation = Excitation(loads)
    guard excitation.high > 0 else { throw .noExcitation("load") }
    var work = [0.0]
    for row in 1..<times.count {
      work.append(work[row - 1] + loads[row - 1] * (times[row] - times[row - 1]))
    }
    let elapsed = times.map { $0 - times[0] }
    // Under a load that never changes, use and time are one: then all wear is put down to use.
    let tellsIdle = excitation.isEnough && Self.areApart(elapsed, work)
    let rows = Matrix(rows: work.indices.map { tellsIdle ? [work[$0], elapsed[$0]] : [work[$0]] })
    let model: LinearModel
    do throws(RegressionError) {
      model = try RidgeRegression.fit(rows: rows, labels: signal, penalty: 0)
    } catch {
      throw .noExcitation("load")
    }
    rate = model.weights[0]
    idle = tellsIdle ? model.weights[1] : 0
    guard rate > 0 else { throw .implausible("it wears less under load") }
    self.loads = excitation.low...excitation.high
    meanLoad = work[work.count - 1] / elapsed[elapsed.count - 1]
    fit = Operations.fit(
      predictions: (0..<rows.rowCount).map { model.value(Array(rows.row($0))) }, truths: signal,
      parameters: tellsIdle ? 3 : 2, spanSeconds: elapsed[elapsed.count - 1])
    guard fit.r2 >= Self.r2Min else { throw .weak(r2: fit.r2, needed: Self.r2Min) }
  }

  /// Whether two rising courses differ in shape: their correlation stays below 0.999.
  private static func areApart(_ a: [Double], _ b: [Double]) -> Bool {
    let (x, y) = (Excitation(a), Excitation(b))
    var shared = 0.0
    for index in a.indices { shared += (a[index] - x.mean) * (b[index] - y.mean) }
    let correlation = shared / Double(max(1, a.count - 1)) / (x.deviation * y.deviation)
    return correlation < 0.999
  }

  /// The course from `start` under a load that stays.
  ///
  /// The error of a slope fitted over a span grows with the distance beyond it:
  /// rmse·√(1 + 12·(½ + t/span)²/n), the variance of a straight line's prediction (Draper and Smith, Applied
  /// Regression Analysis, 3rd ed., section 3.1) for evenly spread rows.
  public func simulate(
    from start: Double, load: Double, horizonSeconds: Double, everySeconds: Double
  ) -> Projection {
    let growth = idle + rate * load
    let points = instants(horizonSeconds, every: everySeconds).map { seconds in
      let value = start + growth * seconds
      let beyond = 0.5 + seconds / fit.spanSeconds
      let margin = 2 * fit.rmse * (1 + 12 * beyond * beyond / Double(fit.count)).squareRoot()
      return Projection.Point(
        seconds: seconds, value: value, low: value - margin, high: value + margin)
    }
    return Projection(points: points, fit: fit, extrapolated: loads.contains(load) ? [] : ["load"])
  }

  /// Seconds until a limit is reached under a load; `nil`: it is never reached.
  public func seconds(from start: Double, to limit: Double, load: Double) -> Double? {
    let growth = idle + rate * load
    if start >= limit { return 0 }
    return growth > 0 ? (limit - start) / growth : nil
  }
}
