import Devices
import Telemetry

/// What is known beforehand about the signals that a rule can name.
struct ScopeFacts {
  let configuration: DeviceConfiguration
  /// Profiles of the devices that the rule watches.
  let profiles: [Profile]
  /// Every watched device that is known has a profile: an unknown metric is a mistake.
  let isComplete: Bool

  init(scope: RuleScope, configuration: DeviceConfiguration) {
    self.configuration = configuration
    if let profile = scope.profile {
      let glob = Glob(profile)
      profiles = configuration.profiles.filter { glob.matches($0.id) }
      isComplete = !profiles.isEmpty
      return
    }
    let matcher = ScopeMatcher(scope)
    let devices = configuration.devices.filter {
      matcher.matches(device: $0.id, profile: $0.profile, asset: $0.asset)
    }
    profiles = configuration.profiles.filter { profile in
      devices.contains { $0.profile == profile.id }
    }
    isComplete = !devices.isEmpty && devices.allSatisfy { !$0.profile.isEmpty }
  }

  enum Answer {
    case known(MetricProfile)
    /// Nothing is declared of it.
    case open
    /// A mistake, with what to do about it.
    case wrong(String)
    /// Perhaps a mistake.
    case doubtful(String)
  }

  func answer(_ reference: Reference) -> Answer {
    switch reference.place {
    case .own: own(reference.metric)
    case .device(let id): device(id, reference.metric)
    case .below(let path): below(path, reference.metric)
    }
  }

  private func own(_ metric: String) -> Answer {
    if let found = profiles.lazy.compactMap({ $0.metric(metric) }).first { return .known(found) }
    guard isComplete else { return .open }
    let names = profiles.flatMap { $0.metrics.map(\.name) }
    let hint = nearestName(to: metric, among: names).map { ", did you mean `\($0)`?" } ?? ""
    let list = profiles.map { "`\($0.id)`" }.joined(separator: ", ")
    return .wrong("unknown metric `\(metric)` in profile \(list)\(hint)")
  }

  private func device(_ id: String, _ metric: String) -> Answer {
    guard let device = configuration.device(id) else {
      if profiles.contains(where: { $0.metric(id) != nil }) {
        return .wrong(
          "`\(id)/\(metric)` means metric `\(metric)` of device `\(id)`; to divide, put blanks around `/`"
        )
      }
      let ids = configuration.devices.map(\.id)
      guard !ids.isEmpty else { return .open }
      let hint = nearestName(to: id, among: ids).map { ", did you mean `\($0)`?" } ?? ""
      return .doubtful("device `\(id)` is not declared\(hint)")
    }
    return self.metric(metric, of: device)
  }

  private func metric(_ metric: String, of device: DeclaredDevice) -> Answer {
    guard let profile = configuration.profile(device.profile) else { return .open }
    if let found = profile.metric(metric) { return .known(found) }
    let hint =
      nearestName(to: metric, among: profile.metrics.map(\.name))
      .map { ", did you mean `\($0)`?" } ?? ""
    return .wrong("unknown metric `\(metric)` of device `\(device.id)`\(hint)")
  }

  private func below(_ path: String, _ metric: String) -> Answer {
    if let device = configuration.devices.first(where: {
      $0.asset.hasSuffix("/" + path) || $0.profile == path
    }) {
      return self.metric(metric, of: device)
    }
    if let profile = configuration.profile(path) {
      if let found = profile.metric(metric) { return .known(found) }
      return .wrong("unknown metric `\(metric)` in profile `\(path)`")
    }
    guard !configuration.devices.isEmpty else { return .open }
    let places = configuration.devices.compactMap { $0.asset.split(separator: "/").last }
    let hint =
      nearestName(to: path, among: places.map(String.init)).map { ", did you mean `\($0)`?" } ?? ""
    return .doubtful("no declared device stands at `\(path)` below an asset\(hint)")
  }
}
