import Statistics
import Telemetry
import Testing

/// Random trees whose leaves hold random values and covers.
struct RandomTrees {
  var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func tree(features: Int, depth: Int) -> [TreeEnsemble.Node] {
    var nodes: [TreeEnsemble.Node] = []
    _ = grow(&nodes, features, depth)
    return nodes
  }

  private mutating func grow(
    _ nodes: inout [TreeEnsemble.Node], _ features: Int, _ depth: Int
  ) -> Float {
    let place = nodes.count
    nodes.append(.leaf(value: 0, cover: 0))
    if depth == 0 || Int.random(in: 0..<5, using: &random) == 0 {
      let cover = Float.random(in: 1...50, using: &random)
      nodes[place] = .leaf(value: Float.random(in: -3...3, using: &random), cover: cover)
      return cover
    }
    let feature = Int.random(in: 0..<features, using: &random)
    let left = nodes.count
    let leftCover = grow(&nodes, features, depth - 1)
    let right = nodes.count
    let cover = leftCover + grow(&nodes, features, depth - 1)
    nodes[place] = .split(
      feature: feature, threshold: Float.random(in: -1...1, using: &random),
      missingGoesLeft: Bool.random(using: &random), left: left, right: right, cover: cover)
    return cover
  }

  mutating func row(features: Int) -> [Double] {
    (0..<features).map { _ in
      Int.random(in: 0..<8, using: &random) == 0
        ? .nan : Double.random(in: -1.5...1.5, using: &random)
    }
  }
}

@Suite struct TreeEnsembleTests {
  /// What is expected of a tree when only the features in `known` are known.
  static func expectation(
    _ nodes: [TreeEnsemble.Node], _ node: Int, _ row: [Double], known: Int
  ) -> Double {
    guard case .split(let feature, let threshold, let missing, let left, let right, _) = nodes[node]
    else {
      guard case .leaf(let value, _) = nodes[node] else { return .nan }
      return Double(value)
    }
    if known & 1 << feature != 0 {
      let goesLeft = row[feature].isNaN ? missing : Float(row[feature]) < threshold
      return expectation(nodes, goesLeft ? left : right, row, known: known)
    }
    let (a, b) = (cover(nodes[left]), cover(nodes[right]))
    return
      (a * expectation(nodes, left, row, known: known)
      + b * expectation(nodes, right, row, known: known)) / (a + b)
  }

  static func cover(_ node: TreeEnsemble.Node) -> Double {
    switch node {
    case .leaf(_, let cover), .split(_, _, _, _, _, let cover): Double(cover)
    }
  }

  /// Shapley's own formula: 2^features expectations.
  static func shapley(_ nodes: [TreeEnsemble.Node], _ row: [Double], features: Int) -> [Double] {
    func factorial(_ n: Int) -> Double { (1...max(1, n)).reduce(1.0) { $0 * Double($1) } }
    return (0..<features).map { feature in
      var sum = 0.0
      for subset in 0..<1 << features where subset & 1 << feature == 0 {
        let size = subset.nonzeroBitCount
        let weight =
          factorial(size) * factorial(features - size - 1) / factorial(features)
        sum +=
          weight
          * (expectation(nodes, 0, row, known: subset | 1 << feature)
            - expectation(nodes, 0, row, known: subset))
      }
      return sum
    }
  }

  @Test("Contributions are the Shapley values that brute force gives", arguments: 1...60)
  func bruteForce(_ seed: UInt64) throws {
    var random = RandomTrees(seed: seed)
    let features = 1 + Int(seed % 6)
    let nodes = random.tree(features: features, depth: 4)
    var trees = TreeEnsemble(featureCount: features, base: 0.5)
    try trees.append(tree: nodes)
    for _ in 0..<5 {
      let row = random.row(features: features)
      let ours = trees.contributions(row)
      let theirs = Self.shapley(nodes, row, features: features)
      for feature in 0..<features {
        #expect((ours[feature] - theirs[feature]).magnitude < 1e-10, "seed \(seed), row \(row)")
      }
    }
  }

  @Test("Contributions of many deep trees sum to the margin less the expected margin")
  func sums() throws {
    var random = RandomTrees(seed: 99)
    var trees = TreeEnsemble(featureCount: 12, base: -2)
    for _ in 0..<60 { try trees.append(tree: random.tree(features: 12, depth: 9)) }
    for _ in 0..<20 {
      let row = random.row(features: 12)
      let wanted = trees.margin(row) - trees.expectedMargin
      let sum = trees.contributions(row).reduce(0, +)
      #expect((sum - wanted).magnitude < 1e-9 * max(1, wanted.magnitude))
    }
  }

