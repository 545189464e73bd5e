import ArgumentParser
import Gateway

/// The entry point: every verb of the command line stands in a file of its own.
@main
struct Millwright: AsyncParsableCommand {
  static let version = ProductVersion.text

  static let configuration = CommandConfiguration(
    commandName: "millwright",
    abstract:
      "An Industry 4.0 edge gateway: what machines and people do, stored, shown and asked for.",
    discussion: """
      EXAMPLES
        millwright check                        is the configuration right?
        millwright run                          run the gateway
        millwright query press1 --latest        what press1 told last
        millwright query press1/temperature --from -1h --step 5m
        millwright query --sql 'SELECT device, count(*) FROM samples GROUP BY 1'
        millwright export --series 'press1/*' --from -1d --output press1.csv
        millwright map --from 'plant/#'         propose a mapping from what is heard
        millwright doctor                       is the data directory healthy?

      EXIT STATUS
         0  it went well
         1  a problem was found, or the work failed; standard error says why
         2  the data directory or the port is in use
         3  the gateway or the broker could not be reached
        64  the command was written wrongly

      Settings come from the environment, then from millwright.yaml, then from
      defaults; see docs/configuration.md. Standard output is for results, standard
      error for everything else.
      """,
    version: version,
    subcommands: [
      RunCommand.self, CheckCommand.self, QueryCommand.self, ExportCommand.self,
      DevicesCommand.self, MaintenanceCommand.self, TrainCommand.self, EvaluateCommand.self,
      QuarantineCommand.self, SimulateCommand.self, InjectCommand.self, DoctorCommand.self,
      MapCommand.self, RecordCommand.self, ReplayCommand.self, ScoreCommand.self, BenchCommand.self,
    ])
}
