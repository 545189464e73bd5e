import Telemetry

/// ```
/// version  u8      1
/// features varint  · base f64 · trees varint
/// each tree: nodes varint, then per node, root first:
///   leaf   00 · value f32 · cover f32
///   split  01 (02: missing goes left) · feature varint · threshold f32 · cover f32 · left varint
/// ```
/// `left` counts from the tree's root; the right child follows it.
extension TreeEnsemble {
  static let formatVersion: UInt8 = 1

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.formatVersion)
    writer.varint(UInt64(featureCount))
    writer.double(base)
    writer.varint(UInt64(roots.count))
    for tree in roots.indices {
      let root = Int(roots[tree])
      let end = tree + 1 < roots.count ? Int(roots[tree + 1]) : features.count
      writer.varint(UInt64(end - root))
      for node in root..<end {
        guard features[node] >= 0 else {
          writer.byte(0)
          writer.float(values[node])
          writer.float(covers[node])
          continue
        }
        writer.byte(missingGoesLeft[node] ? 2 : 1)
        writer.varint(UInt64(features[node]))
        writer.float(values[node])
        writer.float(covers[node])
        writer.varint(UInt64(Int(children[node]) - root))
      }
    }
  }

  /// - Throws: `Truncated` when the bytes end early, have another version or are no trees.
  public init(from reader: inout ByteReader) throws(ByteReader.Truncated) {
    guard try reader.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    let featureCount = try reader.varint()
    guard featureCount < 1 << 31 else { throw ByteReader.Truncated() }
    self.init(featureCount: Int(featureCount), base: try reader.double())
    for _ in 0..<(try reader.length()) {
      let count = try reader.length()
      var tree: [Node] = []
      tree.reserveCapacity(count)
      for _ in 0..<count { tree.append(try Self.node(from: &reader)) }
      do { try append(tree: tree) } catch { throw ByteReader.Truncated() }
    }
  }

  private static func node(from reader: inout ByteReader) throws(ByteReader.Truncated) -> Node {
    let kind = try reader.byte()
    if kind == 0 { return .leaf(value: try reader.float(), cover: try reader.float()) }
    let feature = try reader.varint()
    let threshold = try reader.float()
    let cover = try reader.float()
    let left = try reader.varint()
    guard kind <= 2, feature < 1 << 31, left < 1 << 31 else { throw ByteReader.Truncated() }
    return .split(
      feature: Int(feature), threshold: threshold, missingGoesLeft: kind == 2, left: Int(left),
      right: Int(left) + 1, cover: cover)
  }
}
