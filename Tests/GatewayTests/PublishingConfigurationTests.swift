import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite struct PublishingConfigurationTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func load(
    _ yaml: String, _ environment: [String: String] = [:]
  ) throws -> (GatewayConfiguration?, [String]) {
    let path = scratch.path + "/millwright.yaml"
    try yaml.write(toFile: path, atomically: true, encoding: .utf8)
    let (loaded, diagnostics) = ConfigurationLoader(file: path, environment: environment).load()
    return (loaded?.gateway, diagnostics.map { "\($0)" })
  }

  @Test("Unless it is said, we are no primary host and announce nothing")
  func defaults() throws {
    let (gateway, problems) = try load("mqtt: {}\n")
    #expect(problems == [])
    #expect(gateway?.sparkplugHost == nil && gateway?.homeAssistant == nil)
  }

  @Test("Host id and discovery prefix are read; an empty map takes the usual prefix")
  func keys() throws {
    let yaml = "mqtt:\n  sparkplug_host: scada\n  home_assistant: {prefix: ha/discovery/}\n"
    let (gateway, problems) = try load(yaml)
    #expect(problems == [])
    #expect(gateway?.sparkplugHost == "scada")
    #expect(gateway?.homeAssistant?.prefix == "ha/discovery")
    #expect(
      try load("mqtt: {home_assistant: {}}\n").0?.homeAssistant?.prefix == "homeassistant")
  }

  @Test("Each gateway has a moment of its own to ask Sparkplug nodes")
  func seeds() throws {
    func seed(_ name: String) throws -> UInt64? {
      let path = scratch.path + "/\(name).yaml"
      try "gateway: \(name)\n".write(toFile: path, atomically: true, encoding: .utf8)
      return ConfigurationLoader(file: path, environment: [:]).load().configuration?
        .devices.settings.sparkplug.seed
    }
    #expect(try seed("edge-1") != seed("edge-2"))
    #expect(try seed("edge-1") == seed("edge-1"))
  }

  @Test("The environment names the host, and empty turns it off")
  func environment() throws {
    let yaml = "mqtt: {sparkplug_host: scada}\n"
    #expect(try load(yaml, ["MILLWRIGHT_SPARKPLUG_HOST": "other"]).0?.sparkplugHost == "other")
    #expect(try load(yaml, ["MILLWRIGHT_SPARKPLUG_HOST": ""]).0?.sparkplugHost == nil)
    #expect(try load(yaml, ["MILLWRIGHT_SPARKPLUG_HOST": "a/b"]).1.count == 1)
  }

  @Test(
    "What is no topic level or no prefix is told with its place",
    arguments: [
      ("mqtt: {sparkplug_host: a/b}", ":1:24: error: a host id has no"),
      ("mqtt: {home_assistant: {prefix: /ha}}", ":1:33: error: a prefix is a topic"),
      ("mqtt: {home_assistant: {prefix: 'ha/#'}}", ":1:33: error: a prefix is a topic"),
      ("mqtt: {home_assistant: {prefx: ha}}", "prefx"),
    ])
  func problems(yaml: String, problem: String) throws {
    let (gateway, problems) = try load(yaml + "\n")
    #expect(gateway == nil)
    #expect(problems.count == 1 && problems[0].contains(problem), "\(problems)")
  }
}
