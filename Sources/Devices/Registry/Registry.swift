import Telemetry

/// What is known by number: devices, series and the words of the text dictionary.
///
/// Plain arrays indexed by the dense numbers that samples carry. It changes only through `apply(_:)`,
/// with the same items that go to the journal: filled from the store at start, then by replay, then by
/// the resolver, it is the same registry. Texts are compared canonically, as Swift does.
public struct Registry: Sendable {
  public struct Limits: Hashable, Sendable {
    public var devicesMax = 100_000
    public var seriesMax = 1_000_000
    public var wordsMax = 200_000
    /// Longer texts are refused, not cut: half an error text is worse than a counted refusal.
    public static let wordBytesMax = 4_096

    public init() {}
  }

  public private(set) var devices: [DeviceDefinition] = []
  public private(set) var series: [SeriesDefinition] = []
  public private(set) var words: [String] = []
  public var limits: Limits

  private var deviceIndexes: [String: UInt32] = [:]
  /// By the ids that devices had before.
  private var formerIndexes: [String: UInt32] = [:]
  /// Devices as they were before updates that are not on disk yet, in the order of the updates.
  private var replaced: [DeviceDefinition] = []
  private var seriesIndexes: [SeriesName: UInt32] = [:]
  private var wordIDs: [String: UInt32] = [:]

  private struct SeriesName: Hashable, Sendable {
    var device: UInt32
    var metric: String
  }

  public init(limits: Limits = Limits()) { self.limits = limits }

  /// Takes in a definition; applying a known one again updates it in place, other items are passed over.
  ///
  /// Limits are not checked: what was journaled is true. Numbers must come without gaps.
  public mutating func apply(_ item: Item) {
    switch item {
    case .device(let device): apply(device)
    case .series(let definition): apply(definition)
    case .word(let id, let text): applyWord(id, text)
    default: break
    }
  }

  /// The device of this id, else the one that had it before.
  public func deviceIndex(_ id: String) -> UInt32? { deviceIndexes[id] ?? formerIndexes[id] }

  /// The device that had this id before, whether or not another has it now.
  func formerDeviceIndex(_ id: String) -> UInt32? { formerIndexes[id] }

  /// The device that has this id now.
  func presentDeviceIndex(_ id: String) -> UInt32? { deviceIndexes[id] }

  public func seriesIndex(device: UInt32, metric: String) -> UInt32? {
    seriesIndexes[SeriesName(device: device, metric: metric)]
  }

  public func seriesIndex(_ key: SeriesKey) -> UInt32? {
    deviceIndex(key.device).flatMap { seriesIndex(device: $0, metric: key.metric) }
  }

  public func wordID(_ text: String) -> UInt32? { wordIDs[text] }

  public func key(of series: UInt32) -> SeriesKey {
    let definition = self.series[Int(series)]
    return SeriesKey(device: devices[Int(definition.device)].id, metric: definition.metric)
  }

  /// The value of a sample as people know it.
  public func value(of sample: Sample) -> Value {
    switch series[Int(sample.series)].type {
    case .number: .number(Double(bitPattern: sample.bits))
    case .boolean: .boolean(sample.bits != 0)
    case .text: .text(words[Int(sample.bits)])
    }
  }

  /// How far the registry has grown; see `rollBack(to:)`.
  public struct Mark: Hashable, Sendable {
    var devices: Int
    var series: Int
    var words: Int
  }

  public var mark: Mark { Mark(devices: devices.count, series: series.count, words: words.count) }

  /// Updates so far are on disk: `rollBack` leaves them as they are.
  mutating func markCommitted() -> Mark {
    replaced.removeAll()
    return mark
  }

  /// Forgets definitions made after `mark` and updates of devices made since `markCommitted`, for a
  /// batch that could not be committed. Updates of series and words stay.
  mutating func rollBack(to mark: Mark) {
    while let before = replaced.popLast() { put(before) }
    for device in devices[mark.devices...] { forgetNames(of: device) }
    for definition in series[mark.series...] {
      seriesIndexes[SeriesName(device: definition.device, metric: definition.metric)] = nil
    }
    for word in words[mark.words...] { wordIDs[word] = nil }
    devices.removeSubrange(mark.devices...)
    series.removeSubrange(mark.series...)
    words.removeSubrange(mark.words...)
  }

  private mutating func apply(_ device: DeviceDefinition) {
    let index = Int(device.index)
    precondition(
      index <= devices.count,
      "device \(device.index) `\(device.id)` leaves a gap after \(devices.count)")
    if index == devices.count {
      devices.append(device)
      learnNames(of: device)
    } else {
      replaced.append(devices[index])
      put(device)
    }
  }

  private mutating func put(_ device: DeviceDefinition) {
    forgetNames(of: devices[Int(device.index)])
    devices[Int(device.index)] = device
    learnNames(of: device)
  }

  private mutating func learnNames(of device: DeviceDefinition) {
    deviceIndexes[device.id] = device.index
    for id in device.was { formerIndexes[id] = device.index }
  }

  /// A name that another device took meanwhile stays with that one.
  private mutating func forgetNames(of device: DeviceDefinition) {
    if deviceIndexes[device.id] == device.index { deviceIndexes[device.id] = nil }
    for id in device.was where formerIndexes[id] == device.index { formerIndexes[id] = nil }
  }

  private mutating func apply(_ definition: SeriesDefinition) {
    let index = Int(definition.index)
    precondition(
      index <= series.count,
      "series \(definition.index) `\(definition.metric)` leaves a gap after \(series.count)")
    precondition(
      definition.device < devices.count,
      "series \(definition.index) belongs to device \(definition.device), which is not defined")
    if index == series.count {
      series.append(definition)
    } else {
      let old = series[index]
      seriesIndexes[SeriesName(device: old.device, metric: old.metric)] = nil
      series[index] = definition
    }
    seriesIndexes[SeriesName(device: definition.device, metric: definition.metric)] =
      definition.index
  }

  private mutating func applyWord(_ id: UInt32, _ text: String) {
    precondition(id <= words.count, "word \(id) leaves a gap after \(words.count)")
    if id == words.count {
      words.append(text)
    } else {
      wordIDs[words[Int(id)]] = nil
      words[Int(id)] = text
    }
    wordIDs[text] = id
  }
}

extension Registry {
  /// Why nothing new can be defined.
  func refusalOfDevice(_ id: String) -> Refused? {
    guard devices.count >= limits.devicesMax else { return nil }
    return Refused(
      code: "too_many_devices",
      detail: "device `\(id)` is not taken: there are \(devices.count) devices already "
        + "(settings.devices_max)")
  }

  func refusalOfSeries(_ key: SeriesKey) -> Refused? {
    guard series.count >= limits.seriesMax else { return nil }
    return Refused(
      code: "too_many_series",
      detail: "`\(key)` is not taken: there are \(series.count) series already "
        + "(settings.series_max)")
  }

  func refusalOfWord(_ text: String, for key: SeriesKey) -> Refused? {
    if text.utf8.count > Limits.wordBytesMax {
      return Refused(
        code: "text_too_long",
        detail: "a text of `\(key)` has \(text.utf8.count) bytes, at most \(Limits.wordBytesMax) "
          + "are stored")
    }
    guard words.count >= limits.wordsMax else { return nil }
    return Refused(
      code: "too_many_words",
      detail: "a new text of `\(key)` is not taken: there are \(words.count) different texts "
        + "already (settings.words_max)")
  }
}

/// Why something was not taken: a stable slug and a sentence for people.
public struct Refused: Error, Hashable, Sendable, CustomStringConvertible {
  public var code: String
  public var detail: String

  public var description: String { detail }
}
