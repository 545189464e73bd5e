import Storage
import Telemetry

/// The stages behind the commit, in their order, as one value: a function of the journal.
///
/// `apply` takes each record once, in the order of the journal, live as in a replay, and says what follows
/// from it. Nothing in here reads a clock, draws a random number or does I/O, and no stage walks a
/// dictionary: two processes that read the same journal hold the same bytes. What is derived from a
/// record carries its sequence, so that a replay writes the same rows.
struct Stages: Sendable {
  static let formatVersion: UInt8 = 1

  /// The last record that was applied.
  private(set) var position: UInt64
  private(set) var clock = StageClock()
  /// Devices, series and words as of `position`.
  private(set) var catalog = Catalog()
  private var gate = SeriesGate()

  /// Stages that know nothing yet but the definitions so far.
  init(catalog: Catalog = Catalog(), position: UInt64 = 0) {
    self.position = position
    for item in catalog.items { define(item) }
  }

  // MARK: - The order of the stages

  /// Applies one committed record and adds what follows from it to `output`.
  mutating func apply(_ header: RecordHeader, _ batch: Batch, into output: inout StageOutput) {
    let previousWall = clock.lastWall
    let moment = clock.advance(to: header)
    position = header.sequence
    advance(to: moment, into: &output)
    for place in batch.deliveries.indices {
      for item in batch.items[batch.itemRange(place)] {
        take(item, at: moment, previousWall: previousWall, into: &output)
      }
      for index in batch.sampleRange(place) {
        guard let sample = gate.admit(batch.samples[index]) else { continue }
        take(sample, at: moment, into: &output)
      }
    }
  }

  /// When a stage next has something to do though nothing arrives, in elapsed µs; `nil`: never.
  var nextDeadline: Int64? { nil }

  /// Timers that are due: before the samples of the record that brings the time.
  private mutating func advance(to moment: RecordMoment, into output: inout StageOutput) {}

  private mutating func take(
    _ item: Item, at moment: RecordMoment, previousWall: Timestamp?, into output: inout StageOutput
  ) {
    switch item {
    case .device, .series, .word: define(item)
    case .started(let version):
      noteStart(version: version, at: moment, previousWall: previousWall, into: &output)
    case .command(let command):
      output.verdicts.append(carryOut(command, at: moment, into: &output))
    default: break
    }
  }

  private mutating func take(
    _ sample: Sample, at moment: RecordMoment, into output: inout StageOutput
  ) {}

  private mutating func define(_ item: Item) {
    catalog.apply(item)
    if case .series(let series) = item { gate.define(series) }
  }

  /// - Returns: `nil` when it was carried out.
  private mutating func carryOut(
    _ command: OperatorCommand, at moment: RecordMoment, into output: inout StageOutput
  ) -> CommandRefusal? {
    if command.name == Self.effectCommand {
      return requestEffects(command, at: moment, into: &output)
    }
    return CommandRefusal(
      code: "unknown_command", detail: "there is no command '\(command.name)' in this version")
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
  }

  /// - Throws: when the bytes end early or are of another version: the stages then begin anew.
  init(from input: inout ByteReader) throws(ByteReader.Truncated) {
    guard try input.byte() == Self.formatVersion else { throw ByteReader.Truncated() }
    position = try input.varint()
    clock = try StageClock(from: &input)
    catalog = try Catalog(from: &input)
    gate = try SeriesGate(from: &input)
  }

  var encoded: [UInt8] {
    var out = ByteWriter(capacity: 1 << 16)
    encode(into: &out)
    return Array(out.bytes)
  }

  init(encoded bytes: [UInt8]) throws(ByteReader.Truncated) {
    let result: Result<Stages, ByteReader.Truncated> = bytes.withUnsafeBytes { buffer in
      var reader = ByteReader(buffer)
      return Result { () throws(ByteReader.Truncated) in try Stages(from: &reader) }
    }
    self = try result.get()
  }
}
