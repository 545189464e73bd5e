import Devices
import Operations
import Rules
import Scoring
import Storage
import Telemetry

/// The stages behind the commit, in their order, as one value: a function of the journal.
///
/// `apply` takes each record once, in the order of the journal, live as in a replay, and says what follows
/// from it. Nothing in here reads a clock, draws a random number or does I/O, and no stage walks a
/// dictionary: two processes that read the same journal hold the same bytes. What is derived from a
/// record carries its sequence, so that a replay writes the same rows.
struct Stages: Sendable {
  /// 2 was without maintenance; 1 without the rules of quality, and is not read any more.
  static let formatVersion: UInt8 = 3

  /// How far ahead of our clock an event about parts or machines is believed.
  private static let farFutureMicroseconds: Int64 = 3_600_000_000

  /// The last record that was applied.
  private(set) var position: UInt64
  private(set) var clock = StageClock()
  /// The moment of the last record.
  private(set) var moment = RecordMoment(sequence: 0, wall: .epoch, elapsedMicroseconds: 0)
  /// Devices, series and words as of `position`.
  private(set) var catalog = Catalog()
  private var gate = SeriesGate()
  private var configuration = StageConfiguration()
  private(set) var rules = RuleEngine(rules: RuleSet())
  private var detection = SeriesDetection()
  private var machines = MachineStage()
  private var twins = TwinDesires()
  private(set) var quality = QualityStage()
  private(set) var maintenance = MaintenanceStage()
  private var recipes = RecipeWatch()

  // Used again for each record.
  private var ruleOutput = RuleOutput()
  private var anomalies: [Anomaly] = []
  private var machineChanges: [MachineStage.Change] = []
  private var twinOutput = TwinOutput()
  private var qualityNotices: [QualityStage.Notice] = []
  private var advice: [MaintenanceStage.Advice] = []
  /// Series that were defined in the present record: detectors learn of them with its end.
  private var newSeries: [UInt32] = []

  /// Stages that know nothing yet but the definitions so far.
  init(catalog: Catalog = Catalog(), position: UInt64 = 0) {
    self.position = position
    for item in catalog.items { define(item) }
    beginDetection()
  }

  // MARK: - The order of the stages

  /// Applies one committed record and adds what follows from it to `output`.
  ///
  /// Within a record: each delivery in its order, what it says before its samples; each sample through the
  /// gate, then to the machines, their maintenance, the detectors, then to the rules, so that a rule may wait for an
  /// anomaly of the same sample. What should be maintained is judged when all samples are in. Detectors let time pass before the samples; timers of rules come last: what arrived with the
  /// record counts before what is missing.
  mutating func apply(_ header: RecordHeader, _ batch: Batch, into output: inout StageOutput) {
    let previousWall = clock.lastWall
    let moment = clock.advance(to: header)
    self.moment = moment
    position = header.sequence
    detection.advance(to: moment, into: &anomalies)
    if !anomalies.isEmpty { tellAnomalies(at: moment, into: &output) }
    machines.advance(to: moment, into: &machineChanges)
    if !machineChanges.isEmpty { tellMachines(at: moment, into: &output) }
    for place in batch.deliveries.indices {
      for item in batch.items[batch.itemRange(place)] {
        take(item, at: moment, previousWall: previousWall, into: &output)
      }
      if !newSeries.isEmpty { beginDetection() }
      for index in batch.sampleRange(place) {
        guard let sample = gate.admit(batch.samples[index]) else { continue }
        machines.observe(sample, at: moment, catalog: catalog, into: &machineChanges)
        if !machineChanges.isEmpty { tellMachines(at: moment, into: &output) }
        quality.observe(sample, into: &qualityNotices)
        if !qualityNotices.isEmpty { tellQuality(at: moment, into: &output) }
        twins.observe(sample, at: moment, into: &twinOutput)
        if !twinOutput.isEmpty { tellTwins(at: moment, into: &output) }
        maintenance.observe(sample, catalog: catalog)
        if let device = recipes.observe(sample), learnsProducts(device) {
          detection.relearn(device: device, at: moment)
        }
        detection.observe(sample, at: moment, into: &anomalies)
        if !anomalies.isEmpty { tellAnomalies(at: moment, into: &output) }
        rules.observe(sample, at: moment, into: &ruleOutput)
      }
    }
    twins.advance(to: moment, into: &twinOutput)
    if !twinOutput.isEmpty { tellTwins(at: moment, into: &output) }
    maintenance.advance(to: moment)
    if maintenance.hasDoubts { tellMaintenance(at: moment, into: &output) }
    rules.advance(to: moment, into: &ruleOutput)
    tellRules(at: moment, into: &output)
  }

