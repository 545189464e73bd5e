import TestSupport
import Testing

@testable import Rules

@Suite struct AlarmMachineTests {
  /// State letters of ISA-18.2 and how a machine is brought there.
  static let ways: [(letter: Character, isLatched: Bool, inputs: [AlarmMachine.Input])] = [
    ("A", false, []), ("B", false, [.activate]), ("C", false, [.activate, .acknowledge]),
    ("D", false, [.activate, .clear]), ("A", true, []), ("B", true, [.activate]),
    ("C", true, [.activate, .acknowledge]), ("E", true, [.activate, .clear]),
    ("F", true, [.activate, .acknowledge, .clear]),
    ("G", false, [.shelve]), ("G", false, [.activate, .shelve]),
    ("G", true, [.activate, .clear, .shelve]),
    ("H", false, [.suppressByDesign]), ("H", false, [.activate, .suppressByDesign]),
    ("H", false, [.suppress]), ("H", true, [.activate, .clear, .suppress]),
    ("I", false, [.takeOutOfService]), ("I", false, [.activate, .takeOutOfService]),
    ("I", true, [.activate, .clear, .takeOutOfService]),
  ]

  static let columns: [AlarmMachine.Input] = [
    .activate, .clear, .acknowledge, .reset, .shelve, .unshelve, .shelfTimeOver, .suppressByDesign,
    .unsuppressByDesign, .suppress, .unsuppress, .takeOutOfService, .returnToService, .end,
  ]

  /// A letter: the next state; a dash: refused. One row for each way above.
  static let table = """
    .     act clr ack rst shl uns out sbd ubd sup usp oos rts end
    A     B   A   -   -   G   -   A   H   A   H   -   I   -   A
    B     B   D   C   -   G   -   B   H   B   H   -   I   -   A
    C     C   A   -   -   G   -   C   H   C   H   -   I   -   A
    D     B   D   A   -   G   -   D   H   D   H   -   I   -   A
    A+    B   A   -   -   G   -   A   H   A   H   -   I   -   A
    B+    B   E   C   -   G   -   B   H   B   H   -   I   -   A
    C+    C   F   -   -   G   -   C   H   C   H   -   I   -   A
    E+    B   E   F   -   G   -   E   H   E   H   -   I   -   A
    F+    B   F   -   A   G   -   F   H   F   H   -   I   -   A
    G     G   G   -   -   G   A   A   G   G   G   -   I   -   A
    Gact  G   G   -   -   G   B   B   G   G   G   -   I   -   A
    G+E   G   G   -   -   G   E   E   G   G   G   -   I   -   A
    Hd    H   H   -   -   G   -   H   H   A   H   -   I   -   A
    Hdact H   H   -   -   G   -   H   H   B   H   -   I   -   A
    Hc    H   H   -   -   G   -   H   H   H   -   A   I   -   A
    Hc+E  H   H   -   -   G   -   H   H   H   -   E   I   -   A
    I     I   I   -   -   -   -   I   I   I   I   -   -   A   A
    Iact  I   I   -   -   -   -   I   I   I   I   -   -   B   A
    I+E   I   I   -   -   -   -   I   I   I   I   -   -   E   A
    """

  static func letter(_ state: AlarmState) -> String {
    String(Array("ABCDEFGHI")[Int(state.rawValue)])
  }

  @Test("Every state answers every input as the table says")
  func exhaustive() throws {
    let rows = Self.table.split(separator: "\n").dropFirst().map {
      $0.split(separator: " ").map(String.init)
    }
    #expect(rows.count == Self.ways.count)
    #expect(Set(Self.columns) == Set(AlarmMachine.Input.allCases))
    for (way, row) in zip(Self.ways, rows) {
      for (column, input) in Self.columns.enumerated() {
        var machine = AlarmMachine(isLatched: way.isLatched)
        for step in way.inputs { #expect(machine.take(step) == nil) }
        #expect(Self.letter(machine.state) == String(way.letter))
        let before = machine
        let refusal = machine.take(input)
        let expected = row[column + 1]
        if expected == "-" {
          #expect(refusal != nil && machine == before, "\(row[0]) × \(input)")
        } else {
          #expect(refusal == nil, "\(row[0]) × \(input): \(String(describing: refusal))")
          #expect(Self.letter(machine.state) == expected, "\(row[0]) × \(input)")
        }
        machine.checkInvariants()
      }
    }
  }

  @Test("What hid an alarm is undone in any order, and the alarm comes back once")
  func nested() {
    var machine = AlarmMachine(isLatched: false)
    for input in [AlarmMachine.Input.shelve, .suppressByDesign, .takeOutOfService, .activate] {
      #expect(machine.take(input) == nil)
    }
    #expect(machine.state == .outOfService)
    #expect(machine.take(.returnToService) == nil)
    #expect(machine.state == .shelved)
    #expect(machine.take(.unshelve) == nil)
    #expect(machine.state == .suppressed)
    #expect(machine.take(.unsuppress) == .isSuppressedByDesign)
    #expect(machine.take(.unsuppressByDesign) == nil)
    #expect(machine.state == .unacknowledged)
  }

  @Test("A journal alarm wants no acknowledgement")
  func journal() {
    var machine = AlarmMachine(isLatched: false, needsAcknowledgement: false)
    _ = machine.take(.activate)
    #expect(machine.state == .acknowledged)
    _ = machine.take(.clear)
    #expect(machine.state == .normal)
  }

  @Test(
    "Random inputs never reach an illegal state, and a saved machine goes on alike",
    arguments: 0..<50)
  func random(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let isLatched = Bool.random(using: &random)
    var machine = AlarmMachine(isLatched: isLatched)
    for _ in 0..<400 {
      let input = AlarmMachine.Input.allCases.randomElement(using: &random) ?? .clear
      var twin = try #require(
        AlarmMachine(code: machine.code, isLatched: isLatched, needsAcknowledgement: true))
      #expect(twin == machine)
      let refusal = machine.take(input)
      #expect(twin.take(input) == refusal && twin == machine)
      machine.checkInvariants()
    }
  }

  @Test("A refusal says why in a sentence")
  func sentences() {
    for refusal in [
      AlarmRefusal.isNormal, .isAcknowledgedAlready, .isSilent(.outOfService),
      .shelfTime(maximum: .seconds(28_800)), .mustBeAcknowledgedFirst,
    ] {
      #expect(refusal.description.hasSuffix(".") && refusal.description.contains(" "))
    }
    #expect(AlarmRefusal.shelfTime(maximum: .seconds(28_800)).description.contains("8 h"))
  }
}
