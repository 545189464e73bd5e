import GRDB
import Synchronization

/// The database that readers use: the owner of the store replaces it when the file proves damaged.
public final class CurrentDatabase: Sendable {
  private let held: Mutex<any DatabaseReader>

  public init(_ reader: any DatabaseReader) { held = Mutex(reader) }

  public var reader: any DatabaseReader { held.withLock { $0 } }

  func replace(with reader: any DatabaseReader) { held.withLock { $0 = reader } }
}
