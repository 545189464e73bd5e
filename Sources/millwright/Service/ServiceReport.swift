import Gateway

/// Decides what the service manager is told, and when: a status line, and that the pipeline moves.
///
/// It is asked about once a second. The watchdog is fed at each look at the pipeline that finds it moving,
/// four times in a watchdog period, so that no single late look costs a restart.
struct ServiceReport {
  /// What is due at one turn.
  struct Turn: Hashable {
    var notices: [ServiceManager.Notice] = []
    /// What began to stand still, for the log.
    var began: PipelineProgress.Standstill?
    /// It moves again.
    var ended = false
  }

  static let statusMicroseconds: Int64 = 5_000_000

  private let isWatched: Bool
  private let lookMicroseconds: Int64
  private var progress = PipelineProgress()
  private var lookedAt: Int64?
  private(set) var standstill: PipelineProgress.Standstill?
  private var rates = Rates()
  private var told = (line: "", state: "", at: Int64.min)

  init(watchdogMicroseconds: Int64?) {
    isWatched = watchdogMicroseconds != nil
    lookMicroseconds = min(watchdogMicroseconds.map { $0 / 4 } ?? .max, Self.statusMicroseconds)
  }

  /// How long to wait between two turns.
  var pauseMicroseconds: Int64 { min(1_000_000, lookMicroseconds) }

  mutating func turn(_ figures: IngestFigures, _ pipeline: PipelineState) -> Turn {
    var turn = Turn()
    // The pause between two turns is never quite exact: what is due within half of one is due.
    if lookedAt.map({ pipeline.now - $0 >= lookMicroseconds - pauseMicroseconds / 2 }) ?? true {
      lookedAt = pipeline.now
      look(at: pipeline, &turn)
    }
    tellStatus(figures, now: pipeline.now, &turn)
    return turn
  }

  private mutating func look(at pipeline: PipelineState, _ turn: inout Turn) {
    let found = progress.look(at: pipeline)
    if found != nil, standstill == nil { turn.began = found }
    turn.ended = found == nil && standstill != nil
    standstill = found
    if isWatched, found == nil { turn.notices.append(.watchdog) }
  }

  /// A state that changed is told at once, new rates every few seconds.
  private mutating func tellStatus(_ figures: IngestFigures, now: Int64, _ turn: inout Turn) {
    let state = StatusLine.state(figures, standstill: standstill, isWatched: isWatched)
    guard state != told.state || now - told.at >= Self.statusMicroseconds else { return }
    rates.take(figures, now: now)
    let line = state + rates.text + StatusLine.extent(figures)
    if line != told.line { turn.notices.append(.status(line)) }
    told = (line, state, now)
  }
}

/// The parts of the line that `systemctl status` shows.
enum StatusLine {
  /// What is wrong first, then the broker.
  static func state(
    _ figures: IngestFigures, standstill: PipelineProgress.Standstill?, isWatched: Bool
  ) -> String {
    var parts: [String] = []
    if let standstill {
      parts.append("standing still: \(standstill)" + (isWatched ? ", the watchdog is not fed" : ""))
    }
    if figures.isDiskFull {
      parts.append("disk full, nothing is acknowledged")
    } else if !figures.storageProblem.isEmpty {
      parts.append("storage fails, nothing is acknowledged: \(figures.storageProblem)")
    }
    if !figures.flushProblem.isEmpty {
      parts.append("rows wait in the journal: \(figures.flushProblem)")
    }
    parts.append(broker(figures))
    return parts.joined(separator: "; ")
  }

  private static func broker(_ figures: IngestFigures) -> String {
    let reason = figures.brokerDetail.isEmpty ? "" : " (\(figures.brokerDetail))"
    return switch figures.broker {
    case .notConfigured: "no broker configured"
    case .connecting: "connecting to the broker"
    case .connected: "connected to the broker" + reason
    case .disconnected: "no connection to the broker" + reason
    case .refused: "refused by the broker" + reason
    }
  }

  static func extent(_ figures: IngestFigures) -> String {
    "; \(figures.devices) devices, \(figures.series) series"
  }
}

/// Messages and samples a second since the last status line.
private struct Rates {
  private var last: (messages: UInt64, samples: UInt64, at: Int64)?
  private(set) var text = ""

  mutating func take(_ figures: IngestFigures, now: Int64) {
    let messages = figures.messages + figures.submissions
    defer { last = (messages, figures.samples, now) }
    guard let last, now > last.at else { return }
    let seconds = Double(now - last.at) / 1e6
    let perSecond = { (count: UInt64) in Self.rounded(Double(count) / seconds) }
    text =
      "; \(perSecond(messages - last.messages)) messages/s, "
      + "\(perSecond(figures.samples - last.samples)) samples/s"
  }

  private static func rounded(_ rate: Double) -> String {
    rate < 10 ? "\((rate * 10).rounded() / 10)" : "\(Int(rate.rounded()))"
  }
}
