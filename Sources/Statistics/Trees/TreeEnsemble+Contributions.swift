extension TreeEnsemble {
  /// The mean margin over the training rows, by the covers of the nodes: where contributions begin.
  public var expectedMargin: Double {
    var sum = base
    for root in roots { sum += expectedValue(Int(root)) }
    return sum
  }

  private func expectedValue(_ node: Int) -> Double {
    guard features[node] >= 0 else { return Double(values[node]) }
    let left = Int(children[node])
    let (leftShare, rightShare) = shares(of: node)
    return leftShare * expectedValue(left) + rightShare * expectedValue(left + 1)
  }

  /// The parts of a node's cover that go left and right; they add up to 1.
  private func shares(of node: Int) -> (Double, Double) {
    let left = Int(children[node])
    let (a, b) = (Double(covers[left]), Double(covers[left + 1]))
    return a + b > 0 ? (a / (a + b), b / (a + b)) : (0.5, 0.5)
  }

  /// The Shapley value of each feature: they add up to margin − `expectedMargin`.
  ///
  /// Path-dependent TreeSHAP (Lundberg et al. 2020, algorithm 2), exact in time
  /// trees × leaves × depth² instead of 2^features.
  public func contributions(_ row: [Double]) -> [Double] {
    precondition(row.count == featureCount, "a row has the features the trees were trained on")
    var result = [Double](repeating: 0, count: featureCount)
    var path = ShapleyPath()
    for root in roots {
      descend(Int(root), row, &path, length: 0, zero: 1, one: 1, feature: -1, &result)
    }
    return result
  }

  private func descend(
    _ node: Int, _ row: [Double], _ path: inout ShapleyPath, length parent: Int, zero: Double,
    one: Double, feature: Int32, _ result: inout [Double]
  ) {
    // Each level works on a copy of its parent's path, one after the other in one array.
    path.beginLevel(copying: parent)
    path.extend(zero: zero, one: one, feature: feature)
    if features[node] < 0 {
      for place in 1..<max(1, path.length) {
        let weight = path.unwoundSum(place)
        let element = path[place]
        result[Int(element.feature)] +=
          weight * (element.one - element.zero) * Double(values[node])
      }
    } else {
      var (zeroBefore, oneBefore) = (1.0, 1.0)
      if let place = path.place(of: features[node]) {
        (zeroBefore, oneBefore) = (path[place].zero, path[place].one)
        path.unwind(place)
      }
      let left = Int(children[node])
      let isLeft = goesLeft(node, row)
      let (leftShare, rightShare) = shares(of: node)
      let length = path.length
      for (child, share, isHot) in [(left, leftShare, isLeft), (left + 1, rightShare, !isLeft)] {
        descend(
          child, row, &path, length: length, zero: zeroBefore * share, one: isHot ? oneBefore : 0,
          feature: features[node], &result)
      }
    }
    path.endLevel()
  }
}

/// The features met on the way to a node, with the weights of all subsets of them by size.
private struct ShapleyPath {
  struct Element {
    var feature: Int32
    /// Share of rows that pass this split when the feature is unknown.
    var zero: Double
    /// 1 when the row passes it, else 0.
    var one: Double
    /// Weight of the subsets that hold as many features as the element's place.
    var weight: Double
  }

  private var elements: [Element] = []
  private var starts: [Int] = []
  private var start = 0

  var length: Int { elements.count - start }

  subscript(place: Int) -> Element { elements[start + place] }

  mutating func beginLevel(copying count: Int) {
    let source = start
    starts.append(start)
    start = elements.count
    for place in 0..<count { elements.append(elements[source + place]) }
  }

  mutating func endLevel() {
    elements.removeSubrange(start...)
    // Every end has its beginning in `descend`.
    start = starts.removeLast()
  }

  func place(of feature: Int32) -> Int? {
    (1..<max(1, length)).first { self[$0].feature == feature }
  }

  mutating func extend(zero: Double, one: Double, feature: Int32) {
    let count = length
    elements.append(
      Element(feature: feature, zero: zero, one: one, weight: count == 0 ? 1 : 0))
    for i in stride(from: count - 1, through: 0, by: -1) {
      elements[start + i + 1].weight +=
        one * elements[start + i].weight * Double(i + 1) / Double(count + 1)
      elements[start + i].weight *= zero * Double(count - i) / Double(count + 1)
    }
  }

  /// Takes the element at `place` out as if it had never been added.
  mutating func unwind(_ place: Int) {
    let last = length - 1
    let (zero, one) = (self[place].zero, self[place].one)
    var next = self[last].weight
    for i in stride(from: last - 1, through: 0, by: -1) {
      let old = elements[start + i].weight
      if one != 0 {
        let weight = next * Double(last + 1) / (Double(i + 1) * one)
        elements[start + i].weight = weight
        next = old - weight * zero * Double(last - i) / Double(last + 1)
      } else {
        elements[start + i].weight = old * Double(last + 1) / (zero * Double(last - i))
      }
    }
    for i in place..<max(place, last) {
      let moved = elements[start + i + 1]
      elements[start + i].feature = moved.feature
      elements[start + i].zero = moved.zero
      elements[start + i].one = moved.one
    }
    elements.removeLast()
  }

  /// The sum of the weights that `unwind` would leave.
  func unwoundSum(_ place: Int) -> Double {
    let last = length - 1
    let (zero, one) = (self[place].zero, self[place].one)
    var next = self[last].weight
    var sum = 0.0
    for i in stride(from: last - 1, through: 0, by: -1) {
      if one != 0 {
        let weight = next * Double(last + 1) / (Double(i + 1) * one)
        sum += weight
        next = self[i].weight - weight * zero * Double(last - i) / Double(last + 1)
      } else if zero != 0 {
        sum += self[i].weight * Double(last + 1) / (zero * Double(last - i))
      }
    }
    return sum
  }
}
