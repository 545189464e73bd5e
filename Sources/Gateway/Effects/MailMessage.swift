import Telemetry

/// A mail as it goes over the wire (RFC 5322, MIME): headers, text in UTF-8 as quoted-printable, CRLF.
struct MailMessage: Sendable {
  var email: EmailEffect
  var from: String
  /// Stable over attempts: a mail server or reader shows repetitions once.
  var messageID: String
  var date: Timestamp

  var text: String {
    let headers = [
      "Date: " + Self.date(date),
      "From: <\(from)>",
      "To: " + email.to.map { "<\($0)>" }.joined(separator: ",\r\n "),
      "Subject: " + Self.encodedWords(email.subject),
      "Message-ID: <\(messageID)>",
      // RFC 3834: no automatic answers, please.
      "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: quoted-printable",
    ]
    return headers.joined(separator: "\r\n") + "\r\n\r\n" + Self.quotedPrintable(email.body)
  }

  /// The id of a delivery as the left side of a message id.
  static func messageID(delivery: String, gateway: String) -> String {
    func atom(_ text: String) -> String {
      String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "." })
    }
    let left = atom(delivery).split(separator: ".").joined(separator: ".")
    let right = atom(gateway).split(separator: ".").joined(separator: ".")
    return "\(left)@\(right.isEmpty ? "gateway" : right).millwright"
  }

  /// `Fri, 21 Nov 1997 09:55:06 +0000`.
  static func date(_ time: Timestamp) -> String {
    let seconds = time.microseconds.flooredQuotient(1_000_000)
    let days = Int(seconds.flooredQuotient(86_400))
    let rest = Int(seconds) - days * 86_400
    // RFC 3339: 2026-05-01T…
    let civil = time.rfc3339.prefix(10).split(separator: "-")
    let week = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]  // 1970-01-01 was a Thursday.
    let day = week[((days % 7) + 7) % 7]
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    let month = WebhookAnswer.months[(Int(civil[1]) ?? 1) - 1]
    return "\(day), \(civil[2]) \(month) \(civil[0]) "
      + "\(two(rest / 3_600)):\(two(rest / 60 % 60)):\(two(rest % 60)) +0000"
  }

  /// RFC 2047: text that is not plain ASCII as encoded words of at most 75 characters, none of which splits
  /// a character.
  static func encodedWords(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), text.utf8.count <= 900,
      !text.contains("=?")
    {
      return text
    }
    var words: [String] = []
    var word = ""
    for scalar in text.unicodeScalars {
      let encoded = scalar.value == 0x20 ? "_" : utf8(scalar).map(wordByte).joined()
      // `=?utf-8?q?` and `?=` take 12.
      if word.utf8.count + encoded.utf8.count > 63 {
        words.append(word)
        word = ""
      }
      word += encoded
    }
    if !word.isEmpty { words.append(word) }
    return words.map { "=?utf-8?q?\($0)?=" }.joined(separator: "\r\n ")
  }

  private static func wordByte(_ byte: UInt8) -> String {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: String(UnicodeScalar(byte))
    default: hex(byte)
    }
  }

  /// RFC 2045, 6.7: lines of at most 76 characters.
  static func quotedPrintable(_ text: String) -> String {
    let lines = text.replacing("\r\n", with: "\n").split(
      separator: "\n", omittingEmptySubsequences: false)
    return lines.map { line in
      var out = ""
      var width = 0
      let bytes = Array(line.utf8)
      for (place, byte) in bytes.enumerated() {
        let isBlank = byte == 0x20 || byte == 0x09
        let isPlain = byte != 0x3D && ((byte > 0x20 && byte < 0x7F) || isBlank)
        // A blank at the end of a line gets lost on the way.
        let encoded =
          isPlain && !(isBlank && place == bytes.count - 1)
          ? String(UnicodeScalar(byte)) : hex(byte)
        if width + encoded.utf8.count > 75 {
          out += "=\r\n"
          width = 0
        }
        out += encoded
        width += encoded.utf8.count
      }
      return out
    }.joined(separator: "\r\n") + "\r\n"
  }

  private static func utf8(_ scalar: UnicodeScalar) -> [UInt8] { Array(String(scalar).utf8) }

  private static func hex(_ byte: UInt8) -> String {
    let digits = Array("0123456789ABCDEF")
    return "=\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
  }
}
