/// Instances by the time at which they are to be looked at, the earliest first; ties by index.
///
/// The time in the heap may be earlier than the true one: it is mended when it comes to the top.
extension RuleEngine {
  private func precedes(_ a: Int32, _ b: Int32) -> Bool {
    let (x, y) = (instances[Int(a)].heapTime, instances[Int(b)].heapTime)
    return x < y || (x == y && a < b)
  }

  /// Call after the deadline of an instance may have changed.
  mutating func schedule(_ index: Int) {
    let due = instances[index].nextDeadline
    if instances[index].heapPlace < 0 {
      guard due < .max else { return }
      instances[index].heapTime = due
      instances[index].heapPlace = Int32(heap.count)
      heap.append(Int32(index))
      rise(heap.count - 1)
    } else if due < instances[index].heapTime {
      instances[index].heapTime = due
      rise(Int(instances[index].heapPlace))
    }
  }

  /// The true deadline at the top; `nil`: there is none.
  mutating func settledTop() -> Int32? {
    while let top = heap.first {
      let due = instances[Int(top)].nextDeadline
      if due == instances[Int(top)].heapTime { return top }
      if due < .max {
        instances[Int(top)].heapTime = due
        sink(0)
      } else {
        removeTop()
      }
    }
    return nil
  }

  private mutating func removeTop() {
    let top = heap[0]
    let last = heap.removeLast()
    instances[Int(top)].heapPlace = -1
    guard last != top else { return }
    put(last, at: 0)
    sink(0)
  }

  private mutating func put(_ index: Int32, at place: Int) {
    heap[place] = index
    instances[Int(index)].heapPlace = Int32(place)
  }

  private mutating func rise(_ start: Int) {
    var place = start
    let index = heap[place]
    while place > 0 {
      let parent = (place - 1) / 2
      guard precedes(index, heap[parent]) else { break }
      put(heap[parent], at: place)
      place = parent
    }
    put(index, at: place)
  }

  private mutating func sink(_ start: Int) {
    var place = start
    let index = heap[place]
    while true {
      var child = place * 2 + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, precedes(heap[child + 1], heap[child]) { child += 1 }
      guard precedes(heap[child], index) else { break }
      put(heap[child], at: place)
      place = child
    }
    put(index, at: place)
  }
}
