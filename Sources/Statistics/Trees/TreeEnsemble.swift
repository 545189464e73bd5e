/// Boosted trees as they are evaluated: a few flat arrays, no node objects.
///
/// margin = `base` + Σ over trees of the leaf that the features lead to. At a node the row goes left
/// when its feature is below the threshold, both taken as Float as XGBoost does; a missing feature
/// (NaN) goes the way the node says. The two children of a node stand side by side.
public struct TreeEnsemble: Sendable, Equatable {
  /// One node of a tree as it is handed in.
  public enum Node: Sendable, Equatable {
    /// - Parameter cover: training weight (sum of Hessians) that passed; contributions need it.
    case split(
      feature: Int, threshold: Float, missingGoesLeft: Bool, left: Int, right: Int, cover: Float)
    case leaf(value: Float, cover: Float)
  }

  public let featureCount: Int
  /// Added to every margin.
  public let base: Double

  /// First node of each tree.
  private(set) var roots: [Int32] = []
  /// The feature of a split; −1 at a leaf.
  private(set) var features: [Int32] = []
  /// The threshold of a split or the value of a leaf.
  private(set) var values: [Float] = []
  /// The left child of a split; the right one follows it. 0 at a leaf.
  private(set) var children: [Int32] = []
  private(set) var missingGoesLeft: [Bool] = []
  private(set) var covers: [Float] = []

  public enum Invalid: Error, Equatable, CustomStringConvertible {
    case emptyTree
    case child(Int)
    case feature(Int)
    case notATree
    case notFinite

    public var description: String {
      switch self {
      case .emptyTree: "a tree of the model has no nodes"
      case .child(let index): "a node of the model points to node \(index), which is not there"
      case .feature(let index): "a node of the model asks for feature \(index), which is not there"
      case .notATree: "a node of the model is reached twice, or is deeper than 64"
      case .notFinite: "a leaf or a cover of the model is not a finite number"
      }
    }
  }

  public init(featureCount: Int, base: Double) {
    self.featureCount = featureCount
    self.base = base
  }

  /// Adds a tree whose first node is its root; nodes may stand in any order.
  /// - Throws: `Invalid`; the ensemble is as before.
  public mutating func append(tree: [Node]) throws(Invalid) {
    let before = features.count
    do {
      try place(tree)
    } catch {
      removeNodes(from: before)
      throw error
    }
    roots.append(Int32(before))
  }

  private mutating func place(_ tree: [Node]) throws(Invalid) {
    guard !tree.isEmpty else { throw .emptyTree }
    // (node handed in, its place here, depth); each node is placed once.
    var open: [(Int, Int, Int)] = [(0, features.count, 0)]
    appendBlank()
    var placed = 1
    while let (source, place, depth) = open.popLast() {
      guard tree.indices.contains(source) else { throw .child(source) }
      guard placed <= tree.count, depth <= Self.depthMax else { throw .notATree }
      switch tree[source] {
      case .leaf(let value, let cover):
        guard value.isFinite, cover.isFinite, cover >= 0 else { throw .notFinite }
        values[place] = value
        covers[place] = cover
      case .split(let feature, let threshold, let missing, let left, let right, let cover):
        guard (0..<featureCount).contains(feature) else { throw .feature(feature) }
        guard cover.isFinite, cover >= 0, !threshold.isNaN else { throw .notFinite }
        let child = features.count
        appendBlank()
        appendBlank()
        placed += 2
        features[place] = Int32(feature)
        values[place] = threshold
        children[place] = Int32(child)
        missingGoesLeft[place] = missing
        covers[place] = cover
        open.append((right, child + 1, depth + 1))
        open.append((left, child, depth + 1))
      }
    }
  }

  static let depthMax = 64

  private mutating func appendBlank() {
    features.append(-1)
    values.append(0)
    children.append(0)
    missingGoesLeft.append(false)
    covers.append(0)
  }

  private mutating func removeNodes(from count: Int) {
    features.removeSubrange(count...)
    values.removeSubrange(count...)
    children.removeSubrange(count...)
    missingGoesLeft.removeSubrange(count...)
    covers.removeSubrange(count...)
  }

  /// The mean of ensembles over the same features, as one: their trees side by side, each leaf at its share.
  /// - Parameter ensembles: at least one.
  public static func mean(of ensembles: [TreeEnsemble]) -> TreeEnsemble {
    let share = 1 / Double(ensembles.count)
    var base = 0.0
    for ensemble in ensembles { base += ensemble.base * share }
    var mean = TreeEnsemble(featureCount: ensembles[0].featureCount, base: base)
    for ensemble in ensembles {
      precondition(ensemble.featureCount == mean.featureCount, "all know the same features")
      let start = Int32(mean.features.count)
      mean.roots += ensemble.roots.map { $0 + start }
      mean.features += ensemble.features
      mean.missingGoesLeft += ensemble.missingGoesLeft
      mean.covers += ensemble.covers
      for node in ensemble.features.indices {
        let isSplit = ensemble.features[node] >= 0
        mean.values.append(ensemble.values[node] * (isSplit ? 1 : Float(share)))
        mean.children.append(isSplit ? ensemble.children[node] + start : 0)
      }
    }
    return mean
  }

  public var treeCount: Int { roots.count }
  public var nodeCount: Int { features.count }

  /// The margin of one row; allocates nothing. Cost: depth × trees.
  public func margin(_ row: some RandomAccessCollection<Double>) -> Double {
    precondition(row.count == featureCount, "a row has the features the trees were trained on")
    return row.withContiguousStorageIfAvailable { margin(of: $0) }
      ?? Array(row).withUnsafeBufferPointer { margin(of: $0) }
  }

  private func margin(of row: UnsafeBufferPointer<Double>) -> Double {
    var sum = base
    features.withUnsafeBufferPointer { features in
      values.withUnsafeBufferPointer { values in
        children.withUnsafeBufferPointer { children in
          for root in roots {
            var node = Int(root)
            while features[node] >= 0 {
              node = Int(children[node]) + (goesLeft(node, row, features, values) ? 0 : 1)
            }
            sum += Double(values[node])
          }
        }
      }
    }
    return sum
  }

  @inline(__always) private func goesLeft(
    _ node: Int, _ row: UnsafeBufferPointer<Double>, _ features: UnsafeBufferPointer<Int32>,
    _ values: UnsafeBufferPointer<Float>
  ) -> Bool {
    let value = row[Int(features[node])]
    return value.isNaN ? missingGoesLeft[node] : Float(value) < values[node]
  }

  func goesLeft(_ node: Int, _ row: [Double]) -> Bool {
    let value = row[Int(features[node])]
    return value.isNaN ? missingGoesLeft[node] : Float(value) < values[node]
  }
}
