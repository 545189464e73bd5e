import Statistics

/// Trains trees with XGBoost and hands them over as a value that is evaluated without it.
public enum BoostedTrees {
  /// Whether libxgboost0 can be loaded here.
  /// - Throws: `TrainingError.libraryMissing`, whose sentence names the package.
  public static func requireLibrary() throws(TrainingError) { _ = try XGBoostLibrary.shared() }

  /// Trains on the calling thread; seconds for 10⁴ rows and booster.
  /// - Parameters:
  ///   - rows: observations × features; NaN is missing.
  ///   - labels: a number each; 0 or 1 for the logistic objective.
  /// - Throws: `TrainingError`.
  public static func train(
    rows: Matrix, labels: [Double], settings: TreeSettings
  ) throws(TrainingError) -> TreeEnsemble {
    precondition(settings.boosters > 0, "there is nothing to average")
    var ensembles: [TreeEnsemble] = []
    var settings = settings
    for _ in 0..<settings.boosters {
      ensembles.append(try Booster(rows: rows, labels: labels, settings: settings).trees())
      settings.seed += 1
    }
    return TreeEnsemble.mean(of: ensembles)
  }
}

/// One XGBoost booster, of the first seed, and what it was trained on.
final class Booster {
  private let library: XGBoostLibrary
  private let handle: XGBoostLibrary.Handle
  private let featureCount: Int

  init(rows: Matrix, labels: [Double], settings: TreeSettings) throws(TrainingError) {
    precondition(rows.rowCount == labels.count, "every row has a label")
    guard rows.rowCount > 1 else { throw .rows("there are \(rows.rowCount)") }
    if let bad = labels.firstIndex(where: { !$0.isFinite }) {
      throw .rows("the label of row \(bad + 1) is not a finite number")
    }
    if let bad = rows.elements.firstIndex(where: \.isInfinite) {
      throw .rows("row \(bad / rows.columnCount + 1) holds an infinite number")
    }
    let library = try XGBoostLibrary.shared()
    let data = try TrainingRows(library, rows, labels: labels)
    var booster: XGBoostLibrary.Handle?
    try library.check(
      withUnsafePointer(to: Optional(data.handle)) { library.boosterCreate($0, 1, &booster) },
      "XGBoosterCreate")
    guard let booster else { throw .xgboost(call: "XGBoosterCreate", detail: "no booster") }
    self.library = library
    handle = booster
    featureCount = rows.columnCount
    var sum = 0.0
    for label in labels { sum += label }
    for (name, value) in settings.parameters(labelMean: sum / Double(labels.count)) {
      try library.check(library.boosterSet(booster, name, value), "XGBoosterSetParam \(name)")
    }
    for round in 0..<settings.rounds {
      try library.check(
        library.boosterUpdate(booster, CInt(round), data.handle), "XGBoosterUpdateOneIter")
    }
  }

  deinit { _ = library.boosterFree(handle) }

  /// The margins of `rows` as XGBoost itself computes them.
  func margins(_ rows: Matrix) throws(TrainingError) -> [Double] {
    let data = try TrainingRows(library, rows, labels: nil)
    var count: UInt64 = 0
    var result: UnsafePointer<Float>?
    // Option mask 1: the margin, before the objective's transformation.
    try library.check(
      library.boosterPredict(handle, data.handle, 1, 0, 0, &count, &result), "XGBoosterPredict")
    return UnsafeBufferPointer(start: result, count: Int(count)).map(Double.init)
  }

  func trees() throws(TrainingError) -> TreeEnsemble {
    var count: UInt64 = 0
    var text: UnsafePointer<CChar>?
    try library.check(
      library.boosterSave(handle, "{\"format\":\"json\"}", &count, &text),
      "XGBoosterSaveModelToBuffer")
    let bytes = UnsafeRawBufferPointer(start: text, count: Int(count))
    return try TreeModelFile.read([UInt8](bytes), featureCount: featureCount)
  }
}

/// A DMatrix: rows and labels in XGBoost's own memory.
private final class TrainingRows {
  private let library: XGBoostLibrary
  let handle: XGBoostLibrary.Handle

  init(_ library: XGBoostLibrary, _ rows: Matrix, labels: [Double]?) throws(TrainingError) {
    var matrix: XGBoostLibrary.Handle?
    let floats = rows.elements.map(Float.init)
    try library.check(
      library.matrixCreate(floats, UInt64(rows.rowCount), UInt64(rows.columnCount), .nan, &matrix),
      "XGDMatrixCreateFromMat")
    guard let matrix else { throw .xgboost(call: "XGDMatrixCreateFromMat", detail: "no matrix") }
    self.library = library
    handle = matrix
    if let labels {
      let floats = labels.map(Float.init)
      try library.check(
        library.matrixSetFloats(matrix, "label", floats, UInt64(floats.count)),
        "XGDMatrixSetFloatInfo")
    }
  }

  deinit { _ = library.matrixFree(handle) }
}
