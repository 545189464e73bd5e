/// Two sorted runs of samples as one; of equal times the newer stays.
enum ColumnMerge {
  static func merge(older: ChunkColumns, newer: ChunkColumns) -> ChunkColumns {
    guard let lastOld = older.times.last, let firstNew = newer.times.first else {
      return older.isEmpty ? newer : older
    }
    if lastOld < firstNew {
      var joined = older
      joined.append(0..<newer.count, of: newer)
      return joined
    }
    var merged = ChunkColumns()
    merged.reserveCapacity(older.count + newer.count)
    var left = 0
    var right = 0
    while left < older.count || right < newer.count {
      if right == newer.count || (left < older.count && older.times[left] < newer.times[right]) {
        merged.append(
          time: older.times[left], bits: older.bits[left], quality: older.qualities[left])
        left += 1
      } else {
        if left < older.count, older.times[left] == newer.times[right] { left += 1 }
        merged.append(
          time: newer.times[right], bits: newer.bits[right], quality: newer.qualities[right])
        right += 1
      }
    }
    return merged
  }
}
