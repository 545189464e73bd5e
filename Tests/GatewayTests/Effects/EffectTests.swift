import Telemetry
import Testing

@testable import Gateway

@Suite("Effects as events name them")
struct EffectTests {
  private func effect(_ json: String) throws -> Effect {
    try Effect(JSONReader.read(Array(json.utf8)), root: "millwright/test/")
  }

  private func refusal(_ json: String) -> String {
    do {
      _ = try effect(json)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test("A message goes under our root, or where a slash at the beginning says")
  func topics() throws {
    let own = try effect(#"{"kind":"mqtt","topic":"alarm/a","payload":"x"}"#)
    guard case .message(let message) = own else { return #expect(Bool(false)) }
    #expect(message.topic == "millwright/test/alarm/a")
    #expect(message.qos == 1 && !message.isRetained && !message.isState)
    let other = try effect(
      #"{"kind":"mqtt","topic":"/plant/a","payload":"","qos":0,"retain":true}"#)
    guard case .message(let message) = other else { return #expect(Bool(false)) }
    #expect(message.topic == "plant/a" && message.qos == 0)
    #expect(message.isRetained && message.isState && message.payload == "")
  }

  @Test("A payload that is no text is sent as its JSON")
  func payload() throws {
    let effect = try effect(#"{"kind":"mqtt","topic":"a","payload":{"v":[1,2.50]}}"#)
    guard case .message(let message) = effect else { return #expect(Bool(false)) }
    #expect(message.payload == #"{"v":[1,2.50]}"#)
  }

  @Test(
    "A webhook is told apart by host and port",
    arguments: [
      ("https://Hooks.example.com/a?b=c", "hooks.example.com"),
      ("https://hooks.example.com:443/", "hooks.example.com"),
      ("http://10.0.0.7:1880/alarm", "10.0.0.7:1880"),
    ])
  func hosts(url: String, target: String) throws {
    let effect = try effect(#"{"kind":"webhook","url":"\#(url)","body":{"a":1}}"#)
    guard case .webhook(let webhook) = effect else { return #expect(Bool(false)) }
    #expect(webhook.target == target)
    #expect(webhook.body == #"{"a":1}"#)
  }

  @Test("The Slack form takes a text or a body with one")
  func slack() throws {
    for body in [#""hot""#, #"{"text":"hot"}"#] {
      let effect = try effect(
        #"{"kind":"webhook","url":"https://h/x","format":"slack","body":\#(body)}"#)
      guard case .webhook(let webhook) = effect else { return #expect(Bool(false)) }
      #expect(webhook.body == #"{"text":"hot"}"#)
    }
  }

  @Test("A line end in a subject begins no header")
  func subject() throws {
    let effect = try effect(
      #"{"kind":"email","to":["a@b.example"],"subject":"x\r\nBcc: evil@b","body":""}"#)
    guard case .email(let email) = effect else { return #expect(Bool(false)) }
    #expect(email.subject == "x Bcc: evil@b")
  }

  @Test(
    "What does not fit is refused with a sentence",
    arguments: [
      ("[]", "an effect is a JSON object"),
      ("{}", "`kind` is missing"),
      (#"{"kind":"fax"}"#, "the kind `fax` is none of mqtt, webhook, email, log"),
      (#"{"kind":"mqtt","payload":""}"#, "`topic` is missing"),
      (#"{"kind":"mqtt","topic":"a/#","payload":""}"#, "`a/#` is no topic to publish on"),
      (#"{"kind":"mqtt","topic":"/","payload":""}"#, "`/` is no topic to publish on"),
      (#"{"kind":"mqtt","topic":"a"}"#, "`payload` is missing; an empty text clears a topic"),
      (#"{"kind":"mqtt","topic":"a","payload":"","qos":2}"#, "`qos` is 0 or 1"),
      (#"{"kind":"mqtt","topic":"a","payload":"","retain":1}"#, "`retain` is true or false"),
      (
        #"{"kind":"mqtt","topic":"a","payload":"","expires":"soon"}"#,
        "`expires` is a time such as 2026-05-01T12:00:00Z"
      ),
      (
        #"{"kind":"webhook","url":"ftp://h/"}"#,
        "`url` begins with https:// or http:// and has a host"
      ),
      (
        #"{"kind":"webhook","url":"https://me:secret@h/"}"#,
        "`url` holds no user name and no password; name a credential instead"
      ),
      (
        #"{"kind":"webhook","url":"https://h/","credential":"../etc"}"#,
        "a credential is named by letters, digits, `-`, `_` and `.`"
      ),
      (#"{"kind":"webhook","url":"https://h/","format":"xml"}"#, "`format` is json or slack"),
      (#"{"kind":"email","to":[],"subject":"","body":""}"#, "`to` is a list of 1 to 50 addresses"),
      (
        #"{"kind":"email","to":["a@b>,<c@d"],"subject":"","body":""}"#,
        "`a@b>,<c@d` is no mail address"
      ),
      (#"{"kind":"log","text":5}"#, "`text` is a text"),
      (#"{"kind":"log","level":"loud","text":""}"#, "`level` is info, warning or error"),
    ])
  func refusals(json: String, sentence: String) {
    #expect(refusal(json) == sentence)
  }
}
