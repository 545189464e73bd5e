import Operations
import Telemetry

/// Notices products that a machine has not made before, so that its detectors learn them.
struct RecipeWatch: Sendable {
  /// Products remembered of a machine; the one not made for longest is forgotten first.
  static let productsMax = 64

  private struct Machine: Sendable {
    /// Of the store's dictionary; the newest last.
    var known: [UInt64] = []
    var device: UInt32
  }

  /// By index of the series that names the product.
  private var machines: [UInt32: Machine] = [:]
  /// Whether a series names a product, by index.
  private var isProduct: [Bool] = []

  mutating func configure(_ definitions: [MachineDefinition], catalog: Catalog) {
    isProduct = []
    let before = machines
    machines = [:]
    for series in catalog.series { define(series, definitions, catalog: catalog) }
    for (series, machine) in before where machines[series] != nil {
      machines[series]?.known = machine.known
    }
  }

  mutating func define(
    _ series: SeriesDefinition, _ definitions: [MachineDefinition], catalog: Catalog
  ) {
    let index = Int(series.index)
    while isProduct.count <= index { isProduct.append(false) }
    guard definitions.contains(where: { $0.productSeries?.metric == series.metric }) else { return }
    let key = catalog.key(of: series.index)
    guard let machine = definitions.first(where: { $0.productSeries == key }),
      let device = catalog.devices.first(where: { $0.id == machine.device })
    else { return }
    isProduct[index] = true
    machines[series.index] = Machine(device: device.index)
  }

  /// - Returns: the machine's device when this product is new to it; the first product of all is not.
  @inline(__always)
  mutating func observe(_ sample: Sample) -> UInt32? {
    let index = Int(sample.series)
    guard index < isProduct.count, isProduct[index] else { return nil }
    return note(sample)
  }

  private mutating func note(_ sample: Sample) -> UInt32? {
    guard sample.quality.severity != .bad, !sample.quality.contains(.stale),
      var machine = machines[sample.series], machine.known.last != sample.bits
    else { return nil }
    defer { machines[sample.series] = machine }
    if let place = machine.known.firstIndex(of: sample.bits) {
      machine.known.append(machine.known.remove(at: place))
      return nil
    }
    machine.known.append(sample.bits)
    if machine.known.count > Self.productsMax { machine.known.removeFirst() }
    return machine.known.count > 1 ? machine.device : nil
  }

  // MARK: - Saved state

  func encode(into out: inout ByteWriter) {
    let order = machines.keys.sorted()
    out.varint(UInt64(order.count))
    for series in order {
      out.fixed(series)
      let known = machines[series]?.known ?? []
      out.varint(UInt64(known.count))
      for word in known { out.fixed(word) }
    }
  }

  init() {}

  /// Which series name products is configuration; what is restored are the products.
  mutating func restore(from input: inout ByteReader) throws(ByteReader.Truncated) {
    for _ in 0..<(try input.length()) {
      let series = try input.fixed(UInt32.self)
      var known: [UInt64] = []
      for _ in 0..<(try input.length()) { known.append(try input.fixed(UInt64.self)) }
      machines[series]?.known = known
    }
  }
}
