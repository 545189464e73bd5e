import Operations
import Telemetry
import Testing

@Suite struct StopEditTests {
  /// Stopped from 07:00 to 08:00 and from 12:00 to 12:10.
  private static func bench(_ edits: [StopEdit]) -> Bench {
    var bench = Bench([
      (at(5), .running), (at(7), .unplannedStop), (at(8), .running), (at(12), .unplannedStop),
      (at(12, 10), .running),
    ])
    bench.record.edits = edits
    return bench
  }

  private static func edit(_ action: StopEdit.Action, id: String = "e1") -> StopEdit {
    edit(Span(at(7)..<at(8)), action, id: id)
  }

  private static func edit(
    _ stop: Span, _ action: StopEdit.Action, id: String = "e1"
  ) -> StopEdit {
    StopEdit(
      id: id, machine: "m1", stop: stop, action: action, author: "anna", time: at(15),
      remark: "seen at the press")
  }

  @Test("A stop is split and its parts labelled, with a trail of who changed what")
  func splitAndLabel() {
    let bench = Self.bench([
      Self.edit(.split(at: at(7, 20)), id: "e1"),
      Self.edit(Span(at(7)..<at(7, 20)), .relabel(reason: "jam"), id: "e2"),
      Self.edit(Span(at(7, 20)..<at(8)), .relabel(reason: "trial"), id: "e3"),
    ])
    let ledger = bench.ledger
    let time = ledger.result(over: early).figures.time
    #expect(time.lost(.unplannedStop) == minutes(20 + 10))
    #expect(time.total(.plannedStop) == minutes(40))
    #expect(time.plannedBusyTime == minutes(410))
    #expect(ledger.audits.allSatisfy { $0.refusal == nil })
    let label = ledger.audits[2]
    #expect(label.oldState == .unplannedStop && label.newState == .plannedStop)
    #expect(label.oldReason == nil && label.newReason == "trial")
    #expect(label.json["author"] == .string("anna"))
    #expect(label.json["remark"] == .string("seen at the press"))
    #expect(label.json["old"]?["state"] == .string("unplanned_stop"))
  }

  @Test(
    "Edits are applied in order: the last label of a stop counts, and planned can be taken back")
  func order() {
    let ledger = Self.bench([
      Self.edit(.relabel(reason: "trial"), id: "e1"),
      Self.edit(.relabel(reason: "no_material"), id: "e2"),
    ]).ledger
    #expect(ledger.audits.map(\.newReason) == ["trial", "no_material"])
    #expect(ledger.audits[1].oldReason == "trial")
    #expect(ledger.result(over: early).figures.time.lost(.idle) == minutes(60))
    #expect(ledger.result(over: early).figures.failures == 1)
  }

  @Test(
    "Edits that lie outside a stop, reach over another or name an unknown reason are refused in a sentence",
    arguments: [
      (
        Span(at(9)..<at(9, 10)), StopEdit.Action.relabel(reason: "jam"),
        "at 2026-11-23T09:00:00Z the machine was not stopped but running"
      ),
      (
        Span(at(7)..<at(12, 5)), .relabel(reason: "jam"),
        "the stop ends at 2026-11-23T08:00:00Z: what is named reaches beyond it, over another stop or time that was none"
      ),
      (
        Span(at(7)..<at(8)), .split(at: at(8)),
        "2026-11-23T08:00:00Z does not lie inside the stop from 2026-11-23T07:00:00Z to 2026-11-23T08:00:00Z"
      ),
      (
        Span(at(7)..<at(8)), .split(at: at(6)),
        "2026-11-23T06:00:00Z does not lie inside the stop from 2026-11-23T07:00:00Z to 2026-11-23T08:00:00Z"
      ),
      (
        Span(at(7)..<at(8)), .relabel(reason: "jan"),
        "unknown reason code `jan`, did you mean `jam`?"
      ),
      (Span(at(7)..<at(7)), .relabel(reason: "jam"), "the stop named is empty"),
      (
        Span(at(20)..<at(21)), .relabel(reason: "jam"),
        "nothing is known of the machine in a shift at 2026-11-23T20:00:00Z"
      ),
    ])
  func refused(stop: Span, action: StopEdit.Action, sentence: String) {
    let plain = Self.bench([]).ledger.result(over: early)
    let ledger = Self.bench([
      Self.edit(stop, action, id: "bad"),
      Self.edit(Span(at(12)..<at(12, 10)), .relabel(reason: "jam"), id: "good"),
    ]).ledger
    #expect(ledger.audits[0].refusal == sentence)
    #expect(ledger.audits[0].json["applied"] == .bool(false))
    // The rest goes on.
    #expect(ledger.audits[1].refusal == nil)
    #expect(ledger.result(over: early).figures.time == plain.figures.time)
  }

  @Test("What would become of an edit can be asked before it is recorded")
  func asked() {
    let split = Self.edit(.split(at: at(7, 20)), id: "e1")
    let label = Self.edit(Span(at(7)..<at(7, 20)), .relabel(reason: "jam"), id: "e2")
    let whole = Self.edit(Span(at(7)..<at(8)), .relabel(reason: "jam"), id: "e3")
    let ledger = Self.bench([split]).ledger
    #expect(ledger.audits(of: label) == [Self.bench([split, label]).ledger.audits[1]])
    #expect(
      ledger.audits(of: whole).first?.refusal?.hasPrefix("the stop ends at 2026-11-23T07:20:00Z")
        == true)
    #expect(ledger.audits.count == 1)
  }

  @Test("A cut does not make small stops of a long one")
  func noSmallStops() {
    let ledger = Self.bench([Self.edit(Span(at(12)..<at(12, 10)), .split(at: at(12, 4)))]).ledger
    let figures = ledger.figures(over: SpanSet(early))
    #expect(figures.time.smallStopTime == 0)
    #expect(figures.failures == 3)
  }

  @Test(
    "An edit of a stop that was still going on holds for the whole of it; one that late data dissolved is refused"
  )
  func lateData() {
    let edit = Self.edit(Span(at(7)..<at(7, 5)), .relabel(reason: "jam"))
    let ledger = Self.bench([edit]).ledger
    #expect(ledger.audits[0].stop == Span(at(7)..<at(8)))
    var bench = Self.bench([edit])
    bench.record.states.append(StateSample(time: at(7, 2), state: .running))
    #expect(
      bench.ledger.audits[0].refusal?.hasPrefix("the stop ends at 2026-11-23T07:02:00Z") == true)
  }
}
