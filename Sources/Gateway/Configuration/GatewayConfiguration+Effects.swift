import Devices

extension GatewayConfigurationReading {
  /// The parts `effects` and `smtp`.
  func readEffects(_ map: YAMLMap, into configuration: inout GatewayConfiguration) {
    if let effects = map.optional("effects", .map) { read(effects, into: &configuration.effects) }
    if let smtp = map.optional("smtp", .map) { configuration.smtp = readSMTP(smtp) }
  }

  private func read(_ map: YAMLMap, into effects: inout EffectSettings) {
    if let span = map.optional("max_age", .duration) {
      if span < .seconds(60) {
        map.value("max_age")?.report("an age below 1 min leaves no time to try again")
      }
      effects.ageSecondsMax = span.components.seconds
    }
    if let hosts = map.optional("webhook_hosts", .list(of: .webhookHost)) {
      effects.webhookHosts = hosts
    }
    if let count = map.optional("concurrency", .int(in: 1...64)) { effects.concurrency = count }
    map.refuseUnknownKeys()
  }

  private func readSMTP(_ map: YAMLMap) -> SMTPSettings? {
    let host = map.required("host", .name())
    let security = map.optional("security", YAMLType<SMTPSettings.Security>.choice) ?? .starttls
    let port = map.optional("port", .int(in: 1...65_535))
    let from = map.required("from", .mailAddress)
    let username = map.optional("username", .name())
    let password = map.value("password_file").flatMap(secret)
    if let username, security == .none, password != nil {
      map.value("security")?.report(
        "the password of `\(username)` would go over the network in the clear", severity: .warning)
    }
    if map.value("password_file") != nil, username == nil {
      map.value("password_file")?.report("a password needs a `username`")
    }
    map.refuseUnknownKeys()
    guard let host, let from else { return nil }
    return SMTPSettings(
      host: host, port: port, from: from, username: username, password: password,
      security: security)
  }
}

extension YAMLType where Value == String {
  fileprivate static var mailAddress: YAMLType {
    name(bytesMax: 254).map { text, value in
      if EmailEffect.isAddress(text) { return text }
      value.report("`\(text)` is no mail address")
      return nil
    }
  }

  /// `host`, `host:port` or `*.domain`, in lower case.
  fileprivate static var webhookHost: YAMLType {
    name(bytesMax: 255).map { text, value in
      let host = text.lowercased()
      if !host.contains(where: { "/@ ".contains($0) }) { return host }
      value.report("`\(text)` is no host; without scheme and path, such as `hooks.example.com`")
      return nil
    }
  }
}
