import Gateway
import Scoring
import Telemetry

extension RouteTable {
  static let readingsMax = 10_000

  /// From what the stages know, or from that and readings, which are scored and never stored.
  @Sendable func predictMaintenance(_ call: Call) async throws -> Reply {
    let body = try call.json()
    guard let id = body["device_id"]?.text else {
      throw Problem.invalid("/device_id", "missing", "say which device: `device_id`")
    }
    let device = try DeviceForm.device(id, in: await catalogWithDevices())
    guard var view = await gateway.fetchMaintenance(of: device.id).first else {
      return Reply(json: Self.unconfigured(device, language(call)))
    }
    var time = now
    if let readings = body["readings"], !readings.isNull {
      let list = try MaintenanceReadings(readings, machine: view.machine)
      list.feed(&view)
      time = max(list.last ?? time, view.condition.usage.lastSeen ?? time)
    }
    return Reply(json: view.outlook(at: time).prediction(in: language(call)))
  }

  private static func unconfigured(
    _ device: DeviceDefinition, _ tongue: MaintenanceOutlook.Tongue
  ) -> JSONValue {
    let text = Phrase(
      "nothing is declared of its maintenance: add an entry under `maintenance:` in devices/*.yaml",
      "nada foi declarado sobre a manutenção: inclua uma entrada em `maintenance:` em devices/*.yaml"
    )
    return .object([
      ("device_id", .string(device.id)), ("health", .null), ("zone", .null),
      ("failure_probability", .object([("24h", .null), ("7d", .null), ("30d", .null)])),
      ("remaining_useful_life", .null),
      (
        "recommended_action",
        .object([("code", .string("not_configured")), ("text", .string(text.text(tongue)))])
      ), ("reasons", .array([])), ("basis", .string("zones")), ("scale", .string("none")),
      ("model", .null),
    ])
  }

  private func language(_ call: Call) -> MaintenanceOutlook.Tongue {
    Language(accepting: call.headers[.acceptLanguage]) == .portuguese ? .portuguese : .english
  }

  /// The most urgent machine first.
  @Sendable func readMaintenancePlan(_ call: Call) async throws -> Reply {
    let now = now
    let outlooks = await gateway.fetchMaintenance().filter { view in
      (call.query["device"].map { $0 == view.device } ?? true)
        && (call.query["asset"].map { view.asset == $0 || view.asset.hasPrefix($0 + "/") } ?? true)
    }.map { $0.outlook(at: now) }.sorted(by: MaintenanceOutlook.isMoreUrgent)
    let tongue = language(call)
    return Reply(
      json: .object([
        ("items", .array(outlooks.map { $0.plan(in: tongue) })),
        ("as_of", .string(now.rfc3339)), ("next_cursor", .null),
      ]))
  }
}

/// Readings that came with a question: `[{"timestamp": …, "metrics": {"vibration": 3.1, "state": "running"}}]`.
struct MaintenanceReadings {
  private struct Reading {
    var time: Timestamp
    var values: [(metric: String, value: Value)]
  }

  private var readings: [Reading] = []

  init(_ value: JSONValue, machine: MaintainedMachine) throws(Problem) {
    guard let list = value.elements, !list.isEmpty, list.count <= RouteTable.readingsMax else {
      throw .invalid(
        "/readings", "bad_readings",
        "`readings` is a list of 1 to \(RouteTable.readingsMax) readings: "
          + #"[{"timestamp": "2026-11-21T08:00:00Z", "metrics": {"vibration": 3.1}}]"#)
    }
    let known = machine.metrics
    var isUsed = false
    for (index, reading) in list.enumerated() {
      let pointer = "/readings/\(index)"
      let time: Timestamp
      do throws(EventRefusal) {
        guard
          let read = try EventFields.timestamp(reading["timestamp"], at: pointer + "/timestamp")
        else {
          throw EventRefusal(
            pointer: pointer + "/timestamp", code: "missing", detail: "a reading has a `timestamp`")
        }
        time = read
      } catch {
        throw .invalid(error.pointer, error.code, error.detail)
      }
      guard let metrics = reading["metrics"]?.members else {
        throw .invalid(
          pointer + "/metrics", "missing", #"a reading has `metrics`: {"vibration": 3.1}"#)
      }
      var values: [(String, Value)] = []
      for (name, value) in metrics {
        isUsed = isUsed || known.contains(name)
        let place = pointer + "/metrics/" + EventFields.escaped(name)
        values.append((name, try Self.value(value, at: place)))
      }
      readings.append(Reading(time: time, values: values))
    }
    guard isUsed else {
      let name = list.first?["metrics"]?.members?.first?.0 ?? ""
      let near = nearestName(to: name, among: known)
      throw .invalid(
        "/readings/0/metrics", "unknown_metrics",
        "none of the metrics is one that maintenance looks at: "
          + known.map { "`\($0)`" }.joined(separator: ", ")
          + (near.map { "; did you mean `\($0)`?" } ?? ""))
    }
    readings.sort { $0.time < $1.time }
  }

  private static func value(_ value: JSONValue, at pointer: String) throws(Problem) -> Value {
    switch value {
    case .number(let digits):
      if let number = Double(digits), number.isFinite { return .number(number) }
    case .bool(let flag): return .boolean(flag)
    case .string(let text): return .text(text)
    default: break
    }
    throw .invalid(pointer, "bad_value", "a metric is a number, a text or true or false")
  }

  var last: Timestamp? { readings.last?.time }

  /// Lets a copy of the machine's state live through the readings; within one, its state counts first.
  func feed(_ view: inout MaintenanceView) {
    let state = view.machine.running?.metric
    for reading in readings {
      let values =
        reading.values.filter { $0.metric == state } + reading.values.filter { $0.metric != state }
      for (metric, value) in values {
        view.condition.take(metric, value, at: reading.time, view.machine)
      }
    }
  }
}
