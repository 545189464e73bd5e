import CLinux
import Glibc

/// The system's libcurl, for SMTP, opened when the first mail leaves.
///
/// It is not linked: with it come some thirty libraries (LDAP, SSH, Kerberos …), which take 6 MB of resident
/// memory, 1.2 MB of them our own, from every gateway, and few send mail. Numbers of options are part of
/// libcurl's stable ABI (curl/curl.h); any libcurl.so.4 since 7.62 has them all.
struct CurlLibrary: @unchecked Sendable {  // Addresses of functions; fixed once found.
  enum Option: Int32 {
    case url = 10_002
    case errorBuffer = 10_010
    case timeoutSeconds = 13
    case readFunction = 20_012
    case readData = 10_009
    case noProgress = 43
    case upload = 46
    case lowSpeedLimit = 19
    case connectTimeoutSeconds = 78
    case noSignal = 99
    case useTLS = 119
    case username = 10_173
    case password = 10_174
    case mailFrom = 10_186
    case mailRecipients = 10_187
    case progressFunction = 20_219
    case progressData = 10_057
    case authority = 10_065
  }

  static let responseCode: Int32 = 0x20_0002
  /// CURLUSESSL_ALL: without TLS nothing is sent.
  static let requireTLS = 3
  static let loginDenied: Int32 = 67

  typealias Reader =
    @convention(c) (
      UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?
    ) -> Int
  typealias Progress =
    @convention(c) (UnsafeMutableRawPointer?, Int64, Int64, Int64, Int64) -> Int32

  private let set: UnsafeMutableRawPointer
  private let get: UnsafeMutableRawPointer
  let makeHandle: @convention(c) () -> UnsafeMutableRawPointer?
  let perform: @convention(c) (UnsafeMutableRawPointer) -> Int32
  let freeHandle: @convention(c) (UnsafeMutableRawPointer) -> Void
  let appendToList:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>) -> UnsafeMutableRawPointer?
  let freeList: @convention(c) (UnsafeMutableRawPointer?) -> Void
  let describe: @convention(c) (Int32) -> UnsafePointer<CChar>

  /// - Throws: `EffectRefusal` with what to install.
  init() throws(EffectRefusal) {
    guard let library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL) else {
      throw EffectRefusal("libcurl.so.4 is not there: install the package libcurl4")
    }
    func find(_ name: String) throws(EffectRefusal) -> UnsafeMutableRawPointer {
      guard let address = dlsym(library, name) else {
        throw EffectRefusal("libcurl.so.4 has no `\(name)`: it is too old")
      }
      return address
    }
    set = try find("curl_easy_setopt")
    get = try find("curl_easy_getinfo")
    makeHandle = unsafeBitCast(try find("curl_easy_init"), to: type(of: makeHandle))
    perform = unsafeBitCast(try find("curl_easy_perform"), to: type(of: perform))
    freeHandle = unsafeBitCast(try find("curl_easy_cleanup"), to: type(of: freeHandle))
    appendToList = unsafeBitCast(try find("curl_slist_append"), to: type(of: appendToList))
    freeList = unsafeBitCast(try find("curl_slist_free_all"), to: type(of: freeList))
    describe = unsafeBitCast(try find("curl_easy_strerror"), to: type(of: describe))
    typealias Begin = @convention(c) (Int) -> Int32
    let begin = unsafeBitCast(try find("curl_global_init"), to: Begin.self)
    // CURL_GLOBAL_DEFAULT
    guard begin(3) == 0 else { throw EffectRefusal("libcurl could not be initialised") }
  }

  func set(_ handle: UnsafeMutableRawPointer, _ option: Option, _ value: Int) {
    _ = millwright_set_number(set, handle, option.rawValue, value)
  }

  /// libcurl copies texts.
  func set(_ handle: UnsafeMutableRawPointer, _ option: Option, _ value: String) {
    _ = value.withCString { millwright_set_address(set, handle, option.rawValue, $0) }
  }

  func set(
    _ handle: UnsafeMutableRawPointer, _ option: Option, address: UnsafeRawPointer?
  ) {
    _ = millwright_set_address(set, handle, option.rawValue, address)
  }

  /// The last code the server answered with; 0: none.
  func responseCode(_ handle: UnsafeMutableRawPointer) -> Int {
    var code = 0
    _ = millwright_get_number(get, handle, Self.responseCode, &code)
    return code
  }
}
