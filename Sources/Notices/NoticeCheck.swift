package import Files
package import Settings
package import SystemPackage

/// Something that keeps notices from arriving, and what to do about it.
package struct NoticeProblem: Equatable, Sendable {
  /// What is wrong, as a clause.
  package let message: String
  /// What to do: a sentence or a command.
  package let remedy: String
}

/// What is wrong with the notices as they are configured; nothing is sent.
package enum NoticeCheck {
  /// Looks for the programs that send, and at the files with secrets.
  /// - Parameter programs: those that send; nil: those on `PATH`.
  package static func problems(
    _ settings: NoticeSettings, dataDirectory: FilePath, files: any FileSystem, programs: NoticePrograms? = nil
  ) -> [NoticeProblem] {
    let programs = programs ?? NoticePrograms(files: files)
    var problems: [NoticeProblem] = []
    let users = usersOfCurl(settings)
    if programs.curl == nil, !users.isEmpty {
      problems.append(
        NoticeProblem(
          message: "there is no curl on PATH, which is needed for \(users.joined(separator: ", "))",
          remedy: "Install curl, such as with apt install curl."))
    }
    if case .sendmail? = settings.email?.route.value, programs.sendmail == nil {
      problems.append(
        NoticeProblem(
          message: "there is no sendmail on this machine, and notices.email names no server",
          remedy: "Set notices.email.smtp, or install a mail program such as msmtp-mta."))
    }
    if let webhook = settings.webhook, webhook.token != nil, case .address(let address) = webhook.target.value,
      address.scheme == "http", !isThisMachine(address)
    {
      problems.append(
        NoticeProblem(
          message: "the token of notices.webhook goes to \(address.host) without encryption",
          remedy: "Use an address that begins with https://."))
    }
    for source in secrets(settings) {
      do throws(SecretError) {
        _ = try source.read(dataDirectory: dataDirectory, files: files)
      } catch {
        problems.append(NoticeProblem(message: error.message, remedy: error.remedy))
      }
    }
    return problems
  }

  private static func isThisMachine(_ address: NoticeAddress) -> Bool {
    ["localhost", "127.0.0.1", "[::1]"].contains { address.host == $0 || address.host.hasPrefix($0 + ":") }
  }

  private static func usersOfCurl(_ settings: NoticeSettings) -> [String] {
    var users: [String] = []
    if settings.ping != nil { users.append("notices.ping") }
    if settings.webhook != nil { users.append("notices.webhook") }
    switch settings.email?.route.value {
    case .smtp, .resend: users.append("notices.email")
    case .sendmail, nil: break
    }
    return users
  }

  private static func secrets(_ settings: NoticeSettings) -> [SecretSource] {
    var sources: [SecretSource] = []
    for target in [settings.ping?.value, settings.webhook?.target.value] {
      if case .secret(let source)? = target { sources.append(source) }
    }
    if let token = settings.webhook?.token { sources.append(token.value) }
    switch settings.email?.route.value {
    case .smtp(let server): if let login = server.login { sources.append(login.password.value) }
    case .resend(let key): sources.append(key)
    case .sendmail, nil: break
    }
    return sources
  }
}
