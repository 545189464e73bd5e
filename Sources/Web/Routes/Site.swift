import Foundation
import Gateway
import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry

/// The files that people see: dashboard, docs and the OpenAPI text. Read once, at start.
///
/// They lie in one directory: pages in it, and modules, styles and texts also in folders of it. The library
/// that draws charts is Debian's, see docs/decisions/0017.
struct Site: Sendable {
  struct File: Sendable {
    var content: ByteBuffer
    var type: String
    var tag: String
  }

  /// By name, or by folder, slash and name.
  private var files: [String: File] = [:]

  /// What /assets offers of dygraphs, when the package is installed.
  static let libraryFiles = ["dygraph.min.js", "dygraph.min.css"]
  /// Where libjs-dygraphs of Debian puts it.
  static let libraryDirectory = "/usr/share/javascript/dygraphs"

  /// Beside the executable, where `swift build` puts it, else where a Debian package does: for
  /// /usr/bin/millwright that is /usr/share/millwright/site.
  static var standardDirectory: String {
    // Without /proc the site has no files and its paths answer 404.
    let executable =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let folder = (executable as NSString).deletingLastPathComponent
    let beside = folder + "/millwright_Web.resources/Resources"
    return FileManager.default.fileExists(atPath: beside)
      ? beside : (folder as NSString).deletingLastPathComponent + "/share/millwright/site"
  }

  private static let types = [
    "css": "text/css; charset=utf-8", "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8", "json": "application/json",
    "svg": "image/svg+xml",
  ]

  /// A directory that is not there gives a site without files; its paths answer 404. Without the library the
  /// page says what to install.
  init(directory: String, libraryDirectory: String = Site.libraryDirectory) {
    let fileManager = FileManager.default
    for name in (try? fileManager.contentsOfDirectory(atPath: directory)) ?? [] {
      let path = directory + "/" + name
      add(path, as: name)
      // Files have no contents of their own in this sense.
      for inner in (try? fileManager.contentsOfDirectory(atPath: path)) ?? [] {
        add(path + "/" + inner, as: name + "/" + inner)
      }
    }
    for name in Site.libraryFiles { add(libraryDirectory + "/" + name, as: name) }
  }

  private mutating func add(_ path: String, as name: String) {
    guard let type = Site.types[(name as NSString).pathExtension],
      let data = FileManager.default.contents(atPath: path)
    else { return }
    let bytes = [UInt8](data)
    files[name] = File(
      content: ByteBuffer(bytes: bytes), type: type,
      tag: "\"" + String(Hash64.hash(bytes), radix: 16) + "\"")
  }

  func reply(_ name: String, ifNoneMatch known: String?) throws(Problem) -> Reply {
    guard let file = files[name] else {
      guard !Site.libraryFiles.contains(name) else {
        throw .notFound(
          "charts are drawn by dygraphs, which is not installed: run `apt install libjs-dygraphs`, "
            + "then start the gateway again")
      }
      throw .notFound(
        "the file `\(name)` of the site is not there; it belongs into millwright_Web.resources beside "
          + "the executable, or into share/millwright/site of its installation")
    }
    var headers: HTTPFields = [.eTag: file.tag, .cacheControl: "no-cache"]
    headers[.contentPolicy] = "default-src 'self'; frame-ancestors 'none'"
    headers[.referrerPolicy] = "no-referrer"
    var reply = Reply(contentType: file.type, buffer: file.content)
    if known == file.tag { reply = Reply(status: .notModified) }
    for field in headers { reply.headers[field.name] = field.value }
    return reply
  }
}

extension RouteTable {
  var siteRoutes: [Route] {
    [
      page("/", "index.html"), page("/docs", "docs.html"), page("/openapi.json", "openapi.json"),
      Route(.get, "/assets/{name}", scope: nil) { call in
        try site.reply(call.part("name"), ifNoneMatch: call.headers[.ifNoneMatch])
      },
      Route(.get, "/assets/{name}/{file}", scope: nil) { call in
        try site.reply(
          call.part("name") + "/" + call.part("file"), ifNoneMatch: call.headers[.ifNoneMatch])
      },
    ]
  }

  private func page(_ path: String, _ file: String) -> Route {
    Route(.get, path, scope: nil) { call in
      try site.reply(file, ifNoneMatch: call.headers[.ifNoneMatch])
    }
  }
}
