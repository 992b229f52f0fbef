/// Reads the group `notices` of the configuration, beside the environment.
struct NoticeValues {
  /// What it says.
  let settings: NoticeSettings
  /// What is wrong with environment variables, each as a sentence.
  let warnings: [String]

  private static let pathWords = "the path of a file"
  private static let webWords = "an address that begins with https:// or http://"

  /// - Parameter map: the group; when it is nil, the environment alone holds.
  /// - Parameter variables: the names of all variables that are set.
  init(_ map: SettingsMap?, variables: [String], environment: (String) -> String?) {
    let map = map ?? SettingsMap(nil, path: "notices") { _ in }
    var warnings = Self.unknown(variables)
    let isSet = { (name: EnvironmentName) in environment(name.rawValue) != nil }
    let ping = map.group("ping")
    let target = Self.target(in: ping, variable: .pingAddress, isSet: isSet)
    ping?.map.reportUnknown()
    settings = NoticeSettings(
      ping: target, webhook: Self.webhook(map.group("webhook"), isSet: isSet),
      email: Self.email(map.group("email"), environment: environment, warnings: &warnings),
      commands: Self.commands(map.map("commands")), environment: Self.word(environment, warnings: &warnings))
    self.warnings = warnings
    map.reportUnknown()
  }

  private static func unknown(_ variables: [String]) -> [String] {
    let known = EnvironmentName.allCases.map(\.rawValue)
    return variables.filter { $0.hasPrefix("NOTIFICATION_") && !known.contains($0) }.sorted().map {
      "\($0) is set, and hrp does not know it"
    }
  }

  private static func word(_ environment: (String) -> String?, warnings: inout [String]) -> Setting<String>? {
    let name = EnvironmentName.environment.rawValue
    guard let value = environment(name) else { return nil }
    guard value.count <= 64, value.unicodeScalars.allSatisfy({ $0.value > 0x20 && !(0x7F...0x9F).contains($0.value) })
    else {
      warnings.append("\(name) is no word of at most 64 characters: it is left out")
      return nil
    }
    return Setting(value, from: .environment(name))
  }

  // MARK: - Servers

  /// The address that `url`, `url_file` or a variable names; nil when none does.
  private static func target(
    in group: (map: SettingsMap, line: Int)?, variable: EnvironmentName, isSet: (EnvironmentName) -> Bool
  ) -> Setting<NoticeSettings.Target>? {
    let written = group?.map.value("url", allowed: webWords, isSecret: true) { NoticeAddress($0, protocols: .web) }
    let file = group.flatMap { path("url_file", in: $0.map) }
    if let group, let written, let file {
      group.map.note(
        "\(group.map.full("url")) and \(group.map.full("url_file")) stand together: which one holds?",
        line: max(written.line, file.line))
    }
    if let group, let written, written.value.holdsSecret {
      group.map.note(
        "\(group.map.full("url")) holds a user, a password or a key: a secret belongs into url_file",
        line: written.line)
    }
    if isSet(variable) {
      let name = variable.rawValue
      return Setting(.secret(.environment(name)), from: .environment(name))
    }
    if let group, !group.map.has("url"), !group.map.has("url_file") {
      group.map.note("\(group.map.path) has neither url nor url_file", line: group.line)
    }
    return file.map { Setting(.secret(.file($0.value)), from: .file(line: $0.line)) }
      ?? written.map { Setting(.address($0.value), from: .file(line: $0.line)) }
  }

  private static func path(_ key: String, in map: SettingsMap) -> (value: String, line: Int)? {
    map.value(key, allowed: pathWords) { $0.isEmpty || $0.contains("\0") ? nil : $0 }
  }

  private static func webhook(
    _ group: (map: SettingsMap, line: Int)?, isSet: (EnvironmentName) -> Bool
  ) -> NoticeSettings.Webhook? {
    let target = target(in: group, variable: .webhookAddress, isSet: isSet)
    let file = group.flatMap { path("token_file", in: $0.map) }
    group?.map.reportUnknown()
    return target.map {
      NoticeSettings.Webhook(target: $0, token: secret(.webhookToken, isSet: isSet, file: file))
    }
  }

  /// Where a secret stands: the variable, else the file.
  private static func secret(
    _ variable: EnvironmentName, isSet: (EnvironmentName) -> Bool, file: (value: String, line: Int)?
  ) -> Setting<SecretSource>? {
    let name = variable.rawValue
    if isSet(variable) { return Setting(.environment(name), from: .environment(name)) }
    return file.map { Setting(.file($0.value), from: .file(line: $0.line)) }
  }

  // MARK: - E-mail

