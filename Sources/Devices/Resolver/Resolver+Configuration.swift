import Telemetry

extension Resolver {
  /// Puts another configuration in force.
  ///
  /// Caches empty. Declared devices that the registry does not know are defined, so that one which never
  /// speaks is seen to be silent; known ones whose profile, asset or id changed are defined again; one that
  /// is no longer declared stays, marked as adopted.
  /// - Returns: the items for the journal, already applied to the registry, and sentences about what the
  ///   new configuration says but existing series cannot follow (their type and unit are fixed).
  public mutating func reconfigure(
    _ configuration: DeviceConfiguration
  ) -> (items: [Item], warnings: [String]) {
    self.configuration = configuration
    routes = RouteTable(devices: configuration.devices, routes: configuration.routes)
    index()
    emptyCaches()
    located.removeAll()
    var items: [Item] = []
    var warnings: [String] = []
    for device in configuration.devices {
      declare(device, &items, &warnings)
    }
    release(&items)
    followProfiles(&items)
    warnings += profileWarnings() + seriesWarnings()
    return (items, warnings)
  }

  /// What the profile of its device, else its announcement, says about a series; `nil`: nothing.
  public func metricProfile(of series: UInt32) -> MetricProfile? {
    let definition = registry.series[Int(series)]
    return metricProfile(definition.metric, of: definition.device)
  }

  /// The profile of a device; `nil` when it has none or the configuration no longer has it.
  public func profile(of device: UInt32) -> Profile? {
    profileIndexes[registry.devices[Int(device)].profile].map { configuration.profiles[$0] }
  }

  mutating func index() {
    registry.limits.devicesMax = configuration.settings.devicesMax
    registry.limits.seriesMax = configuration.settings.seriesMax
    registry.limits.wordsMax = configuration.settings.wordsMax
    sparkplug.settings = configuration.settings.sparkplug
    announcements.settings = configuration.settings.announcements
    farPastMicroseconds = configuration.settings.farPast.microseconds
    farFutureMicroseconds = configuration.settings.farFuture.microseconds
    profileIndexes = [:]
    for (index, profile) in configuration.profiles.enumerated() {
      profileIndexes[profile.id] = index
    }
    declaredIndexes = [:]
    for (index, device) in configuration.devices.enumerated() { declaredIndexes[device.id] = index }
  }

  mutating func emptyCaches() {
    topics.removeAll()
    plans.removeAll()
    deviceNames.removeAll()
    metricNames.removeAll()
    words.removeAll()
    numberWords.removeAll()
    unitNames.removeAll()
    conversions.removeAll()
    seriesPlans.removeAll()
    seriesNames.removeAll()
    decoders.removeAll()
    decoderPositions.removeAll()
    expected.removeAll()
  }

  /// Devices that were declared and no longer are.
  private mutating func release(_ items: inout [Item]) {
    for device in registry.devices where !device.isAdopted && declaredIndexes[device.id] == nil {
      var definition = device
      definition.isAdopted = true
      update(definition, &items)
    }
  }

  /// Known series take the kind of their profile, and its unit where they have none: a profile that was
  /// written later says what the values were from the beginning. Type and a unit once given stay.
  private mutating func followProfiles(_ items: inout [Item]) {
    for definition in registry.series {
      guard let metric = metricProfile(definition.metric, of: definition.device),
        metric.type == definition.type
      else { continue }
      var changed = definition
      changed.kind = metric.kind
      if definition.unit.isEmpty, definition.type == .number {
        changed.unit = metric.unit?.code ?? ""
      }
      guard changed != definition else { continue }
      registry.apply(.series(changed))
      items.append(.series(changed))
    }
  }

  private func profileWarnings() -> [String] {
    registry.devices.compactMap { device in
      guard !device.profile.isEmpty, profileIndexes[device.profile] == nil else { return nil }
      return "device `\(device.id)` has the profile `\(device.profile)`, which no longer exists"
    }
  }

  private func seriesWarnings() -> [String] {
    registry.series.compactMap { definition in
      guard let metric = profile(of: definition.device)?.metric(definition.metric) else {
        return nil
      }
      let key = registry.key(of: definition.index)
      if metric.type != definition.type {
        return "`\(key)` stays \(definition.type.name), though its profile now says "
          + "\(metric.type.name): the type of a series is fixed"
      }
      guard let unit = metric.unit, unit.code != definition.unit else { return nil }
      guard let own = Telemetry.Unit(definition.unit) else { return nil }
      return Telemetry.Unit.conversion(from: unit, to: own) == nil
        ? "`\(key)` stays in `\(own.code)`; its profile now says `\(unit.code)`, which does not convert"
        : "`\(key)` stays in `\(own.code)`; values in `\(unit.code)`, as its profile now says, are "
          + "converted"
    }
  }
}
