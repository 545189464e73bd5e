/// A `JSONMapping` compiled into a tree of member names, so that scanning compares a name only with
/// the few that the mapping has at that place.
final class JSONPlan: Sendable {
  struct Child: Sendable {
    var key: [UInt8]
    var node: Int
  }

  /// What a mapping says about one place in a point.
  struct Roles: OptionSet, Sendable {
    var rawValue: UInt8
    static let time = Roles(rawValue: 1)
    static let device = Roles(rawValue: 2)
    static let deviceType = Roles(rawValue: 4)
    static let ignored = Roles(rawValue: 8)
    /// The `metrics` object of the device shape: its members are metrics, without a prefix.
    static let metrics = Roles(rawValue: 16)
    static let captured = Roles(rawValue: 32)
  }

  struct Node: Sendable {
    var children: [Child] = []
    /// Bit n: some child's name is n bytes long (modulo 64).
    var childLengths: UInt64 = 0
    var roles: Roles = []
    /// Place among the time paths; the lowest that is present wins.
    var timeRank = Int.max
    /// Index in `metrics`, or -1.
    var metric = -1
    /// Index of its value in the reader's captures, or -1.
    var capture = -1
  }

  struct Metric: Sendable {
    var name: [UInt8]
    var unit: [UInt8]
    /// Captures, or -1.
    var timeCapture: Int
    var qualityCapture: Int
    var unitCapture: Int
    /// Units that the source writes otherwise.
    var unitWords: [(raw: [UInt8], unit: [UInt8])] = []
    /// Nothing has to be added when its point ends.
    var isPlain: Bool
  }

  /// What is done with members of one name.
  struct Leaf: Sendable {
    var name: [UInt8]
    /// Index in `metrics`, whose unit is theirs; -1: they are nothing to store.
    var metric: Int
  }

  let nodes: [Node]
  let items: [[UInt8]]
  let metrics: [Metric]
  let captureCount: Int
  let takesRest: Bool
  /// Rules by the name of a member; few mappings have any.
  let leaves: [Leaf]
  let passesOverBadTimes: Bool
  /// The device shape: a point without device or metrics is refused.
  let isDeviceShape: Bool

  init(_ mapping: JSONMapping) {
    var tree = Tree()
    for (rank, path) in mapping.timePaths.enumerated() {
      guard let node = tree.node(path) else { continue }
      tree.nodes[node].roles.insert(.time)
      tree.nodes[node].timeRank = min(rank, tree.nodes[node].timeRank)
    }
    if let node = tree.node(mapping.devicePath) { tree.nodes[node].roles.insert(.device) }
    if let node = tree.node(mapping.deviceTypePath) { tree.nodes[node].roles.insert(.deviceType) }
    for path in mapping.ignore {
      if let node = tree.node(path) { tree.nodes[node].roles.insert(.ignored) }
    }
    var metrics: [Metric] = []
    for metric in mapping.metrics {
      guard let node = tree.node(metric.path) else { continue }
      tree.nodes[node].metric = metrics.count
      let time = tree.capture(metric.timePath)
      let quality = tree.capture(metric.qualityPath)
      let unit = tree.capture(metric.unitPath)
      let name = metric.name.isEmpty ? splitPath(metric.path).joined(separator: [0x2E]) : nil
      metrics.append(
        Metric(
          name: name.map(Array.init) ?? Array(metric.name.utf8), unit: Array(metric.unit.utf8),
          timeCapture: time, qualityCapture: quality, unitCapture: unit,
          isPlain: metric.unit.isEmpty && time < 0 && quality < 0 && unit < 0))
    }
    leaves = mapping.leaves.map { leaf in
      guard !leaf.isIgnored else { return Leaf(name: Array(leaf.name.utf8), metric: -1) }
      metrics.append(
        Metric(
          name: [], unit: Array(leaf.unit.utf8), timeCapture: -1, qualityCapture: -1,
          unitCapture: tree.capture(leaf.unitPath),
          unitWords: leaf.unitWords.sorted { $0.key < $1.key }
            .map { (Array($0.key.utf8), Array($0.value.utf8)) },
          isPlain: false))
      return Leaf(name: Array(leaf.name.utf8), metric: metrics.count - 1)
    }
    self.passesOverBadTimes = mapping.passesOverBadTimes
    self.nodes = tree.nodes
    self.captureCount = tree.captureCount
    self.items = splitPath(mapping.items)
    self.metrics = metrics
    self.takesRest = mapping.rest == .take
    self.isDeviceShape = false
  }

