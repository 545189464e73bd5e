import ArgumentParser
import Gateway
import Storage
import Telemetry

/// `millwright doctor`: the health of a data directory, and its repair.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look over a data directory; repair a damaged database.",
    discussion: """
      Reads the journal, every table and every chunk's checksum, and says what it
      found. Ends with 1 when there is a problem. Works while no gateway runs on the
      directory.

      EXAMPLES
        millwright doctor
        millwright doctor --data /var/lib/millwright --json
        millwright doctor --repair      copy what is readable into a new database
        millwright doctor --compact     join small chunks, give free space back
      """)

  @OptionGroup var place: ConfigurationOptions

  @Flag(help: "Set a damaged database aside and copy every readable row and chunk into a new one.")
  var repair = false

  @Flag(help: "Merge small chunks and give free pages back to the disk.")
  var compact = false

  @Flag(help: "JSON instead of lines.")
  var json = false

  func run() async throws {
    try await reporting {
      let directory = try place.dataDirectory()
      let lock = try hold(directory)
      defer { lock?.release() }
      let doctor = Doctor(directory: directory)
      if repair { try mend(doctor) }
      if compact { try shrink(doctor, directory) }
      let findings = examine(doctor) + [clock()]
      json ? printJSON(findings) : printLines(findings)
      if findings.contains(where: { $0.severity == .problem }) {
        throw ExitCode(Failure.Status.failed.rawValue)
      }
    }
  }

  /// Only what changes the directory takes its lock; an examination leaves no trace.
  private func hold(_ directory: String) throws -> DataLock? {
    let advice = "stop the gateway first; its own health is at /health"
    if DataLock.isHeld(directory) {
      let who = DataLock.holder(of: directory).map { " (process \($0))" } ?? ""
      throw Failure(.inUse, "\(directory) is in use\(who); \(advice)")
    }
    guard repair || compact else { return nil }
    do {
      return try DataLock(directory: directory)
    } catch let held as DataLock.Held {
      throw Failure(.inUse, "\(held)")
    }
  }

  private var now: Timestamp {
    Timestamp(microseconds: ClockSource.system().read().wallMicroseconds)
  }

  private func examine(_ doctor: Doctor) -> [Doctor.Finding] {
    let bars = StepBars()
    defer { bars.finish() }
    return doctor.examine(now: now) { bars.update($0, $1, $2) }
  }

  private func mend(_ doctor: Doctor) throws {
    let found = examine(doctor)
    let isDamaged = found.contains {
      $0.severity == .problem && ["database", "chunks"].contains($0.subject)
    }
    guard isDamaged else { return StandardError.write("the database needs no repair") }
    let bars = StepBars()
    let report = try doctor.repair(now: now) { bars.update($0, $1, $2) }
    bars.finish()
    StandardError.write("the damaged database was set aside as \(report.setAside)")
    for table in report.tables where table.saved > 0 || table.gaps > 0 {
      let gaps = table.gaps > 0 ? ", reading failed at \(table.gaps) places" : ""
      StandardError.write("  \(table.table): \(table.saved) rows saved\(gaps)")
    }
    if report.damagedChunks > 0 {
      StandardError.write(
        "  \(report.damagedChunks) chunks with \(report.lostSamples) samples are lost; the loss ledger "
          + "has a row for each")
    }
  }

  private func shrink(_ doctor: Doctor, _ directory: String) throws {
    let bars = StepBars()
    let (before, after) = try doctor.compact(settings: StoreSettings(directory: directory)) {
      bars.update($0, $1, $2)
    }
    bars.finish()
    StandardError.write("compacted: \(Number.bytes(before)) before, \(Number.bytes(after)) now")
  }

  private func clock() -> Doctor.Finding {
    let isSynchronized = ClockSource.system().read().isSynchronized
    return Doctor.Finding(
      severity: isSynchronized ? .ok : .notice, subject: "clock",
      text: isSynchronized
        ? "synchronised by NTP or PTP"
        : "nobody vouches for it: set up chrony or systemd-timesyncd, or receive times may be wrong"
    )
  }

  private func printLines(_ findings: [Doctor.Finding]) {
    let width = findings.map(\.subject.count).max() ?? 0
    for finding in findings {
      let mark =
        finding.severity == .ok ? "ok     " : finding.severity == .notice ? "note   " : "PROBLEM"
      let space = String(repeating: " ", count: width - finding.subject.count)
      print("\(mark)  \(finding.subject)\(space)  \(finding.text)")
    }
  }

  private func printJSON(_ findings: [Doctor.Finding]) {
    let items = findings.map {
      JSONText.object([
        ("severity", JSONText.quoted($0.severity.rawValue)),
        ("subject", JSONText.quoted($0.subject)), ("text", JSONText.quoted($0.text)),
      ])
    }
    let isHealthy = !findings.contains { $0.severity == .problem }
    print(
      JSONText.object([
        ("healthy", "\(isHealthy)"), ("findings", "[\(items.joined(separator: ", "))]"),
      ]))
  }
}

/// One progress bar after the other, each for a step of the work.
final class StepBars {
  private var step = ""
  private var bar: ProgressBar?

  func update(_ step: String, _ done: Int, _ total: Int) {
    if step != self.step {
      bar?.finish()
      bar = ProgressBar(step, total: total > 0 ? total : nil)
      self.step = step
    }
    bar?.update(to: done)
  }

  func finish() { bar?.finish() }
}
