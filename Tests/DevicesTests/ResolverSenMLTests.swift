import Devices
import Payloads
import Telemetry
import Testing

@Suite struct ResolverSenMLTests {
  @Test("Times that count from the receipt are receive-stamped, and replaced where implausible")
  func relativeTimes() throws {
    var f = try Fixture()
    f.send(
      "x",
      #"[{"bn":"m/","n":"a","v":1},{"n":"b","t":-5,"v":2},{"n":"c","t":268435455,"v":3},"#
        + #"{"n":"d","t":1795247990.5,"v":4}]"#)
    let now = Fixture.now
    #expect(
      f.batch.samples.map(\.time) == [
        now, now.advanced(byMicroseconds: -5_000_000), now,
        now.advanced(byMicroseconds: -9_500_000),
      ])
    #expect(f.batch.samples.map(\.isReceiveStamped) == [true, true, true, false])
    #expect(f.batch.samples[2].quality.contains(.clockReplaced))
    #expect(f.values == ["m/a=1.0", "m/b=2.0", "m/c=3.0", "m/d=4.0"])
  }

  @Test("A retained message whose times count from its receipt only fills current values")
  func retained() throws {
    var f = try Fixture()
    f.send("x", #"[{"n":"m/a","t":-5,"v":1},{"n":"m/a","t":1795247990,"v":2}]"#, retained: true)
    #expect(f.batch.samples.map(\.isCurrentOnly) == [true, false])
  }

  @Test("Humidity, place and battery under one name become series of their own, with units")
  func oneName() throws {
    var f = try Fixture()
    let outcome = f.send(
      "x",
      #"[{"bn":"urn:dev:ow:10e2073a01080063","bt":1795247900,"bu":"%RH","v":20},"#
        + #"{"u":"lon","v":24.30621},{"u":"lat","v":60.07965},{"u":"%EL","t":50,"v":98}]"#,
      type: "application/json")
    #expect(outcome.refusedFields == 0 && outcome.newSeries == 4)
    let device = "urn:dev:ow:10e2073a01080063"
    #expect(try f.series("\(device)/humidity").unit == "%")
    #expect(try f.series("\(device)/longitude").unit == "deg")
    #expect(try f.series("\(device)/battery").unit == "%")
  }

  @Test("A sum is a counter of its own")
  func sums() throws {
    var f = try Fixture()
    f.send("x", #"[{"n":"meter/power","u":"W","v":1500,"bs":3600,"s":0}]"#)
    #expect(f.values == ["meter/power=1500.0", "meter/power.total=3600.0"])
    #expect(try f.series("meter/power.total").kind == .counter)
  }
}
