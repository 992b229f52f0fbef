/// Who is told what became of a backup, and how: the group `notices` of the configuration.
package struct NoticeSettings: Sendable {
  /// An address that stands in the configuration, or one that is kept as a secret.
  package enum Target: Equatable, Sendable {
    case address(NoticeAddress)
    case secret(SecretSource)
  }

  /// A server that gets each notice as JSON.
  package struct Webhook: Sendable {
    package let target: Setting<Target>
    /// What is sent as `Authorization: Bearer …`; nil: nothing.
    package let token: Setting<SecretSource>?
  }

  /// Who gets e-mails, and which way they go.
  package struct Email: Sendable {
    package let receivers: Setting<[EmailAddress]>
    package let sender: Setting<EmailAddress>
    package let route: Setting<Route>

    package init(receivers: Setting<[EmailAddress]>, sender: Setting<EmailAddress>, route: Setting<Route>) {
      self.receivers = receivers
      self.sender = sender
      self.route = route
    }
  }

  /// The way of an e-mail.
  package enum Route: Sendable {
    case smtp(MailServer)
    /// The e-mail service Resend, with its key.
    case resend(SecretSource)
    /// The program of this machine.
    case sendmail
  }

  /// A server that takes e-mails.
  package struct MailServer: Sendable {
    package let address: NoticeAddress
    /// Who sends, and the password; nil: the server asks nobody.
    package let login: Login?
    /// Whether nothing is sent without encryption.
    package let requiresTLS: Setting<Bool>
  }

  /// A user of a server.
  package struct Login: Sendable {
    package let user: Setting<String>
    package let password: Setting<SecretSource>
  }

  /// The service that is pinged; nil: none.
  package let ping: Setting<Target>?
  /// The server that gets each notice as JSON; nil: none.
  package let webhook: Webhook?
  /// Who gets e-mails; nil: nobody.
  package let email: Email?
  /// The commands that are run, each for its moment.
  package let commands: [HookMoment: Setting<String>]
  /// A word that every notice carries, such as "production".
  package let environment: Setting<String>?

  package init(
    ping: Setting<Target>? = nil, webhook: Webhook? = nil, email: Email? = nil,
    commands: [HookMoment: Setting<String>] = [:], environment: Setting<String>? = nil
  ) {
    self.ping = ping
    self.webhook = webhook
    self.email = email
    self.commands = commands
    self.environment = environment
  }
}

/// When a command of the user is run, by its key in the configuration.
package enum HookMoment: String, CaseIterable, Sendable {
  /// Before a scheduled backup; when it fails, none is made.
  case beforeBackup = "before_backup"
  /// After it, whatever became of it.
  case afterBackup = "after_backup"
  case start, success, failure
}
