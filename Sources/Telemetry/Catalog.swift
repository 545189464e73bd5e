/// Devices, series and words as plain arrays: index = id.
///
/// Built by applying items in the order of the journal; applying a known one again updates it in place.
public struct Catalog: Sendable {
  public private(set) var devices: [DeviceDefinition] = []
  public private(set) var series: [SeriesDefinition] = []
  public private(set) var words: [String] = []
  /// Indexes of the series of each device.
  private var seriesOfDevices: [[UInt32]] = []

  public init() {}

  public mutating func apply(_ item: Item) {
    switch item {
    case .device(let device):
      Catalog.put(device, at: Int(device.index), in: &devices, otherwise: Catalog.lostDevice)
    case .series(let definition):
      let device = Int(definition.device)
      // The definition of its device may have been lost with a damaged record; a number this high is damage.
      if device >= devices.count, device < devices.count + 1_000_000 {
        while devices.count <= device { devices.append(Catalog.lostDevice(devices.count)) }
      }
      guard device < devices.count else { return }
      if Int(definition.index) >= series.count { note(definition) }
      Catalog.put(definition, at: Int(definition.index), in: &series, otherwise: Catalog.lostSeries)
      if devices.isEmpty, !series.isEmpty { devices.append(Catalog.lostDevice(0)) }
    case .word(let id, let text):
      Catalog.put(text, at: Int(id), in: &words) { "lost-\($0)" }
    default: break
    }
  }

  private mutating func note(_ definition: SeriesDefinition) {
    let device = Int(definition.device)
    // A number this high is damage.
    guard device < 100_000_000 else { return }
    while seriesOfDevices.count <= device { seriesOfDevices.append([]) }
    seriesOfDevices[device].append(definition.index)
  }

  /// In the order in which they were first seen.
  public func series(ofDevice device: UInt32) -> [UInt32] {
    device < seriesOfDevices.count ? seriesOfDevices[Int(device)] : []
  }

  /// Ids are dense, so a gap can only come from damage: what is missing gets a name that says so.
  private static func put<Element>(
    _ element: Element, at index: Int, in list: inout [Element], otherwise lost: (Int) -> Element
  ) {
    if index < list.count {
      list[index] = element
    } else if index < list.count + 1_000_000 {
      while list.count < index { list.append(lost(list.count)) }
      list.append(element)
    }
  }

  /// Stands for a device whose definition was lost with a damaged file.
  public static func lostDevice(_ index: Int) -> DeviceDefinition {
    DeviceDefinition(index: UInt32(index), id: "lost-\(index)", isAdopted: true)
  }

  /// Stands for a series whose definition was lost: its samples are kept as numbers.
  public static func lostSeries(_ index: Int) -> SeriesDefinition {
    SeriesDefinition(
      index: UInt32(index), device: 0, metric: "lost-\(index)", type: .number, kind: .gauge,
      description: "its definition was lost with a damaged file")
  }

  /// The definitions as items, in the order in which they can be applied again.
  public var items: [Item] {
    devices.map(Item.device) + series.map(Item.series)
      + words.enumerated().map { .word(id: UInt32($0.offset), text: $0.element) }
  }

  /// The id that the device which was called `id` has now; `nil`: no device was.
  public func presentID(ofFormer id: String) -> String? {
    devices.first { $0.was.contains(id) }?.id
  }

  public func key(of index: UInt32) -> SeriesKey {
    let definition = series[Int(index)]
    return SeriesKey(device: devices[Int(definition.device)].id, metric: definition.metric)
  }

  /// The value that `bits` mean in a series of this type.
  public func value(_ bits: UInt64, type: ValueType) -> Value {
    switch type {
    case .number: .number(Double(bitPattern: bits))
    case .boolean: .boolean(bits != 0)
    case .text: .text(bits < UInt64(words.count) ? words[Int(bits)] : "")
    }
  }
}