  /// When a stage next has something to do though nothing arrives, in elapsed µs; `nil`: never.
  mutating func nextDeadline() -> Int64? {
    [
      rules.nextDeadline(), detection.nextDeadline, machines.nextDeadline, twins.nextDeadline,
    ].compactMap { $0 }.min()
  }

  private mutating func take(
    _ item: Item, at moment: RecordMoment, previousWall: Timestamp?, into output: inout StageOutput
  ) {
    switch item {
    case .device, .series, .word:
      define(item)
      if !qualityNotices.isEmpty { tellQuality(at: moment, into: &output) }
    case .started(let version):
      rules.restarted(at: moment)
      detection.resume()
      noteStart(version: version, at: moment, previousWall: previousWall, into: &output)
    case .connected:
      rules.reconnected(at: moment)
      detection.resume()
    case .configuration(let files):
      // One that this version cannot read leaves the one before in force.
      if let read = StageConfiguration(files: files) { configure(read, at: moment) }
      if !qualityNotices.isEmpty { tellQuality(at: moment, into: &output) }
    case .event(let event):
      // A wrong clock must not decide for years what was charted or replaced.
      let latest = moment.wall.advanced(byMicroseconds: Self.farFutureMicroseconds)
      quality.eventHappened(event, latest: latest, into: &qualityNotices)
      if !qualityNotices.isEmpty { tellQuality(at: moment, into: &output) }
      if event.time <= latest,
        let device = maintenance.take(event, at: moment, catalog: catalog)
      {
        detection.reset(device: device, .maintenance)
      }
      rules.eventHappened(event, at: moment, into: &ruleOutput)
    case .wentStale(let staleness):
      twins.wentStale(staleness)
      rules.wentStale(staleness, at: moment, into: &ruleOutput)
    case .command(let command):
      output.verdicts.append(carryOut(command, at: moment, into: &output))
    default: break
    }
  }

  private mutating func define(_ item: Item) {
    var before: DeviceDefinition?
    if case .device(let device) = item, Int(device.index) < catalog.devices.count {
      before = catalog.devices[Int(device.index)]
    }
    catalog.apply(item)
    if case .device(let device) = item, let before, before != device { redefine(before, device) }
    rules.define(item)
    twins.define(item)
    if case .device(let device) = item { maintenance.define(device, catalog: catalog) }
    guard case .series(let series) = item else { return }
    gate.define(series)
    machines.define(series, catalog: catalog)
    quality.define(series, catalog: catalog)
    maintenance.define(series, catalog: catalog)
    recipes.define(series, configuration.production.machines, catalog: catalog)
    newSeries.append(series.index)
  }

  /// A device has another name, place or profile: stages that look devices up by these look again.
  private mutating func redefine(_ old: DeviceDefinition, _ new: DeviceDefinition) {
    if old.id != new.id { quality.rename(old.id, to: new.id) }
    machines.configure(configuration.production.machines, catalog: catalog)
    recipes.configure(configuration.production.machines, catalog: catalog)
    quality.configure(
      configuration.quality.characteristics, catalog: catalog, at: moment.wall,
      into: &qualityNotices)
  }

  // MARK: - Configuration

  /// The files in force.
  var configuredFiles: [ConfigurationFile] { configuration.files }

  /// For stages that begin anew: what was in force at their first record.
  mutating func begin(with files: [ConfigurationFile]) {
    // One that this version cannot read is replaced by today's at the start.
    if let read = StageConfiguration(files: files) { configure(read, at: moment) }
    ruleOutput.removeAll()
    qualityNotices.removeAll()
  }

  /// Definitions that the store has and the stages do not, or otherwise: what was lost with a damaged record.
  func missingDefinitions(of store: Catalog) -> [Item] {
    let known = catalog
    var items: [Item] = []
    for device in store.devices
    where device.index >= known.devices.count || known.devices[Int(device.index)] != device {
      items.append(.device(device))
    }
    for series in store.series
    where series.index >= known.series.count || known.series[Int(series.index)] != series {
      items.append(.series(series))
    }
    for (id, word) in store.words.enumerated()
    where id >= known.words.count || known.words[id] != word {
      items.append(.word(id: UInt32(id), text: word))
    }
    return items
  }

  private mutating func configure(_ new: StageConfiguration, at moment: RecordMoment) {
    configuration = new
    rules.replace(rules: new.rules, zone: new.localOffset, at: moment, into: &ruleOutput)
    detection.configure(detectionSettings)
    machines.configure(new.production.machines, catalog: catalog)
    quality.configure(
      new.quality.characteristics, catalog: catalog, at: moment.wall, into: &qualityNotices)
    maintenance.configure(new.maintenance, catalog: catalog)
    recipes.configure(new.production.machines, catalog: catalog)
    twins.configure(new.devices.profiles)
    newSeries = catalog.series.map(\.index)
    beginDetection()
  }

