/// Instances by the time at which they are to be looked at, the earliest first; ties by index.
///
/// The time in the heap may be earlier than the true one: it is mended when it comes to the top.
extension RuleEngine {
  /// The time stands beside the index, so that ordering touches the heap alone.
  struct HeapEntry: Sendable {
    var time: Int64
    var instance: Int32

    @inline(__always) func precedes(_ other: HeapEntry) -> Bool {
      time < other.time || (time == other.time && instance < other.instance)
    }
  }

  /// Call after the deadline of an instance may have changed.
  mutating func schedule(_ index: Int) {
    let due = instances[index].nextDeadline
    let place = Int(instances[index].heapPlace)
    if place < 0 {
      guard due < .max else { return }
      heap.append(HeapEntry(time: due, instance: Int32(index)))
      rise(heap.count - 1)
    } else if due < heap[place].time {
      heap[place].time = due
      rise(place)
    }
  }

  /// The entry at the top with its true deadline; `nil`: there is none.
  mutating func settledTop() -> HeapEntry? {
    while let top = heap.first {
      let due = instances[Int(top.instance)].nextDeadline
      if due == top.time { return top }
      if due < .max {
        heap[0].time = due
        sink(0)
      } else {
        removeTop()
      }
    }
    return nil
  }

  private mutating func removeTop() {
    instances[Int(heap[0].instance)].heapPlace = -1
    let last = heap.removeLast()
    guard !heap.isEmpty else { return }
    heap[0] = last
    sink(0)
  }

  private mutating func put(_ entry: HeapEntry, at place: Int) {
    heap[place] = entry
    instances[Int(entry.instance)].heapPlace = Int32(place)
  }

  private mutating func rise(_ start: Int) {
    var place = start
    let entry = heap[place]
    while place > 0 {
      let parent = (place - 1) / 2
      guard entry.precedes(heap[parent]) else { break }
      put(heap[parent], at: place)
      place = parent
    }
    put(entry, at: place)
  }

  private mutating func sink(_ start: Int) {
    var place = start
    let entry = heap[place]
    let count = heap.count
    while true {
      var child = place * 2 + 1
      guard child < count else { break }
      if child + 1 < count, heap[child + 1].precedes(heap[child]) { child += 1 }
      guard heap[child].precedes(entry) else { break }
      put(heap[child], at: place)
      place = child
    }
    put(entry, at: place)
  }
}
