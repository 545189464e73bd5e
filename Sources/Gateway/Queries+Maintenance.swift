import Scoring
import Telemetry

/// What the stages know of a machine's maintenance at a record: enough to make its outlook anywhere.
public struct MaintenanceView: Sendable {
  public var device: String
  public var asset: String
  public var machine: MaintainedMachine
  public var condition: MachineCondition
  public var models: MaintenanceModelSet?
  var isHeld: Bool

  public func outlook(at now: Timestamp) -> MaintenanceOutlook {
    MaintenanceOutlook(
      device: device, asset: asset, machine: machine, condition: condition, models: models,
      isHeld: isHeld, at: now)
  }
}

extension Gateway {
  /// The machines under `maintenance:` that have been seen or are declared, in the order of their devices; as of the
  /// last record.
  ///
  /// - Parameter device: that one alone.
  public func fetchMaintenance(of device: String? = nil) async -> [MaintenanceView] {
    await inspect(otherwise: []) { stages in
      let catalog = stages.catalog
      return stages.maintenance.machines.indices.compactMap { place in
        let machine = stages.maintenance.machines[place]
        let definition = catalog.devices[Int(machine.device)]
        guard device == nil || device == definition.id else { return nil }
        return MaintenanceView(
          device: definition.id, asset: definition.asset, machine: machine.definition,
          condition: machine.condition,
          models: stages.maintenance.set(for: place, catalog: catalog),
          isHeld: machine.isForecast)
      }
    }
  }

  /// Sets of models in force, by scope.
  public func fetchMaintenanceModels() async -> [MaintenanceModelSet] {
    await inspect(otherwise: []) { $0.maintenance.sets }
  }
}