  private static func email(
    _ group: (map: SettingsMap, line: Int)?, environment: (String) -> String?, warnings: inout [String]
  ) -> NoticeSettings.Email? {
    let listed = group?.map.values("to", allowed: "\(EmailAddress.allowed), or a list of them") { EmailAddress($0) }
    let named = group?.map.value("from", allowed: EmailAddress.allowed) { EmailAddress($0) }
    let server = group.flatMap { mailServer($0, environment: environment) }
    group?.map.reportUnknown()
    let receivers: Setting<[EmailAddress]>
    if let listed, let first = listed.first {
      receivers = Setting(listed.map(\.value), from: .file(line: first.line))
    } else if let found = addresses(.mailReceiver, in: environment, warnings: &warnings) {
      receivers = found
    } else {
      if let group, !group.map.has("to") || listed?.isEmpty == true {
        group.map.note("\(group.map.full("to")) names nobody: who gets the e-mail?", line: group.line)
      }
      return nil
    }
    let sender =
      named.map { Setting($0.value, from: .file(line: $0.line)) }
      ?? addresses(.mailSender, in: environment, warnings: &warnings).flatMap { setting in
        setting.value.first.map { Setting($0, from: setting.source) }
      }
      ?? receivers.value.first.map { Setting($0, from: .standard) }
    guard let sender else { return nil }
    return NoticeSettings.Email(receivers: receivers, sender: sender, route: route(server, environment: environment))
  }

  private static func route(
    _ server: (value: NoticeSettings.MailServer, line: Int)?, environment: (String) -> String?
  ) -> Setting<NoticeSettings.Route> {
    if let server { return Setting(.smtp(server.value), from: .file(line: server.line)) }
    let key = EnvironmentName.resendKey.rawValue
    if environment(key) != nil { return Setting(.resend(.environment(key)), from: .environment(key)) }
    return Setting(.sendmail, from: .standard)
  }

  private static func addresses(
    _ variable: EnvironmentName, in environment: (String) -> String?, warnings: inout [String]
  ) -> Setting<[EmailAddress]>? {
    let name = variable.rawValue
    guard let text = environment(name) else { return nil }
    if let found = EmailAddress.list(text) { return Setting(found, from: .environment(name)) }
    warnings.append("\(name) is '\(text)', which is not \(EmailAddress.allowed)")
    return nil
  }

  private static func mailServer(
    _ group: (map: SettingsMap, line: Int), environment: (String) -> String?
  ) -> (value: NoticeSettings.MailServer, line: Int)? {
    let map = group.map
    let address = map.value("smtp", allowed: "an address that begins with smtps:// or smtp://", isSecret: true) {
      NoticeAddress($0, protocols: .mail)
    }
    let user = map.value("user", allowed: "a name without a colon") { text in
      text.isEmpty || text.contains(":") || !SecretFile.isPlain(text) ? nil : text
    }
    let file = path("password_file", in: map)
    let tls = map.value("tls", allowed: "required or optional") { ["required": true, "optional": false][$0] }
    if let address, address.value.holdsSecret {
      map.note(
        "\(map.full("smtp")) holds a user or a password: the password belongs into password_file", line: address.line)
    }
    if !map.has("smtp"), let line = user?.line ?? file?.line ?? tls?.line {
      map.note("\(map.full("smtp")) is missing: user, password_file and tls are for a server", line: line)
    }
    let password = secret(.mailPassword, isSet: { environment($0.rawValue) != nil }, file: file)
    if let user, password == nil, !map.has("password_file") {
      map.note("\(map.full("password_file")) is missing: \(map.full("user")) needs a password", line: user.line)
    }
    if let file, !map.has("user") {
      map.note("\(map.full("user")) is missing: whose password is it?", line: file.line)
    }
    let login = user.flatMap { user in
      password.map { NoticeSettings.Login(user: Setting(user.value, from: .file(line: user.line)), password: $0) }
    }
    return address.map {
      (
        NoticeSettings.MailServer(address: $0.value, login: login, requiresTLS: .first(file: tls, standard: true)),
        $0.line
      )
    }
  }

  // MARK: - Commands

  private static func commands(_ map: SettingsMap?) -> [HookMoment: Setting<String>] {
    var commands: [HookMoment: Setting<String>] = [:]
    for moment in HookMoment.allCases {
      let found = map?.value(moment.rawValue, allowed: "a command for /bin/sh") { $0.contains("\0") ? nil : $0 }
      // An empty command is none.
      guard let found, !found.value.isEmpty else { continue }
      commands[moment] = Setting(found.value, from: .file(line: found.line))
    }
    map?.reportUnknown()
    return commands
  }
}
