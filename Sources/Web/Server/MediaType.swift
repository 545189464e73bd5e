/// The type in a Content-Type header, without its parameters and in lower case.
struct MediaType: Hashable, Sendable {
  static let cloudEvent = MediaType("application/cloudevents+json")
  static let cloudEvents = MediaType("application/cloudevents-batch+json")

  var essence: String

  init(_ header: String) {
    essence =
      header.split(separator: ";").first.map { $0.filter { $0 != " " }.lowercased() } ?? ""
  }

  var isJSON: Bool {
    essence == "application/json" || essence == "text/json" || essence.hasSuffix("+json")
  }
}