  private var detectionSettings: DetectionSettings {
    var settings = DetectionSettings()
    settings.learningMicroseconds = configuration.effective.learningMicroseconds
    return settings
  }

  /// Detectors of the series that are new or whose profile may say something else now.
  private mutating func beginDetection() {
    var devices: [UInt32] = []
    for index in newSeries {
      let series = catalog.series[Int(index)]
      let device = catalog.devices[Int(series.device)]
      let metric = configuration.metric(series, of: device)
      detection.define(
        series, options: SeriesDetectionOptions(range: metric?.range))
      if devices.last != series.device { devices.append(series.device) }
    }
    newSeries.removeAll(keepingCapacity: true)
    // Channels of one machine are looked at together where a profile says that it is one.
    for device in devices where !catalog.devices[Int(device)].profile.isEmpty {
      let gauges = catalog.series(ofDevice: device).filter {
        let series = catalog.series[Int($0)]
        return series.kind == .gauge && series.type == .number
      }
      detection.group(device: device, series: gauges)
    }
  }

  // MARK: - Learning anew

  private func learnsProducts(_ device: UInt32) -> Bool {
    maintenance.machines.first { $0.device == device }?.definition.learnsProducts ?? true
  }

  /// After a setup, where the configuration says so.
  private mutating func forgetAfterSetup(_ change: MachineStage.Change) {
    guard change.change.old == .setup, change.change.new != .setup,
      let device = catalog.devices.first(where: { $0.id == change.machine.device }),
      maintenance.machines.first(where: { $0.device == device.index })?.definition.resetsAfterSetup
        == true
    else { return }
    detection.reset(device: device.index, .recipeChange)
  }

  // MARK: - What stages tell

  private mutating func tellMaintenance(at moment: RecordMoment, into output: inout StageOutput) {
    maintenance.settle(at: moment, catalog: catalog, into: &advice)
    for advice in advice {
      MaintenanceRecords.add(advice, at: moment, to: &output)
      if let told = output.events.last {
        rules.eventHappened(told.event, at: moment, into: &ruleOutput)
      }
    }
    advice.removeAll(keepingCapacity: true)
  }

  private mutating func tellAnomalies(at moment: RecordMoment, into output: inout StageOutput) {
    for anomaly in anomalies {
      AnomalyRecords.add(anomaly, catalog: catalog, at: moment, to: &output)
      if let told = output.events.last {
        rules.eventHappened(told.event, at: moment, into: &ruleOutput)
      }
    }
    anomalies.removeAll(keepingCapacity: true)
  }

  private mutating func tellMachines(at moment: RecordMoment, into output: inout StageOutput) {
    for change in machineChanges {
      forgetAfterSetup(change)
      MachineRecords.add(change, at: moment, to: &output)
      if let told = output.events.last {
        rules.eventHappened(told.event, at: moment, into: &ruleOutput)
      }
    }
    machineChanges.removeAll(keepingCapacity: true)
  }

  private mutating func tellQuality(at moment: RecordMoment, into output: inout StageOutput) {
    for notice in qualityNotices {
      let first = output.events.count
      let named = QualityRecords.add(notice, at: moment, to: &output)
      for event in output.events[first...].map(\.event) + [named].compactMap({ $0 }) {
        rules.eventHappened(event, at: moment, into: &ruleOutput)
      }
    }
    qualityNotices.removeAll(keepingCapacity: true)
  }

  private mutating func tellTwins(at moment: RecordMoment, into output: inout StageOutput) {
    let first = output.events.count
    TwinRecords.add(twinOutput, at: moment, to: &output)
    for told in output.events[first...] {
      rules.eventHappened(told.event, at: moment, into: &ruleOutput)
    }
    twinOutput.removeAll()
  }

  private mutating func tellRules(at moment: RecordMoment, into output: inout StageOutput) {
    guard !ruleOutput.isEmpty else { return }
    AlarmRecords.add(ruleOutput, at: moment, to: &output)
    ruleOutput.removeAll()
  }

