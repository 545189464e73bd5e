import Logging
import MQTT

/// The ways out of the box.
struct EffectSenders: Sendable {
  /// `nil`: there is no broker.
  var publisher: Publisher?
  var webhooks: WebhookSender
  /// `nil`: there is no SMTP server.
  var mail: MailSender?
  var gatewayID: String
  var logger: Logger

  init(_ configuration: GatewayConfiguration, publisher: Publisher?, logger: Logger) {
    self.publisher = publisher
    self.logger = logger
    gatewayID = configuration.gatewayID
    webhooks = WebhookSender(
      settings: configuration.effects, credentials: configuration.credentials)
    mail = configuration.smtp.map {
      MailSender(settings: $0, gatewayID: configuration.gatewayID)
    }
  }

  var isBrokerThere: Bool { publisher?.isConnected ?? true }

  /// Sends once; `whenDone` is told once, on any thread, maybe before this returns.
  func send(
    _ delivery: EffectDelivery, at now: DeliveryMoment,
    whenDone: @escaping @Sendable (DeliveryOutcome) -> Void
  ) {
    switch delivery.effect {
    case nil: whenDone(.refused(delivery.problem))
    case .message(let message)?: publish(message, whenDone)
    case .webhook(let webhook)?:
      webhooks.send(webhook, id: delivery.id, now: now.wall, whenDone: whenDone)
    case .email(let email)?:
      guard let mail else { return whenDone(.refused("there is no `smtp` in millwright.yaml")) }
      mail.send(email, id: delivery.id, now: now.wall, whenDone: whenDone)
    case .log(let log)?:
      logger.log(
        level: log.level.loggerLevel, "\(log.text)", metadata: ["event": "\(delivery.eventID)"])
      whenDone(.delivered())
    }
  }

  private func publish(
    _ message: MessageEffect, _ whenDone: @escaping @Sendable (DeliveryOutcome) -> Void
  ) {
    guard let publisher else { return whenDone(.refused("there is no `mqtt` in millwright.yaml")) }
    let payload = Array(message.payload.utf8)
    let origin = Array(message.topic.utf8).withUnsafeBytes { topic in
      payload.withUnsafeBytes { OwnTopics.origin(gatewayID, topic, $0) }
    }
    publisher.publish(
      topic: message.topic, payload: payload, qos: message.qos, isRetained: message.isRetained,
      origin: origin
    ) { fate in
      switch fate {
      case .acknowledged: whenDone(.delivered())
      case .refused(let reason): whenDone(.refused(reason))
      case .lost: whenDone(.lost)
      }
    }
  }
}

extension LogEffect.Level {
  fileprivate var loggerLevel: Logger.Level {
    switch self {
    case .info: .info
    case .warning: .warning
    case .error: .error
    }
  }
}
