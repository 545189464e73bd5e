import ArgumentParser

struct QueryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "query")
}
struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "export")
}
struct DevicesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "devices")
}
struct QuarantineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "quarantine")
}
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "doctor")
}
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "bench")
}
