import Telemetry

/// What was seen of one series: enough to guess what it is, in little memory.
public struct SeriesObservation: Sendable {
  public static let wordsMax = 16

  public private(set) var count = 0
  public private(set) var numbers = 0
  public private(set) var booleans = 0
  public private(set) var texts = 0
  public private(set) var low = Double.infinity
  public private(set) var high = -Double.infinity
  /// Times the number rose and fell against the one before.
  public private(set) var rises = 0
  public private(set) var falls = 0
  public private(set) var isIntegral = true
  /// The first different words or numbers, in the order met; more than `wordsMax` are not kept.
  public private(set) var words: [String] = []
  public private(set) var hasMoreWords = false
  private var last: Double?

  public init() {}

  public mutating func observe(_ value: Value) {
    count += 1
    switch value {
    case .number(let number):
      numbers += 1
      low = min(low, number)
      high = max(high, number)
      if number != number.rounded() { isIntegral = false }
      if let last, number > last { rises += 1 }
      if let last, number < last { falls += 1 }
      last = number
      note(shortestText(number))
    case .boolean:
      booleans += 1
    case .text(let text):
      texts += 1
      note(text)
    }
  }

  private mutating func note(_ word: String) {
    guard !words.contains(word) else { return }
    if words.count < SeriesObservation.wordsMax {
      words.append(word)
    } else {
      hasMoreWords = true
    }
  }

  /// How the values read, for people: `20.1 … 64.2`, `idle, running`, `true/false`.
  public var summary: String {
    if numbers == count, count > 0 {
      return low == high ? shortestText(low) : "\(shortestText(low)) … \(shortestText(high))"
    }
    if booleans == count { return "true/false" }
    return words.prefix(4).map { String($0.prefix(24)) }.joined(separator: ", ")
      + (words.count > 4 ? ", …" : "")
  }
}
