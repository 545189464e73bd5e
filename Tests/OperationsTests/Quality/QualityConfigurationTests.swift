import Devices
import FoundationEssentials
import Operations
import Telemetry
import Testing

/// `quality:` and `energy:` out of the example files, the documents and files with mistakes.
@Suite struct QualityConfigurationTests {
  static let top = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

  static func examples() throws -> [ConfigurationFile] {
    try FileManager.default.contentsOfDirectory(atPath: top + "/devices")
      .filter { $0.hasSuffix(".yaml") }.sorted().map { try file("devices/" + $0) }
  }

  static func file(_ path: String) throws -> ConfigurationFile {
    let bytes = try #require(FileManager.default.contents(atPath: top + "/" + path))
    return ConfigurationFile(name: path, content: String(decoding: bytes, as: UTF8.self))
  }

  static func devices() throws -> DeviceConfiguration {
    let (devices, diagnostics) = DeviceConfiguration.load(files: try examples())
    #expect(diagnostics.map(\.description) == [])
    return try #require(devices)
  }

  /// Fenced YAML of a document, one file for each block that has the key.
  static func blocks(of path: String, key: String) throws -> [ConfigurationFile] {
    let parts = try file(path).content.components(separatedBy: "```")
    return stride(from: 1, to: parts.count, by: 2).compactMap { index in
      guard parts[index].hasPrefix("yaml\n"), parts[index].contains("\(key):\n") else { return nil }
      return ConfigurationFile(
        name: "\(path)#\(index)", content: String(parts[index].dropFirst(5)))
    }
  }

  static func load(_ text: String) throws -> (QualityConfiguration?, [String]) {
    let (configuration, diagnostics) = QualityConfiguration.load(
      files: [ConfigurationFile(name: "q.yaml", content: text)], devices: try devices())
    return (configuration, diagnostics.map(\.description))
  }

  @Test("The example file loads without a word, beside all others")
  func example() throws {
    let (configuration, diagnostics) = QualityConfiguration.load(
      files: try Self.examples(), devices: try Self.devices())
    #expect(diagnostics.map(\.description) == [])
    let quality = try #require(configuration)
    #expect(quality.characteristics.map(\.id) == ["bore", "oil_temperature", "surface"])
    #expect(quality.characteristic("bore")?.chart.rules == .nelson)
    #expect(quality.characteristic("bore")?.subgrouping == .size(5))
    let oil = try #require(quality.characteristic("oil_temperature"))
    #expect(oil.source == .metric("temperature") && oil.unit?.code == "Cel")
    #expect(oil.chart.lambda == 0.2 && oil.subgrouping == .time(microseconds: 300_000_000))
    let surface = try #require(quality.characteristic("surface"))
    #expect(surface.chart.rules == .westernElectric && surface.opportunitiesPerUnit == 3)
    #expect(surface.sampling?.plan(lot: 1_000, severity: .normal)?.sampleSize == 80)
    #expect(surface.sampling?.tighterAcceptance(lot: 1_000) == 1)
  }

  @Test("Every example of the document loads without a word")
  func document() throws {
    let blocks = try Self.blocks(of: "docs/quality.md", key: "quality")
    #expect(blocks.count >= 3)
    for block in blocks {
      let (configuration, diagnostics) = QualityConfiguration.load(
        files: [block], devices: try Self.devices())
      #expect(diagnostics.map(\.description) == [], "\(block.name)")
      #expect(configuration?.characteristics.isEmpty == false, "\(block.name)")
    }
  }

  @Test(
    "A mistake is reported at its place, with the nearest name",
    arguments: [
      ("id: a, chart: xbar, subgroup: {size: 5}", "3:22: error: `xbar` is not one of"),
      ("id: a, chart: xbar_r", "3:7: error: `subgroup` is missing"),
      ("id: a, chart: xbar_r, subgroup: {size: 26}", "must be a whole number from 2 to 25"),
      ("id: a, chart: i_mr, device: pres1", "unknown device `pres1`, did you mean `press1`?"),
      ("id: a, chart: i_mr, profile: pres", "unknown profile `pres`, did you mean `press`?"),
      ("id: a, chart: i_mr, metric: x", "a metric needs `device` or `profile`"),
      (
        "id: a, chart: i_mr, device: press1, metric: temperatur",
        "warning: `temperatur` is no metric of the profile `press`, did you mean `temperature`?"
      ),
      (
        "id: a, chart: i_mr, device: press1, metric: temperature, unit: bar",
        "the metric is in `Cel`, which does not convert to `bar`"
      ),
      ("id: a, chart: i_mr, lower: 3, upper: 2", "`upper` must be above `lower`"),
      ("id: a, chart: i_mr, rules: [nelson_9]", "`nelson_9` is not one of"),
      ("id: a, chart: ewma, rules: nelson", "`rules` do not apply"),
      ("id: a, chart: ewma, ewma: {lambda: 2}", "`lambda` must be above 0 and at most 1"),
      ("id: a, chart: i_mr, cusum: {decision: 4}", "`cusum` is for chart `cusum`"),
      ("id: a, chart: p, upper: 3", "`upper` is for measured values, but chart `p` counts"),
      ("id: a, chart: np", ""),
      ("id: a, chart: np, subgroup: {order: 4}", "give `size`, or use p or u"),
      ("id: a, chart: i_mr, sampling: {aql: 1.0}", "`sampling` is for charts p, np, c and u"),
      ("id: a, chart: p, sampling: {aql: 1.1}", "the table has AQL 0.65, 1.0, 1.5, 2.5, 4.0"),
      ("id: a, chart: p, sampling: {normal: {sample: 5, accept: 5}}", "`accept` must be below"),
      ("id: a, chart: p, baseline: {center: 2}", "`center` must be a share from 0 to 1"),
      ("id: a, chart: i_mr, baseline: {center: 2, sigma: 0}", "`sigma` must be above 0"),
      ("id: a, chart: i_mr, uint: mm", "unknown key `uint`, did you mean `unit`?"),
      ("chart: i_mr", "`id` is missing"),
    ])
  func mistakes(entry: String, message: String) throws {
    let (configuration, diagnostics) = try Self.load(
      "quality:\n  characteristics:\n    - {\(entry)}\n")
    guard !message.isEmpty else {
      #expect(diagnostics == [])
      return
    }
    #expect(diagnostics.contains { $0.contains(message) }, "\(diagnostics)")
    #expect((configuration == nil) == diagnostics.contains { $0.contains(" error: ") })
  }

  @Test("The second characteristic of one id is refused, and says where the first is")
  func duplicate() throws {
    let (_, diagnostics) = try Self.load(
      "quality:\n  characteristics:\n    - {id: a, chart: i_mr}\n    - {id: a, chart: p}\n")
    #expect(
      diagnostics == ["q.yaml:4:12: error: duplicate characteristic `a`, first at q.yaml:3:12"])
  }

  @Test("The loader of devices passes over quality and energy")
  func passedOver() {
    let (devices, diagnostics) = DeviceConfiguration.load(files: [
      ConfigurationFile(name: "a.yaml", content: "quality: {x: 1}\nenergy: {y: 2}\n")
    ])
    #expect(devices != nil && diagnostics.isEmpty)
  }
}
