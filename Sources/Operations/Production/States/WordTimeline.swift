import Telemetry

/// What a series of words (product, order, reason) said at each moment: each holds until the next.
struct WordTimeline: Hashable {
  private var times: [Timestamp] = []
  private var words: [String] = []

  /// Samples of bad quality say nothing: the word before them goes on.
  init(_ samples: [WordSample]) {
    for sample in samples.stablySorted(by: \.time)
    where sample.quality.severity != .bad && !sample.quality.contains(.stale) {
      if times.last == sample.time {
        words[words.count - 1] = sample.word
      } else if words.last != sample.word {
        times.append(sample.time)
        words.append(sample.word)
      }
    }
  }

  /// `nil` before the first and where the word is empty.
  func word(at moment: Timestamp) -> String? {
    let next = firstIndex(after: moment)
    guard next > 0, !words[next - 1].isEmpty else { return nil }
    return words[next - 1]
  }

  /// The times of every word within `span`, in the order in which the words first appear.
  func spans(in span: Span) -> [(word: String, set: SpanSet)] {
    var found: [(word: String, set: [Span])] = []
    for index in times.indices where !words[index].isEmpty {
      let end = index + 1 < times.count ? times[index + 1] : max(span.to, times[index])
      guard times[index] <= end, let part = Span(times[index]..<end).intersection(span) else {
        continue
      }
      if let known = found.firstIndex(where: { $0.word == words[index] }) {
        found[known].set.append(part)
      } else {
        found.append((words[index], [part]))
      }
    }
    return found.map { ($0.word, SpanSet($0.set)) }
  }

  private func firstIndex(after moment: Timestamp) -> Int {
    var low = 0
    var high = times.count
    while low < high {
      let middle = (low + high) / 2
      if times[middle] <= moment { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
