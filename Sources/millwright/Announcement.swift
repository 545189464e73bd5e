import Foundation
import Gateway
import ServiceLifecycle

/// Tells the person at the terminal where the dashboard is and what the gateway listens to.
struct Announcement: Service {
  let configuration: GatewayConfiguration
  private let started = Date()

  init(configuration: GatewayConfiguration) { self.configuration = configuration }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      if let address = await address() { print(text(address)) }
      fflush(nil)
      // Ends only by cancellation: a service that returns would end the group.
      try? await Task.sleep(for: .seconds(60 * 60 * 24 * 365 * 100))
    }
  }

  /// The address that the web server wrote down once it listened.
  private func address() async -> String? {
    while !Task.isCancelled {
      if let local = LocalGateway(directory: configuration.store.directory),
        local.written >= started.addingTimeInterval(-1)
      {
        return local.url
      }
      try? await Task.sleep(for: .milliseconds(20))  // Cancelled: the loop ends.
    }
    return nil
  }

  private func text(_ address: String) -> String {
    var lines = [
      "", "Dashboard   \(address)/", "API         \(address)/api/v1   (docs: \(address)/docs)",
    ]
    if let mqtt = configuration.mqtt {
      let filters = mqtt.subscriptions.map(\.filter).joined(separator: ", ")
      lines.append("MQTT        \(mqtt.host):\(mqtt.port), topics \(filters)")
    } else {
      lines.append("MQTT        none configured; give --mqtt-host or `mqtt:` in millwright.yaml")
    }
    lines.append("Data        \(configuration.store.directory)")
    return lines.joined(separator: "\n") + "\n"
  }
}

/// What a running gateway says about itself in `<data>/local.json`: for commands on the same machine.
struct LocalGateway {
  var url: String
  var token: String
  var written: Date

  private struct File: Decodable {
    var url: String
    var token: String?
  }

  /// - Returns: `nil` when there is no such file or it cannot be read by this user.
  init?(directory: String) {
    let path = directory + "/local.json"
    // Half written, of another version or just removed: then nobody has announced itself.
    guard let bytes = FileManager.default.contents(atPath: path),
      let file = try? JSONDecoder().decode(File.self, from: bytes),
      let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      let written = attributes[.modificationDate] as? Date
    else { return nil }
    url = file.url.hasSuffix("/") ? String(file.url.dropLast()) : file.url
    token = file.token ?? ""
    self.written = written
  }
}