  @Test("The mean of ensembles judges as their mean, and its contributions still sum")
  func mean() throws {
    var random = RandomTrees(seed: 7)
    var ensembles: [TreeEnsemble] = []
    for size in [5, 9, 1] {
      var trees = TreeEnsemble(featureCount: 6, base: Double(size))
      for _ in 0..<size { try trees.append(tree: random.tree(features: 6, depth: 5)) }
      ensembles.append(trees)
    }
    let mean = TreeEnsemble.mean(of: ensembles)
    #expect(mean.treeCount == 15)
    for _ in 0..<50 {
      let row = random.row(features: 6)
      let wanted = ensembles.reduce(0) { $0 + $1.margin(row) / 3 }
      #expect((mean.margin(row) - wanted).magnitude < 1e-6)
      let sum = mean.contributions(row).reduce(mean.expectedMargin, +)
      #expect((sum - mean.margin(row)).magnitude < 1e-9)
    }
    #expect(TreeEnsemble.mean(of: [ensembles[0]]) == ensembles[0])
  }

  @Test("A row is judged at Float precision and a missing value goes its own way")
  func edges() throws {
    var trees = TreeEnsemble(featureCount: 1, base: 10)
    try trees.append(tree: [
      .split(feature: 0, threshold: 0.1, missingGoesLeft: false, left: 1, right: 2, cover: 4),
      .leaf(value: 1, cover: 1), .leaf(value: 2, cover: 3),
    ])
    #expect(trees.margin([0.1]) == 12)
    // Below 0.1 as a double, equal to it as a float.
    #expect(trees.margin([0.1 - 1e-12]) == 12)
    #expect(trees.margin([0.0999]) == 11)
    #expect(trees.margin([.nan]) == 12)
    #expect(trees.expectedMargin == 11.75)
  }

  @Test("Trees survive being written and read bit for bit")
  func coding() throws {
    var random = RandomTrees(seed: 21)
    var trees = TreeEnsemble(featureCount: 7, base: 3.25)
    for _ in 0..<40 { try trees.append(tree: random.tree(features: 7, depth: 6)) }
    var writer = ByteWriter()
    trees.encode(into: &writer)
    var reader = ByteReader(writer.bytes)
    let back = try TreeEnsemble(from: &reader)
    #expect(back == trees)
    #expect(reader.remaining == 0)
    for length in stride(from: 0, to: writer.count, by: 13) {
      var cut = ByteReader(UnsafeRawBufferPointer(rebasing: writer.bytes[..<length]))
      #expect(throws: ByteReader.Truncated.self) { try TreeEnsemble(from: &cut) }
    }
  }

  @Test("Damaged bytes never trap", arguments: 1...200)
  func fuzz(_ seed: UInt64) throws {
    var random = RandomTrees(seed: 5)
    var trees = TreeEnsemble(featureCount: 3, base: 0)
    for _ in 0..<4 { try trees.append(tree: random.tree(features: 3, depth: 4)) }
    var writer = ByteWriter()
    trees.encode(into: &writer)
    var bytes = [UInt8](writer.bytes)
    var generator = SplitMix64(seed: seed)
    for _ in 0..<3 {
      bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
        in: 0...255, using: &generator)
    }
    bytes.withUnsafeBytes { buffer in
      var reader = ByteReader(buffer)
      // Some damage leaves valid trees; they must still evaluate.
      guard let read = try? TreeEnsemble(from: &reader), read.featureCount < 100 else { return }
      let row = [Double](repeating: 0.5, count: read.featureCount)
      #expect(read.contributions(row).count == read.featureCount)
      _ = read.margin(row)
    }
  }

  @Test("What is no tree is refused and leaves the ensemble as it was")
  func invalid() throws {
    var trees = TreeEnsemble(featureCount: 1, base: 0)
    let split = TreeEnsemble.Node.split(
      feature: 0, threshold: 0, missingGoesLeft: true, left: 0, right: 0, cover: 1)
    #expect(throws: TreeEnsemble.Invalid.emptyTree) { try trees.append(tree: []) }
    #expect(throws: TreeEnsemble.Invalid.notATree) { try trees.append(tree: [split]) }
    #expect(throws: TreeEnsemble.Invalid.notFinite) {
      try trees.append(tree: [.leaf(value: .nan, cover: 1)])
    }
    #expect(throws: TreeEnsemble.Invalid.child(4)) {
      try trees.append(tree: [
        .split(feature: 0, threshold: 0, missingGoesLeft: true, left: 1, right: 4, cover: 1),
        .leaf(value: 1, cover: 1), .leaf(value: 1, cover: 1),
      ])
    }
    #expect(throws: TreeEnsemble.Invalid.feature(3)) {
      try trees.append(tree: [
        .split(feature: 3, threshold: 0, missingGoesLeft: true, left: 1, right: 2, cover: 1),
        .leaf(value: 1, cover: 1), .leaf(value: 1, cover: 1),
      ])
    }
    #expect(trees == TreeEnsemble(featureCount: 1, base: 0))
  }
}