  /// - Returns: `nil` when it was carried out.
  private mutating func carryOut(
    _ command: OperatorCommand, at moment: RecordMoment, into output: inout StageOutput
  ) -> CommandRefusal? {
    if command.name == Self.effectCommand {
      return requestEffects(command, at: moment, into: &output)
    }
    if command.name == TwinDesires.commandName {
      let result = twins.command(command, at: moment, into: &twinOutput)
      tellTwins(at: moment, into: &output)
      if case .failure(let refusal) = result { return refusal }
      return nil
    }
    if command.name == MaintenanceRecords.modelCommand {
      do throws(CommandRefusal) {
        try maintenance.take(try MaintenanceModelSet(command))
        return nil
      } catch {
        return error
      }
    }
    if command.name == QualityStage.resumeCommand {
      do throws(CommandRefusal) {
        // Without a body the device is whichever it is; the route writes no other.
        let body = try? JSONReader.read(Array(command.body.utf8))
        let place = try quality.resume(command.target, device: body?["device"]?.text)
        QualityRecords.addResumed(place, by: command, at: moment, to: &output)
        if let told = output.events.last {
          rules.eventHappened(told.event, at: moment, into: &ruleOutput)
        }
        return nil
      } catch {
        return error
      }
    }
    if ProductionCommands.knows(command.name) {
      return ProductionCommands.carryOut(
        command, configuration.production, at: moment, into: &output)
    }
    guard command.name.hasPrefix("alarm.") else {
      return CommandRefusal(
        code: "unknown_command", detail: "there is no command '\(command.name)' in this version")
    }
    do throws(CommandRefusal) {
      let refusal = rules.command(
        try AlarmCommand(command), at: moment, by: command.principal, remark: command.remark,
        into: &ruleOutput)
      return refusal.map { CommandRefusal(code: $0.code, detail: $0.description) }
    } catch {
      return error
    }
  }

  /// Our own downtime is an event: nobody looked in between.
  private func noteStart(
    version: String, at moment: RecordMoment, previousWall: Timestamp?,
    into output: inout StageOutput
  ) {
    var properties: [(String, JSONValue)] = [("version", .string(version))]
    if let previousWall {
      let seconds = Double(moment.wall.microseconds - previousWall.microseconds) / 1e6
      properties.append(("last_record", .string(previousWall.rfc3339)))
      properties.append(("down_seconds", .double(max(0, seconds))))
    }
    output.add("GatewayStarted", at: moment, properties: .object(properties))
  }

  // MARK: - Saved state

  /// Everything that a later record may depend on. Cost: about the memory the stages hold.
  func encode(into out: inout ByteWriter) {
    out.byte(Self.formatVersion)
    out.varint(position)
    clock.encode(into: &out)
    catalog.encode(into: &out)
    gate.encode(into: &out)
    out.varint(UInt64(configuration.files.count))
    for file in configuration.files {
      out.text(file.name)
      out.text(file.content)
    }
    rules.encode(into: &out)
    detection.encode(into: &out)
    machines.encode(into: &out)
    twins.encode(into: &out)
    quality.encode(into: &out)
    maintenance.encode(into: &out)
    recipes.encode(into: &out)
  }

  /// - Throws: when the bytes end early or are of another version: the stages then begin anew.
  init(from input: inout ByteReader) throws(ByteReader.Truncated) {
    guard try input.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    position = try input.varint()
    clock = try StageClock(from: &input)
    catalog = try Catalog(from: &input)
    gate = try SeriesGate(from: &input)
    var files: [ConfigurationFile] = []
    for _ in 0..<(try input.length()) {
      files.append(ConfigurationFile(name: try input.text(), content: try input.text()))
    }
    guard let configuration = StageConfiguration(files: files) else { throw ByteReader.Truncated() }
    self.configuration = configuration
    rules = RuleEngine(rules: configuration.rules, zone: configuration.localOffset)
    for item in catalog.items { rules.define(item) }
    moment = RecordMoment(
      sequence: position, wall: clock.lastWall ?? .epoch,
      elapsedMicroseconds: clock.elapsedMicroseconds)
    try rules.restore(from: &input, at: moment, into: &ruleOutput)
    detection = try SeriesDetection(settings: detectionSettings, from: &input)
    machines = try MachineStage(configuration.production.machines, catalog: catalog, from: &input)
    twins.configure(configuration.devices.profiles)
    for item in catalog.items { twins.define(item) }
    try twins.restore(from: &input)
    recipes.configure(configuration.production.machines, catalog: catalog)
    quality = try QualityStage(
      configuration.quality.characteristics, catalog: catalog, from: &input)
    maintenance = try MaintenanceStage(
      configuration.maintenance, catalog: catalog, from: &input)
    try recipes.restore(from: &input)
  }

  func saved() -> StateContent {
    // Detectors are most of it: room that is not needed is never touched.
    var out = ByteWriter(
      capacity: 1 << 16 + detection.count * SeriesDetection.bytesPerSeries * 3 / 2)
    encode(into: &out)
    return StateContent(out)
  }

  init(encoded bytes: [UInt8]) throws(ByteReader.Truncated) {
    let result: Result<Stages, ByteReader.Truncated> = bytes.withUnsafeBytes { buffer in
      var reader = ByteReader(buffer)
      return Result { () throws(ByteReader.Truncated) in try Stages(from: &reader) }
    }
    self = try result.get()
  }
}
