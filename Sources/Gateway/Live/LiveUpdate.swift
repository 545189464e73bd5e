import Telemetry

/// What one committed record brought, for whoever watches.
public struct LiveUpdate: Sendable {
  /// The record's place in the journal; a watcher that comes back asks for what follows it.
  public var sequence: UInt64
  public var wall: Timestamp
  /// Names and units of what `samples` hold.
  public var catalog: Catalog
  public var samples: [Sample]
  /// What others told.
  public var events: [Event]
  /// What the gateway concluded from it.
  public var derived: [Event]
  public var standings: [Standing]

  public init(
    sequence: UInt64, wall: Timestamp, catalog: Catalog = Catalog(), samples: [Sample] = [],
    events: [Event] = [], derived: [Event] = [], standings: [Standing] = []
  ) {
    self.sequence = sequence
    self.wall = wall
    self.catalog = catalog
    self.samples = samples
    self.events = events
    self.derived = derived
    self.standings = standings
  }
}
