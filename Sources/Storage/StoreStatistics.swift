import GRDB
import Glibc

/// Counts since the store was opened, for /metrics and /health.
public struct StoreStatistics: Sendable {
  public var storedSamples: UInt64 = 0
  public var lateSamples: UInt64 = 0
  public var duplicateSamples: UInt64 = 0
  public var correctedSamples: UInt64 = 0
  public var sealedSamples: UInt64 = 0
  public var sealedBytes: UInt64 = 0
  public var sealedSeries = 0
  public var flushes = 0
  public var openBytes = 0
  /// Write sets of jobs that came too late.
  public var refusedWriteSets = 0
  /// Damaged database files that were moved away.
  public var setAsideFiles: [String] = []
  /// Damaged databases whose readable rows are not all back yet.
  public var rescuesOwed = 0

  public init() {}

  mutating func count(_ verdict: Verdict) {
    switch verdict {
    case .stored: storedSamples += 1
    case .late: lateSamples += 1
    case .duplicate: duplicateSamples += 1
    case .correction: correctedSamples += 1
    case .currentOnly, .known: break
    }
  }
}

/// What `Store.recover` did.
public struct RecoveryReport: Sendable {
  public var records: Int
  public var samples: Int
  public var damages: [JournalDamage]
  /// The database stood at a later record than the journal holds.
  public var isDatabaseAhead = false
}

extension DatabaseError {
  /// The file's content is not what SQLite wrote; trying again cannot help.
  public var isDamage: Bool {
    resultCode == .SQLITE_CORRUPT || resultCode == .SQLITE_NOTADB
  }

  /// Damage, or a disk that cannot read the place: what lies there is lost, what lies elsewhere is not.
  public var isUnreadable: Bool { isDamage || resultCode == .SQLITE_IOERR }

  public var isOutOfSpace: Bool { resultCode == .SQLITE_FULL }
}

/// Numbers for files that are set aside, so that none replaces another.
enum SetAsideName {
  static func next(in directory: String) -> String {
    var number = 1
    while access(StoreDatabase.path(in: directory) + ".damaged-\(number)", F_OK) == 0 {
      number += 1
    }
    return String(number)
  }
}
