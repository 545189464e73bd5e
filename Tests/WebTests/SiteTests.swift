import Foundation
import HTTPTypes
import Operations
import Rules
import Telemetry
import Testing

@testable import Web

/// The page has no build step, so what a compiler would find is looked for here.
@Suite("The site")
struct SiteTests {
  static let languages = ["en", "pt-BR"]
  /// Namespaces of SVG are names, not addresses.
  static let namespaces = ["http://www.w3.org/2000/svg"]

  static func text(_ name: String) throws -> String {
    String(
      decoding: try Data(contentsOf: URL(filePath: Bench.resources + "/" + name)), as: UTF8.self)
  }

  static func modules() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: Bench.resources + "/dashboard")
      .filter { $0.hasSuffix(".js") }.map { "dashboard/" + $0 }.sorted()
  }

  /// Everything a browser is given but the description of the API.
  static func files() throws -> [String] {
    let texts = languages.map { "texts/\($0).json" }
    return try modules() + texts
      + ["dashboard/dashboard.css", "docs.html", "docs.js", "icon.svg", "index.html", "site.css"]
  }

  static func catalogue(_ language: String) throws -> [(String, JSONValue)] {
    try #require(try JSONValue.body(Array(try text("texts/\(language).json").utf8)).members)
  }

  /// What `pattern` captures first, everywhere in the text.
  static func captures(_ pattern: String, in text: String) throws -> [String] {
    let expression = try Regex(pattern)
    return text.matches(of: expression).compactMap { $0.output[1].substring.map(String.init) }
  }

  /// What modules and pages take from the catalogues, such as `oee.title`; names of files look alike.
  static func keysAsked() throws -> Set<String> {
    var keys: Set<String> = []
    for name in try modules() {
      keys.formUnion(
        try captures(#""([a-z]+(?:-[a-z]+)*\.[a-z]+(?:[-_][a-z]+)*)""#, in: try text(name)))
    }
    keys.formUnion(try captures(#"data-(?:text|label)="([^"]+)""#, in: try text("index.html")))
    return keys
  }

  @Test("All languages have the same keys in the same order, and no text is empty")
  func sameKeys() throws {
    let english = try Self.catalogue("en")
    #expect(english.count > 150)
    for language in Self.languages {
      let texts = try Self.catalogue(language)
      #expect(texts.map(\.0) == english.map(\.0), "\(language)")
      #expect(Set(texts.map(\.0)).count == texts.count, "\(language) has a key twice")
      #expect(texts.filter { $0.1.text?.isEmpty ?? true }.map(\.0) == [], "\(language)")
    }
  }

  @Test("A text has the same places to fill in, in every language")
  func samePlaces() throws {
    for language in Self.languages {
      for (one, other) in zip(try Self.catalogue("en"), try Self.catalogue(language)) {
        let places = try [one, other].map {
          Set(try Self.captures(#"\{(\w+)\}"#, in: $0.1.text ?? ""))
        }
        #expect(places[0] == places[1], "\(one.0) in \(language)")
      }
    }
  }

  @Test("Every key that is asked for is there, and every key is asked for")
  func usedKeys() throws {
    let known = Set(try Self.catalogue("en").map(\.0))
    let asked = try Self.keysAsked()
    #expect(asked.count > 100)
    #expect(asked.subtracting(known).sorted() == [])
    // Lists that are looked up by a name from elsewhere: word("state", …).
    var lists: Set<String> = ["alarms.do-"]
    for name in try Self.modules() {
      lists.formUnion(
        try Self.captures(#"word\("([a-z-]+)""#, in: try Self.text(name)).map { $0 + "." })
    }
    let unused = known.subtracting(asked).filter { key in !lists.contains { key.hasPrefix($0) } }
    #expect(unused.sorted() == [])
  }

  @Test("States, priorities, losses, anomalies and qualities all have a word")
  func words() async throws {
    let known = Set(try Self.catalogue("en").map(\.0))
    var needed = MachineState.allCases.map { "state.\($0.name)" }
    needed += AlarmPriority.allCases.map { "priority.\($0.rawValue)" }
    needed += AlarmState.allCases.map(\.name).filter { $0 != "normal" }.map { "alarm-state.\($0)" }
    needed += Anomaly.Kind.allCases.map { "anomaly.\($0.name)" }
    let qualities = Quality(rawValue: 0xFE).text.split { " (),".contains($0) }
    needed += (qualities + ["good", "uncertain", "bad"]).map { "quality.\($0)" }
    try await Bench.run { [needed] bench in
      var needed = needed
      let span = "from=1795248000&to=1795248601"
      let answer = try await bench.get("/api/v1/industry40/oee?machine=press1&\(span)").json
      let steps = answer["result"]?["waterfall"]?["steps"]?.elements ?? []
      #expect(steps.count > 2)
      needed += steps.compactMap { $0["step"]?.text }.map { "step.\($0)" }
      let health = try await bench.get("/health").json
      needed += (health["checks"]?.members ?? []).map { "check.\($0.0)" }
      #expect(Set(needed).subtracting(known).sorted() == [])
    }
  }

  @Test("Nothing leads to an address elsewhere, and nothing from outside becomes markup")
  func ownAddressesAlone() throws {
    for name in try Self.files() {
      var text = try Self.text(name)
      for namespace in Self.namespaces { text = text.replacing(namespace, with: "") }
      #expect(!text.contains("http://") && !text.contains("https://"), "\(name)")
      #expect(!text.contains(#"="//"#) && !text.contains("url(//"), "\(name)")
      for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
        #expect(!text.contains(way), "\(name) uses \(way)")
      }
    }
  }

  @Test("Every element that a module looks for is in the page, once")
  func elements() throws {
    let present = try Self.captures(#" id="([^"]+)""#, in: try Self.text("index.html"))
    #expect(Set(present).count == present.count)
    for name in try Self.modules() {
      let wanted = try Self.captures(#"element\("([^"]+)"\)"#, in: try Self.text(name))
      #expect(Set(wanted).subtracting(present).sorted() == [], "\(name)")
    }
  }

  @Test(
    "Every file that a page or module refers to is served, with the policy that lets nothing else in"
  )
  func served() async throws {
    var paths: Set<String> = ["/"]
    for name in try Self.files() {
      let text = try Self.text(name)
      for path in try Self.captures(#""(/assets/[^"$]+)""#, in: text) { paths.insert(path) }
      guard name.hasPrefix("dashboard/") else { continue }
      for module in try Self.captures(#"from "\./([^"]+)""#, in: text) {
        paths.insert("/assets/dashboard/" + module)
      }
    }
    for language in Self.languages { paths.insert("/assets/texts/\(language).json") }
    #expect(paths.count > 20)
    let library = FileManager.default.fileExists(
      atPath: Site.libraryDirectory + "/" + Site.libraryFiles[0])
    try await Bench.run { [paths] bench in
      for path in paths.sorted() {
        let answer = try await bench.get(path)
        if path.contains("/dygraph."), !library {
          #expect(answer.status == 404 && answer.text.contains("libjs-dygraphs"))
          continue
        }
        #expect(answer.status == 200, "\(path): \(answer.text.prefix(200))")
        let policy = answer.headers[.contentPolicy] ?? ""
        #expect(policy.hasPrefix("default-src 'self'") && !policy.contains("unsafe"), "\(path)")
      }
    }
  }

  @Test("Each language is offered by name, and no catalogue lies unused")
  func offered() throws {
    let texts = try Self.text("dashboard/texts.js")
    let files = try FileManager.default.contentsOfDirectory(atPath: Bench.resources + "/texts")
    #expect(files.sorted() == Self.languages.map { $0 + ".json" }.sorted())
    for language in Self.languages {
      #expect(
        texts.contains("\(language): \"") || texts.contains("\"\(language)\": \""), "\(language)")
    }
  }

  @Test(
    "Without the library of charts the answer says what to install; with it both files are served")
  func library() throws {
    let directory = Bench.temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let without = Site(directory: Bench.resources, libraryDirectory: directory)
    #expect {
      try without.reply("dygraph.min.js", ifNoneMatch: nil)
    } throws: { error in
      (error as? Problem)?.detail.contains("apt install libjs-dygraphs") == true
    }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for name in Site.libraryFiles {
      try Data("/* \(name) */".utf8).write(to: URL(filePath: directory + "/" + name))
    }
    let with = Site(directory: Bench.resources, libraryDirectory: directory)
    for name in Site.libraryFiles {
      #expect(try with.reply(name, ifNoneMatch: nil).status == .ok)
    }
  }
}
