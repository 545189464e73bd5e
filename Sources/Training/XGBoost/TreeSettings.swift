/// How trees are grown: the parameters of XGBoost that we use, under their own meaning.
///
/// Training is a function of rows, labels and settings alone: the number of threads and the seed are
/// fixed, so that the same rows give the same trees.
public struct TreeSettings: Sendable, Equatable {
  public enum Objective: String, Sendable {
    /// The label is a number; the margin is the prediction.
    case squaredError = "reg:squarederror"
    /// The label is 0 or 1; the margin is a logit.
    case logistic = "binary:logistic"
  }

  public enum Method: String, Sendable {
    /// Every value is a possible threshold: best where sharp limits matter, for up to about 10⁵ rows.
    case exact
    /// Values are put into bins first: much faster, and a mild smoothing.
    case histogram = "hist"
  }

  public var objective: Objective
  public var method: Method
  /// Boosting rounds; each adds `treesPerRound` trees.
  public var rounds: Int
  /// Trees grown side by side on different samples of the rows and averaged.
  public var treesPerRound = 1
  /// Trainings with the seeds from `seed` on whose margins are averaged: what a seed happens to draw counts less.
  public var boosters = 1
  public var learningRate: Double
  /// 0 is no limit; `exact` needs one.
  public var depthMax: Int
  /// 0 is no limit; only `histogram` obeys it, growing the best leaf first.
  public var leavesMax = 0
  /// Sum of Hessians a leaf must have: rows, for squared error.
  public var leafWeightMin: Double = 1
  /// Share of rows each tree sees.
  public var rowShare: Double = 1
  /// Share of features each split chooses among.
  public var featureShare: Double = 1
  /// Penalty on squared leaf values.
  public var penalty: Double = 1
  /// The prediction boosting begins with: a number, or a probability for the logistic objective; `nil`
  /// is the mean of the labels.
  public var start: Double?
  /// Bins a feature is cut into by `histogram`.
  public var binCount = 64
  public var seed: UInt32 = 1
  public var threads = 1

  /// For remaining useful life, chosen by engine-grouped 5-fold cross-validation on the training file
  /// of C-MAPSS FD001 among 4, 6, 8, 12, 16, 24 leaves and 200, 300, 400 rounds: of those within 2 % of
  /// the lowest RMSE the one with the fewest leaves; and one booster of four trees a round against eight of one
  /// (docs/models.md).
  /// Boosting begins near no life at all, so that what is not learnt errs on the early side.
  public static let remainingLife = TreeSettings(
    objective: .squaredError, method: .histogram, rounds: 400, boosters: 8,
    learningRate: 0.05, depthMax: 0, leavesMax: 8, leafWeightMin: 20, rowShare: 0.5,
    featureShare: 0.2, start: 0.5)

  /// For failures that depend on sharp limits of few features, chosen by stratified cross-validation
  /// on AI4I 2020.
  public static let failure = TreeSettings(
    objective: .logistic, method: .exact, rounds: 200, treesPerRound: 2, learningRate: 0.05,
    depthMax: 5, rowShare: 0.8, featureShare: 0.6)

  public init(
    objective: Objective, method: Method, rounds: Int, treesPerRound: Int = 1,
    boosters: Int = 1, learningRate: Double, depthMax: Int, leavesMax: Int = 0,
    leafWeightMin: Double = 1,
    rowShare: Double = 1, featureShare: Double = 1, start: Double? = nil
  ) {
    self.objective = objective
    self.method = method
    self.rounds = rounds
    self.treesPerRound = treesPerRound
    self.boosters = boosters
    self.learningRate = learningRate
    self.depthMax = depthMax
    self.leavesMax = leavesMax
    self.leafWeightMin = leafWeightMin
    self.rowShare = rowShare
    self.featureShare = featureShare
    self.start = start
  }

  /// Name and value as XGBoost wants them, in a fixed order.
  func parameters(labelMean: Double) -> [(String, String)] {
    var list = [
      ("objective", objective.rawValue), ("tree_method", method.rawValue),
      ("num_parallel_tree", "\(treesPerRound)"), ("learning_rate", "\(learningRate)"),
      ("max_depth", "\(depthMax)"), ("min_child_weight", "\(leafWeightMin)"),
      ("subsample", "\(rowShare)"), ("colsample_bynode", "\(featureShare)"),
      ("lambda", "\(penalty)"), ("seed", "\(seed)"), ("nthread", "\(threads)"),
      ("base_score", "\(start ?? labelMean)"), ("verbosity", "0"),
    ]
    if method == .histogram {
      list += [
        ("grow_policy", "lossguide"), ("max_leaves", "\(leavesMax)"), ("max_bin", "\(binCount)"),
      ]
    }
    return list
  }
}
