import Payloads

extension Readings {
  /// Gives each field the name that a topic and its member have together.
  ///
  /// Under `axis.x` the members `value` and `x` are the metric `axis.x`, any other one `y` is `axis.x.y`.
  /// - Parameter lastCount: bytes of the last level in `path`.
  mutating func nest(under path: [UInt8], lastCount: Int, payload: UnsafeRawBufferPointer) {
    let whole = Slice(offset: scratch.count, count: path.count, isScratch: true)
    let last = path.suffix(lastCount)
    scratch += path
    for index in fields.indices {
      let name = fields[index].name
      let range = Int(name.offset)..<Int(name.offset) + Int(name.count)
      let bytes = name.isScratch ? Array(scratch[range]) : Array(payload[range])
      if bytes.elementsEqual("value".utf8) || bytes.elementsEqual(last) {
        fields[index].name = whole
        continue
      }
      let start = scratch.count
      scratch += path
      scratch.append(UInt8(ascii: "."))
      scratch += bytes
      fields[index].name = Slice(offset: start, count: scratch.count - start, isScratch: true)
    }
  }
}
