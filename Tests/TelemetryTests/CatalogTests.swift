import Testing

@testable import Telemetry

@Suite("The catalog")
struct CatalogTests {
  @Test("A series whose device was lost gets one that says so, and naming it does not trap")
  func lostDevice() {
    var catalog = Catalog()
    catalog.apply(
      .series(.init(index: 2, device: 3, metric: "flow", type: .number, kind: .gauge)))
    #expect(catalog.devices.map(\.id) == ["lost-0", "lost-1", "lost-2", "lost-3"])
    #expect(catalog.key(of: 2).description == "lost-3/flow")
    #expect(catalog.key(of: 0).description == "lost-0/lost-0")
  }

  @Test("A device number that can only be damage is passed over with its series")
  func damage() {
    var catalog = Catalog()
    catalog.apply(
      .series(.init(index: 0, device: .max, metric: "flow", type: .number, kind: .gauge)))
    #expect(catalog.series.isEmpty)
    #expect(catalog.devices.isEmpty)
  }

  @Test("What it says of devices, series and words survives its bytes")
  func coding() throws {
    var catalog = Catalog()
    catalog.apply(
      .device(
        .init(
          index: 0, id: "press1", profile: "press", asset: "a/b", isAdopted: true, isPlaced: true,
          was: ["old"])))
    catalog.apply(
      .series(
        .init(
          index: 0, device: 0, metric: "t", type: .text, kind: .state, unit: "Cel",
          description: "d")))
    catalog.apply(.word(id: 0, text: "running"))
    var out = ByteWriter()
    catalog.encode(into: &out)
    var reader = ByteReader(out.bytes)
    let read = try Catalog(from: &reader)
    #expect(read.devices == catalog.devices)
    #expect(read.series == catalog.series)
    #expect(read.words == catalog.words)
    #expect(read.series(ofDevice: 0) == [0])
    for cut in 0..<out.count {
      var short = ByteReader(UnsafeRawBufferPointer(rebasing: out.bytes[..<cut]))
      #expect(throws: ByteReader.Truncated.self) { _ = try Catalog(from: &short) }
    }
  }
}
