import Devices
import Gateway
import HTTPTypes
import Telemetry

extension RouteTable {
  /// Renames, moves or re-profiles one device; answered when the change is on disk.
  @Sendable func changeDevice(_ call: Call) async throws -> Reply {
    let change = try DeviceChange(try call.json())
    let device = try DeviceForm.device(
      call.part("id"), in: await gateway.queries.fetchCatalog())
    let tags = call.headers[.ifMatch]
    if let tags, tags != "*", !Self.list(tags).contains(DeviceForm.tag(of: device)) {
      throw Problem.preconditionFailed(
        "device `\(device.id)` is no longer as you saw it: read it again and look at its ETag")
    }
    do throws(SubmissionError) {
      let seen = tags == nil || tags == "*" ? nil : device
      _ = try await gateway.submit(
        Submission(.command(.change(device: device.id, change, seen: seen))))
    } catch {
      throw Self.problem(error)
    }
    let catalog = await gateway.queries.fetchCatalog()
    // Devices are never removed, and their numbers never change.
    return DeviceForm.reply(catalog.devices[Int(device.index)])
  }

  private static func list(_ tags: String) -> [String] {
    tags.split(separator: ",").map { $0.trimmingPrefix { $0 == " " } }.map(String.init)
  }

  private static func problem(_ error: SubmissionError) -> Problem {
    guard case .refused(let code, let detail) = error else { return .from(error) }
    switch code {
    case "device_changed": return .preconditionFailed(detail)
    case "unknown_device": return .notFound(detail)
    case "bad_device_id", "no_device": return .invalid("/id", code, detail)
    case "bad_asset": return .invalid("/asset", code, detail)
    case "unknown_former_id": return .invalid("/was", code, detail)
    default: return .from(error)
    }
  }
}

/// ```json
/// {"id": "press7", "asset": "acme/linz/hall1/line1/press7", "profile": "press", "was": []}
/// ```
/// What is left out stays; null for `asset` and `profile` is the same as an empty text.
extension DeviceChange {
  init(_ json: JSONValue) throws(Problem) {
    self.init()
    guard let members = json.members, !members.isEmpty else {
      throw .invalid("", "no_change", #"send what changes: {"id": …, "asset": …, "profile": …}"#)
    }
    for (name, value) in members {
      switch name {
      case "id": id = try Self.text(value, name)
      case "asset": asset = value.isNull ? "" : try Self.text(value, name)
      case "profile": profile = value.isNull ? "" : try Self.text(value, name)
      case "was": was = try Self.texts(value)
      default:
        let near = nearestName(to: name, among: ["id", "asset", "profile", "was"])
        throw .invalid(
          "/" + name, "unknown_member",
          "`\(name)` cannot be changed" + (near.map { "; did you mean `\($0)`?" } ?? ""))
      }
    }
  }

  private static func text(_ value: JSONValue, _ name: String) throws(Problem) -> String {
    guard let text = value.text else {
      throw .invalid("/" + name, "not_a_text", "`\(name)` is a text")
    }
    return text
  }

  private static func texts(_ value: JSONValue) throws(Problem) -> [String] {
    guard let elements = value.elements, elements.allSatisfy({ $0.text != nil }) else {
      throw .invalid("/was", "not_a_list", "`was` lists the former ids that are kept")
    }
    return elements.compactMap(\.text)
  }
}
