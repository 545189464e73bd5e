/// How the store keeps data and how much of the machine it may use. Defaults suit an edge box with flash.
public struct StoreSettings: Sendable, Hashable {
  /// Directory of the journal and of `store.sqlite`; must be on a real disk.
  public var directory: String
  public var journal = JournalSettings()
  /// Longest time rows wait in memory before they go to SQLite, milliseconds. They are in the journal
  /// long before; a longer wait writes less to the disk and replays more after a crash.
  public var flushMilliseconds = 5_000
  /// Samples of one sealed chunk, at most.
  public var chunkSamplesMax = 16_384
  /// Memory for encoded open chunks; beyond it the next in turn are sealed early.
  public var openBytesMax = 20 << 20
  /// Samples that may have to be replayed after a crash.
  public var replaySamplesMax = 6_000_000
  /// Journal that may have to be replayed after a crash.
  public var journalBytesMax = 64 << 20
  /// A sample reaches SQLite at the latest after this many seconds, however slow its series.
  public var openSecondsMax = 900
  public var quarantineRowsMax = 10_000
  public var quarantineBytesMax = 16 << 20
  /// Bytes the whole store may use on disk; 0: no budget but the disk itself.
  public var byteBudget = 0
  /// A file of this size is given up when the disk is full, so that retention has room to work.
  public var ballastBytes = 32 << 20

  public init(directory: String) { self.directory = directory }
}
