internal import Settings

extension ConfigurationReport {
  /// Who is told what; addresses with scheme and host only, secrets by the place where they stand.
  static func rows(of notices: NoticeSettings) -> [Row] {
    var rows: [Row] = []
    if let ping = notices.ping { rows.append(row("ping", of: ping)) }
    if let webhook = notices.webhook {
      rows.append(row("webhook", of: webhook.target))
      if let token = webhook.token { rows.append(row("webhook.token_file", of: token)) }
    }
    if let email = notices.email { rows += self.rows(of: email) }
    for moment in HookMoment.allCases {
      guard let command = notices.commands[moment] else { continue }
      rows.append(
        Row(key: "notices.commands.\(moment.rawValue)", value: command.value, source: command.source.words))
    }
    if rows.isEmpty { rows = [Row(key: "notices", value: "", source: SettingSource.standard.words)] }
    if let environment = notices.environment {
      rows.append(Row(key: "notices.environment", value: environment.value, source: environment.source.words))
    }
    return rows
  }

  private static func rows(of email: NoticeSettings.Email) -> [Row] {
    let receivers = email.receivers.value.map(\.text).joined(separator: ", ")
    var rows = [
      Row(key: "notices.email.to", value: receivers, source: email.receivers.source.words),
      Row(key: "notices.email.from", value: email.sender.value.text, source: email.sender.source.words),
    ]
    let source = email.route.source.words
    switch email.route.value {
    case .sendmail: rows.append(Row(key: "notices.email.smtp", value: "sendmail", source: source))
    case .resend: rows.append(Row(key: "notices.email.smtp", value: "Resend", source: source))
    case .smtp(let server):
      rows.append(Row(key: "notices.email.smtp", value: "\(server.address)", source: source))
      rows.append(
        Row(
          key: "notices.email.tls", value: server.requiresTLS.value ? "required" : "optional",
          source: server.requiresTLS.source.words))
      guard let login = server.login else { return rows }
      rows.append(Row(key: "notices.email.user", value: login.user.value, source: login.user.source.words))
      rows.append(row("email.password_file", of: login.password))
    }
    return rows
  }

  private static func row(_ key: String, of target: Setting<NoticeSettings.Target>) -> Row {
    switch target.value {
    case .address(let address):
      Row(key: "notices.\(key).url", value: "\(address)", source: target.source.words)
    case .secret(let source):
      row("\(key).url_file", of: Setting(source, from: target.source))
    }
  }

  /// A secret: the file as it is written, or that a variable has it.
  private static func row(_ key: String, of secret: Setting<SecretSource>) -> Row {
    switch secret.value {
    case .file(let path): Row(key: "notices.\(key)", value: path, source: secret.source.words)
    case .environment:
      Row(
        key: "notices." + (key.hasSuffix("_file") ? String(key.dropLast(5)) : key), value: "***",
        source: secret.source.words)
    }
  }
}
