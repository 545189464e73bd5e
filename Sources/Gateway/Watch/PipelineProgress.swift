/// Where the pipeline stands, as one look from outside sees it. Times are monotonic microseconds.
public struct PipelineState: Sendable, Hashable {
  public struct Job: Sendable, Hashable {
    public var name: String
    public var lastStep: Int64

    public init(name: String, lastStep: Int64) {
      self.name = name
      self.lastStep = lastStep
    }
  }

  /// The time of the look.
  public var now: Int64
  /// Turns of the ingest loop so far; also an idle loop turns twice a second.
  public var turns: UInt64 = 0
  /// When the batch was begun that waits for its commit; `nil`: nothing waits.
  public var batchStarted: Int64?
  /// When a record was committed last; an idle gateway commits one a minute.
  public var lastCommit: Int64?
  /// A problem of the storage that is known and reported; empty when all is well.
  public var storageProblem = ""
  /// The job in hand; `nil` between two.
  public var job: Job?

  public init(now: Int64) { self.now = now }
}

/// Judges whether the pipeline moves, so that a service manager may restart a gateway that does not.
///
/// It is about what a restart can mend: a thread that hangs, a commit or a job that never ends. A disk that
/// is full or failing and known to be so is reported elsewhere and is no standstill, and neither is a broker
/// that is away: with nothing to commit the ingest thread still writes its record a minute.
public struct PipelineProgress: Sendable {
  /// What stands still, in the order in which it is looked for.
  public enum Standstill: Sendable, Hashable, CustomStringConvertible {
    case ingestThread
    case batch(seconds: Int64)
    case commits(seconds: Int64)
    case job(name: String, seconds: Int64)

    public var description: String {
      switch self {
      case .ingestThread: "the ingest thread has not turned since the last look"
      case .batch(let seconds): "a batch has waited \(seconds) s for its commit"
      case .commits(let seconds): "no record was committed for \(seconds) s"
      case .job(let name, let seconds): "the job `\(name)` has made no step for \(seconds) s"
      }
    }
  }

  /// Twice the longest commit delay that can be configured.
  static let batchSecondsMax: Int64 = 20
  /// One and a half times the pause between the records of an idle gateway.
  static let commitSecondsMax: Int64 = 90
  /// A checkpoint or a merge on a slow card takes minutes at worst.
  static let jobSecondsMax: Int64 = 600

  private var turnsSeen: UInt64?

  public init() {}

  /// - Returns: what stands still; `nil` when all moves. The first look finds no thread to stand still.
  public mutating func look(at state: PipelineState) -> Standstill? {
    defer { turnsSeen = state.turns }
    if state.turns == turnsSeen { return .ingestThread }
    guard state.storageProblem.isEmpty else { return nil }
    if let started = state.batchStarted,
      let seconds = state.seconds(since: started, over: Self.batchSecondsMax)
    {
      return .batch(seconds: seconds)
    }
    if let commit = state.lastCommit,
      let seconds = state.seconds(since: commit, over: Self.commitSecondsMax)
    {
      return .commits(seconds: seconds)
    }
    if let job = state.job,
      let seconds = state.seconds(since: job.lastStep, over: Self.jobSecondsMax)
    {
      return .job(name: job.name, seconds: seconds)
    }
    return nil
  }
}

extension PipelineState {
  /// Whole seconds since that time when they are more than `limit`; else `nil`.
  fileprivate func seconds(since time: Int64, over limit: Int64) -> Int64? {
    let passed = now - time
    return passed > limit * 1_000_000 ? passed / 1_000_000 : nil
  }
}