  /// The plan of `{device_id, device_type, timestamp, metrics}`.
  static let device = JSONPlan(deviceShape: ())

  private init(deviceShape: Void) {
    var tree = Tree()
    for (path, role) in [
      ("device_id", Roles.device), ("device_type", .deviceType), ("timestamp", .time),
      ("metrics", .metrics),
    ] {
      guard let node = tree.node(path) else { continue }
      tree.nodes[node].roles = role
      if role == .time { tree.nodes[node].timeRank = 0 }
    }
    self.nodes = tree.nodes
    self.captureCount = 0
    self.items = []
    self.metrics = []
    self.takesRest = false
    self.leaves = []
    self.passesOverBadTimes = false
    self.isDeviceShape = true
  }

  /// The child of `node` called `key`, or -1.
  @inline(__always)
  func child(of node: Int, key: UnsafePointer<UInt8>, count: Int) -> Int {
    guard node >= 0, nodes[node].childLengths & 1 << UInt64(count & 63) != 0 else { return -1 }
    return search(node, key, count)
  }

  private func search(_ node: Int, _ key: UnsafePointer<UInt8>, _ count: Int) -> Int {
    for child in nodes[node].children where child.key.count == count {
      var index = 0
      while index < count, child.key[index] == key[index] { index += 1 }
      if index == count { return child.node }
    }
    return -1
  }
}

extension JSONPlan {
  /// The rule for members called `name`: exactly, else without the digits at its end.
  func leaf(named name: UnsafeRawBufferPointer) -> Leaf? {
    if let leaf = exactLeaf(name[...]) { return leaf }
    var stem = name[...]
    while let last = stem.last, last &- Ascii.zero < 10 { stem.removeLast() }
    return stem.count == name.count ? nil : exactLeaf(stem)
  }

  private func exactLeaf(_ name: Swift.Slice<UnsafeRawBufferPointer>) -> Leaf? {
    leaves.first { $0.name.count == name.count && $0.name.elementsEqual(name) }
  }
}

/// Splits a path at its dots; `\.` is a dot within a name. Empty: no names.
func splitPath(_ path: String) -> [[UInt8]] {
  guard !path.isEmpty else { return [] }
  var names: [[UInt8]] = [[]]
  var isEscaped = false
  for byte in path.utf8 {
    if isEscaped {
      if byte != Ascii.point && byte != Ascii.backslash {
        names[names.count - 1].append(Ascii.backslash)
      }
      names[names.count - 1].append(byte)
      isEscaped = false
    } else if byte == Ascii.backslash {
      isEscaped = true
    } else if byte == Ascii.point {
      names.append([])
    } else {
      names[names.count - 1].append(byte)
    }
  }
  if isEscaped { names[names.count - 1].append(Ascii.backslash) }
  return names
}

private struct Tree {
  var nodes = [JSONPlan.Node()]
  var captureCount = 0

  /// The node of `path`, made when it is new; `nil` for an empty path.
  mutating func node(_ path: String) -> Int? {
    guard !path.isEmpty else { return nil }
    return splitPath(path).reduce(0) { parent, key in
      if let known = nodes[parent].children.first(where: { $0.key == key }) { return known.node }
      nodes.append(JSONPlan.Node())
      nodes[parent].children.append(JSONPlan.Child(key: key, node: nodes.count - 1))
      nodes[parent].childLengths |= 1 << UInt64(key.count & 63)
      return nodes.count - 1
    }
  }

  mutating func capture(_ path: String) -> Int {
    guard let node = node(path) else { return -1 }
    nodes[node].roles.insert(.captured)
    if nodes[node].capture < 0 {
      nodes[node].capture = captureCount
      captureCount += 1
    }
    return nodes[node].capture
  }
}
