import Telemetry

typealias Unit = Telemetry.Unit

/// One step of a compiled rule; its result is the register of the same number.
///
/// A rule is a list of these in an order in which operands come first; one pass evaluates all of
/// it.
struct Instruction: Hashable, Sendable {
  enum Operation: UInt8, Sendable {
    case constant, load, previous, changed, missing, age, event
    case add, subtract, multiply, divide, negate, magnitude
    /// `a × x`, `a + x`, `a ÷ x`: conversions of units.
    case scale, shift, over
    case less, lessEqual, equal, notEqual, and, or, not
    case hysteresis, deadband, stuck, sequence, window
  }

  var operation: Operation
  /// Registers of the operands.
  var a: Int32 = 0
  var b: Int32 = 0
  /// Of an input for `load` and its like, of a memory, of a window.
  var place: Int32 = 0
  var x = 0.0
  var y = 0.0
  /// Bit n: it depends on input n.
  var inputs: UInt64 = 0
}

/// A signal or an event that a rule reads.
struct InputSpec: Hashable, Sendable {
  var reference: Reference
  /// It is an event of this name instead of a signal.
  var event: String?
  /// What the rule takes it to be; `nil`: nothing in the rule tells.
  var kind: Operand.Kind?
  /// The unit in which the program computes; `nil`: as it comes.
  var unit: String?
}

/// A compiled rule without its texts.
struct Program: Hashable, Sendable {
  var instructions: [Instruction] = []
  var inputs: [InputSpec] = []
  var windows: [WindowSpec] = []
  /// Values of `hysteresis`, `stuck` and their like.
  var memories = 0
  var when: Int32 = 0
  /// −1: cleared when `when` is false.
  var clear: Int32 = -1
  var suppress: Int32 = -1
  /// The register that `{value}` shows; −1: none.
  var value: Int32 = -1
  var valueKind = Operand.Kind.number
  /// Symbol for people.
  var valueUnit = ""
  /// Words that are compared with: the constant of each is the id of the word, once it is known.
  var words: [Word] = []
  /// Something in it is true only at the moment of a sample or an event.
  var hasPulses = false
  /// It tells of missing data, which an offline device explains.
  var watchesAbsence = false
  /// An age that is no simple limit: looked at once a second.
  var hasFreeAge = false

  struct Word: Hashable, Sendable {
    var text: String
    var instruction: Int32
  }

  /// Bytes of state that one instance of the rule holds, at most.
  var stateBytes: Int {
    MemoryLayout<RuleInstance>.stride + inputs.count * MemoryLayout<InputState>.stride
      + memories * MemoryLayout<MemoryState>.stride
      + windows.reduce(0) { $0 + MemoryLayout<Window>.stride + $1.bytes }
  }
}

/// What a part of an expression is: its register, type and unit.
struct Operand {
  enum Kind: UInt8, Sendable { case number, boolean, text }

  enum UnitFact {
    /// A pure number.
    case plain
    case known(Unit, isDifference: Bool)
    /// A signal whose unit nobody declared.
    case unknown(String)
  }

  var register: Int32
  /// `nil`: a signal of which nothing is known.
  var kind: Kind?
  var unit = UnitFact.plain
  var constant: Double?
  var inputs: UInt64 = 0
  /// It is this signal itself.
  var input: Int?
  var range: Range<Int>
}
