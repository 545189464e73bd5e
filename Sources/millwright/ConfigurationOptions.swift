import ArgumentParser
import Devices
import Foundation
import Gateway

/// Which configuration and which data a command works with; the same for all commands.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The configuration file.",
      discussion: "Without it millwright.yaml of the working directory, if there is one.",
      valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp("The data directory, before what the configuration says.", valueName: "dir"))
  var data: String?

  /// The file that is read; `nil`: defaults and the environment alone.
  var file: String? {
    if let config { return config }
    return FileManager.default.fileExists(atPath: "millwright.yaml") ? "millwright.yaml" : nil
  }

  /// - Parameter overrides: settings of other options, by the name of their environment variable.
  func loader(overrides: [String: String] = [:]) -> ConfigurationLoader {
    var environment = ProcessInfo.processInfo.environment
    for (name, value) in overrides { environment[name] = value }
    if let data { environment["MILLWRIGHT_DATA"] = data }
    return ConfigurationLoader(file: file, environment: environment)
  }

  /// The configuration, or every problem on standard error and the end of the command.
  func load(overrides: [String: String] = [:]) throws -> LoadedConfiguration {
    let (configuration, diagnostics) = loader(overrides: overrides).load()
    for diagnostic in diagnostics { StandardError.write("\(diagnostic)") }
    guard let configuration else {
      throw Failure("the configuration has errors; mend the lines above, then try again")
    }
    return configuration
  }

  /// Where the data lies; needs no right configuration when `--data` says it.
  func dataDirectory() throws -> String {
    if let data { return data }
    return try load().gateway.store.directory
  }
}
