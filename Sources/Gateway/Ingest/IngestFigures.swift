import Payloads
import Storage
import Telemetry

/// What the ingest thread counts and knows, as other threads see it; copied after each batch.
public struct IngestFigures: Sendable {
  public enum Broker: String, Sendable {
    case notConfigured = "not_configured"
    case connecting
    case connected
    case disconnected
    case refused
  }

  // Broker
  public var broker = Broker.notConfigured
  /// Why there is no connection, or which subscription was refused.
  public var brokerDetail = ""
  public var connects: UInt64 = 0
  public var disconnects: UInt64 = 0

  // Messages
  public var messages: UInt64 = 0
  public var messageBytes: UInt64 = 0
  public var redeliveries: UInt64 = 0
  public var ignoredMessages: UInt64 = 0
  public var submissions: UInt64 = 0
  public var samples: UInt64 = 0
  public var refusedFields: UInt64 = 0
  public var quarantined: UInt64 = 0
  public var outOfRange: UInt64 = 0
  public var replacedTimes: UInt64 = 0
  public var retainedSkips: UInt64 = 0
  public var unknownUnits: UInt64 = 0
  public var transient: UInt64 = 0
  public var blobs: UInt64 = 0
  public var wentStale: UInt64 = 0
  public var sparkplug = SparkplugHost.Counters()
  public var sparkplugNodes = 0
  public var sparkplugNodesOnline = 0
  public var sparkplugHeld = 0
  public var events: UInt64 = 0
  public var duplicateEvents: UInt64 = 0

  // Commits
  /// Bytes of the stages' state when it was last written down.
  public var stageBytes = 0
  public var commits: UInt64 = 0
  public var commitFailures: UInt64 = 0
  /// Seconds from the first read of a batch until its acknowledgements may go.
  public var commitLatency = Histogram(
    bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5])
  /// Deliveries in a batch.
  public var batchSize = Histogram(bounds: [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000])
  public var sequence: UInt64 = 0
  public var lastCommit = Timestamp.epoch
  public var journalBytes: UInt64 = 0
  public var journalHeldBytes = 0

  // Store
  public var store = StoreStatistics()
  public var devices = 0
  public var series = 0
  public var words = 0
  /// Why nothing can be made durable; empty when all is well.
  public var storageProblem = ""
  public var isDiskFull = false
  /// Why rows cannot go to SQLite although the journal works; empty when all is well.
  public var flushProblem = ""

  // Clock
  public var clockQuality = ClockQuality.synchronized
  public var clockSteps: UInt64 = 0

  public var replayedRecords = 0
  public var replayedSamples = 0
  public var replaySeconds = 0.0
  public var journalDamages = 0
  public var configurationWarnings: [String] = []

  public init() {}
}

/// Counts per upper bound, as Prometheus histograms have them.
public struct Histogram: Sendable {
  public let bounds: [Double]
  /// One more than bounds: the last counts everything above. Not cumulative.
  public private(set) var counts: [UInt64]
  public private(set) var sum = 0.0

  public init(bounds: [Double]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
  }

  public var count: UInt64 { counts.reduce(0, +) }

  public mutating func observe(_ value: Double) {
    var place = 0
    while place < bounds.count, value > bounds[place] { place += 1 }
    counts[place] += 1
    sum += value
  }
}
