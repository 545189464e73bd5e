import Telemetry

/// Which devices or assets a rule watches; all that is given must fit.
public struct RuleScope: Hashable, Sendable {
  /// A glob over device ids.
  public var device: String?
  /// A glob over profile ids.
  public var profile: String?
  /// A glob over asset paths: of the device or of any level above it.
  public var asset: String?

  public init(device: String? = nil, profile: String? = nil, asset: String? = nil) {
    self.device = device
    self.profile = profile
    self.asset = asset
  }
}

/// A scope ready to be matched.
struct ScopeMatcher {
  private let device: Glob?
  private let profile: Glob?
  private let asset: Glob?

  init(_ scope: RuleScope) {
    device = scope.device.map { Glob($0) }
    profile = scope.profile.map { Glob($0) }
    asset = scope.asset.map { Glob($0) }
  }

  func matches(device id: String, profile name: String, asset path: String) -> Bool {
    device?.matches(id) ?? true && profile?.matches(name) ?? true
      && (asset == nil || !assets(of: path).isEmpty)
  }

  /// Levels of a device's path that the asset glob fits, the highest first; all without a glob.
  func assets(of path: String) -> [String] {
    var levels: [String] = []
    for end in path.indices where path[end] == "/" { levels.append(String(path[..<end])) }
    if !path.isEmpty { levels.append(path) }
    guard let asset else { return levels }
    return levels.filter { asset.matches($0) }
  }
}
