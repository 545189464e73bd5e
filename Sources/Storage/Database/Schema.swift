import GRDB

/// The tables of the one SQLite file, and how older files become the present form.
///
/// | table | row |
/// |---|---|
/// | `meta` | a named number: journal position, format version |
/// | `device`, `series`, `word` | the registry: dense ids, never reused |
/// | `chunk` | sealed samples of one series: header for aggregates, blob of `ChunkCodec` |
/// | `current` | per series: sealed through which sequence, last sample |
/// | `event` | the event log; `event_id` tells duplicates |
/// | `quarantine` | refused payloads, bounded |
/// | `loss` | the loss ledger: everything that was given up, and why |
/// | `configuration` | each configuration that came into force |
/// | `cursor` | how far a job has come |
/// | `state` | saved state of a stage with its journal position |
/// | `memory` | what decoders must know again after a restart: births, announcements, held messages |
/// | `standing` | what holds by the stages: states of alarms and machines, desired properties |
/// | `answer` | first answers to `Idempotency-Key`s |
///
/// Times are microseconds since 1970 UTC. `id` of event, quarantine and configuration rows is the record's
/// sequence · 2²⁰ + place in the record, so that a replay writes the same rows.
enum Schema {
  static let journalPositionKey = "journal_position"

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("v1") { db in
      for statement in v1 { try db.execute(sql: statement) }
    }
    // Answers are kept as items of the journal; nothing was ever written to the first form.
    migrator.registerMigration("v2") { db in
      try db.execute(sql: "DROP TABLE answer")
      try db.execute(
        sql: "CREATE TABLE answer (key TEXT PRIMARY KEY, time INTEGER NOT NULL, body BLOB NOT NULL)"
      )
      try db.execute(sql: "CREATE INDEX answer_time ON answer (time)")
    }
    migrator.registerMigration("v3") { db in
      try db.execute(
        sql: "CREATE TABLE memory (name TEXT PRIMARY KEY, content BLOB NOT NULL)")
    }
    migrator.registerMigration("v4") { db in
      try db.execute(sql: "ALTER TABLE device ADD COLUMN placed INTEGER NOT NULL DEFAULT 0")
      // Former ids, one a line: ids hold no control characters.
      try db.execute(sql: "ALTER TABLE device ADD COLUMN was TEXT NOT NULL DEFAULT ''")
    }
    migrator.registerMigration("v5") { db in
      // 0: somebody sent it; 1: a stage concluded it; 2: and something leaves the box because of it.
      try db.execute(sql: "ALTER TABLE event ADD COLUMN origin INTEGER NOT NULL DEFAULT 0")
      try db.execute(sql: "CREATE INDEX event_name ON event (name, time)")
      try db.execute(sql: "CREATE INDEX event_effect ON event (id) WHERE origin = 2")
      try db.execute(
        sql: """
          CREATE TABLE standing (
            kind TEXT NOT NULL, key TEXT NOT NULL, sequence INTEGER NOT NULL,
            time INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key))
          """)
    }
    return migrator
  }

  private static let v1 = [
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE device (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, profile TEXT NOT NULL,
      asset TEXT NOT NULL, adopted INTEGER NOT NULL)
    """,
    """
    CREATE TABLE series (
      id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES device(id), metric TEXT NOT NULL,
      type INTEGER NOT NULL, kind INTEGER NOT NULL, unit TEXT NOT NULL, description TEXT NOT NULL,
      UNIQUE (device, metric))
    """,
    "CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    """
    CREATE TABLE chunk (
      id INTEGER PRIMARY KEY, series INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL,
      min_seq INTEGER NOT NULL, max_seq INTEGER NOT NULL, count INTEGER NOT NULL,
      level INTEGER NOT NULL, summary BLOB NOT NULL, blob BLOB NOT NULL)
    """,
    "CREATE INDEX chunk_series ON chunk (series, t1, t0)",
    // What compaction has to look at: level 0 is as sealed, 1 has its final size.
    "CREATE INDEX chunk_fresh ON chunk (series, t0) WHERE level = 0",
    """
    CREATE TABLE current (
      series INTEGER PRIMARY KEY, sealed_seq INTEGER NOT NULL, time INTEGER NOT NULL,
      bits INTEGER NOT NULL, quality INTEGER NOT NULL)
    """,
    """
    CREATE TABLE event (
      id INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
      time INTEGER NOT NULL, time_is_received INTEGER NOT NULL, user TEXT, device TEXT,
      session TEXT, properties TEXT NOT NULL, context TEXT NOT NULL)
    """,
    "CREATE INDEX event_time ON event (time)",
    """
    CREATE TABLE quarantine (
      id INTEGER PRIMARY KEY, cause INTEGER NOT NULL, topic TEXT NOT NULL,
      content_type TEXT NOT NULL, device TEXT NOT NULL, reason TEXT NOT NULL,
      received INTEGER NOT NULL, payload BLOB NOT NULL, payload_size INTEGER NOT NULL)
    """,
    """
    CREATE TABLE loss (
      id INTEGER PRIMARY KEY, time INTEGER NOT NULL, cause TEXT NOT NULL, series INTEGER,
      t0 INTEGER, t1 INTEGER, count INTEGER NOT NULL, bytes INTEGER NOT NULL,
      detail TEXT NOT NULL)
    """,
    "CREATE TABLE configuration (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, files TEXT NOT NULL)",
    "CREATE TABLE cursor (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE state (
      name TEXT PRIMARY KEY, position INTEGER NOT NULL, checksum INTEGER NOT NULL, blob BLOB NOT NULL)
    """,
    """
    CREATE TABLE answer (
      key TEXT PRIMARY KEY, time INTEGER NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL)
    """,
  ]
}
