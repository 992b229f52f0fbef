package import Files
package import Settings
package import SystemPackage

/// Sends notices; it never stops what it tells of.
package struct NoticeSender: Sendable {
  private static let maximumTries = 3

  private let settings: NoticeSettings
  private let dataDirectory: FilePath
  private let files: any FileSystem
  private let time: any TimeSource
  private let programs: NoticePrograms
  private let resend: String

  /// - Parameter programs: those that send; nil: those on `PATH`.
  /// - Parameter resend: the address of the e-mail service Resend.
  package init(
    _ settings: NoticeSettings, dataDirectory: FilePath, files: any FileSystem, time: any TimeSource,
    programs: NoticePrograms? = nil, resend: String = "https://api.resend.com/emails"
  ) {
    self.settings = settings
    self.dataDirectory = dataDirectory
    self.files = files
    self.time = time
    self.programs = programs ?? NoticePrograms(files: files)
    self.resend = resend
  }

  /// Sends a notice over those of the channels that are configured, and says what became of it on each.
  ///
  /// Servers are tried three times. A signal that comes meanwhile ends that; when one came before, each channel is
  /// tried once. Only a start, a success, a failure and a test are pinged.
  /// - Parameter backupPath: the backup, for a command.
  package func send(
    _ notice: Notice, over channels: Set<NoticeChannel> = Set(NoticeChannel.allCases), backupPath: FilePath? = nil
  ) -> [NoticeDelivery] {
    let wasStopped = Interruption.stopped != nil
    return NoticeChannel.allCases.filter { channels.contains($0) && settings.isConfigured($0) }.compactMap { channel in
      switch channel {
      case .ping: ping(notice, wasStopped: wasStopped)
      case .webhook: webhook(notice, wasStopped: wasStopped)
      case .email: email(notice, wasStopped: wasStopped)
      case .command: command(notice, backupPath: backupPath)
      }
    }
  }

  // MARK: - Tries

  /// Tries until the notice is delivered, another try is of no use, or somebody asked this process to stop.
  private func repeated(
    _ channel: NoticeChannel, attempt: () -> Attempt
  ) -> NoticeDelivery {
    var tries = 0
    while true {
      tries += 1
      switch attempt() {
      case .delivered: return NoticeDelivery(channel, isDelivered: true, tries: tries)
      case .failed(let words, let isWorthRepeating):
        let failed = NoticeDelivery(channel, isDelivered: false, words: words, tries: tries)
        guard isWorthRepeating, tries < Self.maximumTries, Interruption.stopped == nil else { return failed }
        time.sleep(.seconds(tries))
        if Interruption.stopped != nil { return failed }
      }
    }
  }

  /// Sends what curl is told; secrets are read now.
  private func curl(
    _ channel: NoticeChannel, wasStopped: Bool,
    prepare: () throws -> (configuration: CurlConfiguration, host: String)
  ) -> NoticeDelivery {
    let failure = { (words: String) in NoticeDelivery(channel, isDelivered: false, words: words, tries: 0) }
    guard let curl = programs.curl else { return failure("there is no curl on PATH") }
    let prepared: (configuration: CurlConfiguration, host: String)
    do {
      prepared = try prepare()
    } catch let error as SecretError {
      return failure(error.message)
    } catch {
      return failure("the notice cannot be written")
    }
    return repeated(channel) {
      Attempt(prepared.configuration, host: prepared.host, curl: curl, heedsSignals: !wasStopped)
    }
  }

  private func secret(_ source: SecretSource) throws(SecretError) -> String {
    try source.read(dataDirectory: dataDirectory, files: files)
  }

  /// The address that is meant; one that is kept as a secret is read now.
  private func address(_ target: NoticeSettings.Target) throws(SecretError) -> NoticeAddress {
    switch target {
    case .address(let address): return address
    case .secret(let source):
      guard let address = NoticeAddress(try secret(source), protocols: .web) else {
        throw SecretError(
          message: "\(source.words) holds no address that begins with https:// or http://",
          remedy: "Write the address alone into it.")
      }
      return address
    }
  }

  // MARK: - Channels

  private func ping(_ notice: Notice, wasStopped: Bool) -> NoticeDelivery? {
    guard let target = settings.ping?.value else { return nil }
    let word: String?
    switch notice.kind {
    case .start: word = "start"
    case .success, .test: word = nil
    case .failure: word = "fail"
    case .unprotected, .protected, .reminder: return nil
    }
    return curl(.ping, wasStopped: wasStopped) {
      let address = try address(target)
      return (
        .post(
          word.map(address.appending) ?? address.text, contentType: "text/plain; charset=utf-8",
          body: "\(notice.subject)\n\(notice.message)"), address.host
      )
    }
  }

  private func webhook(_ notice: Notice, wasStopped: Bool) -> NoticeDelivery? {
    guard let webhook = settings.webhook else { return nil }
    return curl(.webhook, wasStopped: wasStopped) {
      let address = try address(webhook.target.value)
      let token = try webhook.token.map { try secret($0.value) }
      return (
        .post(address.text, contentType: "application/json", body: try notice.json(), bearer: token), address.host
      )
    }
  }

  private func email(_ notice: Notice, wasStopped: Bool) -> NoticeDelivery? {
    guard let email = settings.email else { return nil }
    let message = MailMessage(notice, email: email)
    switch email.route.value {
    case .sendmail: return sendmail(message, wasStopped: wasStopped)
    case .resend(let key):
      return curl(.email, wasStopped: wasStopped) {
        let body = ResendBody(
          from: message.sender, to: message.receivers, subject: message.subject, text: message.text)
        let host = NoticeAddress(resend, protocols: .web)?.host ?? "Resend"
        return (
          .post(
            resend, contentType: "application/json", body: try NoticeJSON.text(of: body), bearer: try secret(key)),
          host
        )
      }
    case .smtp(let server):
      return curl(.email, wasStopped: wasStopped) {
        let login = try server.login.map { ($0.user.value, try secret($0.password.value)) }
        return (
          .mail(message, server: server.address.text, login: login, requiresTLS: server.requiresTLS.value),
          server.address.host
        )
      }
    }
  }

  private func sendmail(_ message: MailMessage, wasStopped: Bool) -> NoticeDelivery {
    let failure = { (words: String) in NoticeDelivery(.email, isDelivered: false, words: words, tries: 1) }
    guard let program = programs.sendmail else {
      return NoticeDelivery(.email, isDelivered: false, words: "there is no sendmail on this machine", tries: 0)
    }
    do throws(SystemError) {
      // Those that get it stand in the message (-t); a line with a dot alone does not end it (-i).
      let run = try BoundedChild(
        program, arguments: ["-i", "-t"], input: message.whole, limit: .seconds(30), heedsSignals: !wasStopped)
      switch run.outcome {
      case .ended(.exited(0)): return NoticeDelivery(.email, isDelivered: true, tries: 1)
      case .ended(let end): return failure("sendmail \(end.words)")
      case .tooLong: return failure("sendmail took more than 30 s and was ended")
      case .interrupted: return failure("hrp was asked to stop")
      }
    } catch {
      return failure("sendmail cannot be started (\(error.errno))")
    }
  }

  /// Runs the command that fits; a test runs all of them, and tells them that it is one.
  private func command(_ notice: Notice, backupPath: FilePath?) -> NoticeDelivery? {
    let moments: [HookMoment]
    switch notice.kind {
    case .start: moments = [.start]
    case .success, .protected: moments = [.success]
    case .failure, .unprotected, .reminder: moments = [.failure]
    case .test: moments = NoticeSettings.noticeMoments
    }
    let hooks = HookCommand(settings, dataDirectory: dataDirectory)
    let configured = moments.filter(hooks.isConfigured)
    guard !configured.isEmpty else { return nil }
    let states: [Notice.Kind: String] = [.success: "completed", .failure: "failed"]
    let event = HookEvent(
      notice.kind.rawValue, job: notice.job, backupPath: backupPath, backupName: notice.backup,
      state: states[notice.kind], message: notice.message)
    do throws(HookFailure) {
      for moment in configured { try hooks.run(moment, event: event) }
      return NoticeDelivery(.command, isDelivered: true, tries: 1)
    } catch {
      return NoticeDelivery(.command, isDelivered: false, words: error.words, tries: 1)
    }
  }
}

/// What Resend takes.
private struct ResendBody: Encodable {
  let from: String
  let to: [String]
  let subject: String
  let text: String
}
