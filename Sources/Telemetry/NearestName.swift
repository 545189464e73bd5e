/// The candidate nearest to `text` by edit distance, for "did you mean" in messages.
///
/// Case and accents count as edits, but a candidate that differs in case alone always comes first.
/// Ties go to the earlier candidate, so the answer does not depend on chance.
/// - Returns: `nil` when nothing is within a third of the length (at least one, at most three edits).
/// - Complexity: O(candidates × length²); texts over 64 bytes are not compared.
public func nearestName(to text: String, among candidates: [String]) -> String? {
  guard !text.isEmpty, text.utf8.count <= 64 else { return nil }
  if let sameLetters = candidates.first(where: { $0.lowercased() == text.lowercased() }) {
    return sameLetters
  }
  let wanted = Array(text.unicodeScalars)
  let bound = min(3, max(1, wanted.count / 3))
  var best: (name: String, distance: Int)?
  for candidate in candidates where candidate.utf8.count <= 64 {
    let scalars = Array(candidate.unicodeScalars)
    guard abs(scalars.count - wanted.count) <= bound, scalars.count > 1 || wanted.count == 1 else {
      continue
    }
    let distance = editDistance(wanted, scalars)
    if distance <= bound, distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.name
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment):
/// `uint` → `unit` is 1.
func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  var before = [Int](repeating: 0, count: b.count + 1)
  var previous = Array(0...b.count)
  for i in a.indices {
    var current = [i + 1]
    for j in b.indices {
      var cost = min(previous[j + 1], current[j]) + 1
      cost = min(cost, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
      current.append(cost)
    }
    before = previous
    previous = current
  }
  return previous[b.count]
}
