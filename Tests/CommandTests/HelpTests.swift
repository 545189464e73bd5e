import Testing

@Suite struct HelpTests {
  @Test(
    "Help teaches with examples",
    arguments: [
      [], ["run"], ["check"], ["query"], ["export"], ["devices"], ["quarantine"], ["simulate"],
      ["inject"], ["doctor"], ["bench"], ["map"], ["record"], ["replay"], ["score"],
    ])
  func examples(command: [String]) throws {
    let outcome = try Executable.run(command + ["--help"])
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("EXAMPLES"))
    #expect(outcome.output.contains("millwright \(command.first ?? "check")"))
  }

  @Test("The exit status is documented")
  func exitStatus() throws {
    let outcome = try Executable.run(["--help"])
    #expect(outcome.output.contains("EXIT STATUS"))
  }

  @Test("The version is a version")
  func version() throws {
    let outcome = try Executable.run(["--version"])
    #expect(outcome.status == 0)
    #expect(outcome.output.split(separator: ".").count == 3)
  }

  @Test("A wrong option ends with 64 and names what was meant")
  func usage() throws {
    let outcome = try Executable.run(["query", "press1", "--stpe", "5m"])
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("--step"))
  }

  @Test("A simulation is repeated by its seed and changed by another")
  func simulate() throws {
    func messages(seed: Int) throws -> String {
      try Executable.run([
        "simulate", "--dry-run", "--seed", "\(seed)", "--start", "2026-11-21T08:00:00Z",
        "--messages", "50",
      ]).output
    }
    let first = try messages(seed: 7)
    #expect(first.split(separator: "\n").count == 50)
    #expect(try messages(seed: 7) == first)
    #expect(try messages(seed: 8) != first)
  }
}
