import Telemetry

/// Where a stop goes among the losses.
public enum StopLoss: String, Sendable, Hashable, CaseIterable {
  /// A failure of the machine: also counts in MTBF and MTTR.
  case breakdown
  case setup = "setup_and_adjustment"
  /// No material, no room, no people, no order: nobody's failure here.
  case waiting
  /// Agreed beforehand: the stop becomes a planned stop and leaves the planned busy time.
  case planned
  /// Planned as well, and counted as preventive maintenance.
  case preventiveMaintenance = "preventive_maintenance"

  public var isPlanned: Bool { self == .planned || self == .preventiveMaintenance }
}

/// A reason for a stop, as operators choose it and PLCs send it.
public struct StopReason: Hashable, Sendable {
  public var code: String
  public var description: String
  public var loss: StopLoss

  public init(code: String, description: String = "", loss: StopLoss = .breakdown) {
    self.code = code
    self.description = description
    self.loss = loss
  }
}

/// The reasons of a plant. Few, so looked up by linear search.
public struct StopReasons: Hashable, Sendable {
  public var list: [StopReason]

  public init(_ list: [StopReason] = []) { self.list = list }

  public subscript(code: String) -> StopReason? { list.first { $0.code == code } }

  /// A sentence for whoever used a code that is not configured.
  public func refusal(of code: String) -> String {
    let nearest = nearestName(to: code, among: list.map(\.code))
    return "unknown reason code `\(code)`" + (nearest.map { ", did you mean `\($0)`?" } ?? "")
  }
}
