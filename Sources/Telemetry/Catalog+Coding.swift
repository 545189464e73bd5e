/// The catalog as bytes, for the saved state of stages.
extension Catalog {
  public func encode(into out: inout ByteWriter) {
    out.varint(UInt64(devices.count))
    for device in devices {
      out.text(device.id)
      out.text(device.profile)
      out.text(device.asset)
      out.byte((device.isAdopted ? 1 : 0) | (device.isPlaced ? 2 : 0))
      out.varint(UInt64(device.was.count))
      for id in device.was { out.text(id) }
    }
    out.varint(UInt64(series.count))
    for definition in series {
      out.varint(UInt64(definition.device))
      out.text(definition.metric)
      out.byte(definition.type.rawValue << 4 | definition.kind.rawValue)
      out.text(definition.unit)
      out.text(definition.description)
    }
    out.varint(UInt64(words.count))
    for word in words { out.text(word) }
  }

  public init(from input: inout ByteReader) throws(ByteReader.Truncated) {
    self.init()
    for index in 0..<UInt32(clamping: try input.length()) {
      var device = DeviceDefinition(
        index: index, id: try input.text(), profile: try input.text(), asset: try input.text())
      let flags = try input.byte()
      device.isAdopted = flags & 1 != 0
      device.isPlaced = flags & 2 != 0
      for _ in 0..<(try input.length()) { device.was.append(try input.text()) }
      apply(.device(device))
    }
    for index in 0..<UInt32(clamping: try input.length()) {
      let device = UInt32(truncatingIfNeeded: try input.varint())
      let metric = try input.text()
      let code = try input.byte()
      guard let type = ValueType(rawValue: code >> 4), let kind = MetricKind(rawValue: code & 15)
      else { throw ByteReader.Truncated() }
      apply(
        .series(
          SeriesDefinition(
            index: index, device: device, metric: metric, type: type, kind: kind,
            unit: try input.text(), description: try input.text())))
    }
    for index in 0..<UInt32(clamping: try input.length()) {
      apply(.word(id: index, text: try input.text()))
    }
  }
}
