internal import Advice
package import Files
internal import Jobs
package import Notices
internal import Settings
package import Stacks
package import Store
internal import SystemPackage

/// Sends the notices of a stack and writes down what became of them; a notice that cannot be delivered stops nothing.
package struct NoticeOffice: Sendable {
  /// So often protection is looked at, when nothing ran meanwhile, in nanoseconds.
  private static let periodNanoseconds: Int64 = 600 * 1_000_000_000

  private let stack: Stack
  private let memory: AlarmMemory
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  /// - Parameter memory: what this process told before and could not write down.
  package init(
    of stack: Stack, memory: AlarmMemory = AlarmMemory(), files: any FileSystem, time: any TimeSource,
    events: EventStream
  ) {
    self.stack = stack
    self.memory = memory
    self.files = files
    self.time = time
    self.events = events
  }

  private var settings: NoticeSettings { stack.settings.notices }

  /// What a notice says of a job.
  struct News {
    var job: String
    var message: String
    var code: String?
    var backup: String?
    var sizeBytes: Int64?
    var durationSeconds: Double?
  }

  /// Tells of a job: by ping and by the user's commands.
  func tell(_ kind: Notice.Kind, of news: News) {
    let notice = notice(
      kind, message: news.message, job: news.job, code: news.code, backup: news.backup, sizeBytes: news.sizeBytes,
      durationSeconds: news.durationSeconds)
    send(notice, over: [.ping, .command], backup: news.backup)
  }

  /// Looks at the protection of the stack, and tells by webhook and e-mail when it was lost or is back (L1 to L5).
  /// - Parameter isUrgent: whether something ran, so that it is worth looking now.
  package func watch(isUrgent: Bool) {
    guard settings.isConfigured(.webhook) || settings.isConfigured(.email) else { return }
    let last = state
    let now = time.nowNanoseconds
    if !isUrgent, let last, last.lookedAt <= now, now - last.lookedAt < Self.periodNanoseconds { return }
    let protection: Protection
    do {
      protection = try StackStatus.protection(of: stack, files: files, time: time)
    } catch {
      protection = Protection(unknown: BackupError(error, doing: "looking at the stack", on: stack).message)
    }
    let (next, alarm) = AlarmRules.decide(after: last, subjects: Set(protection.reasons.map(\.subject)), now: now)
    // It is written down before anybody is told. Where that fails, this process remembers it: people are told once too
    // few when it dies, and not every minute.
    write(next)
    guard let alarm else { return }
    let reasons = protection.reasons.map(\.message).joined(separator: "\n")
    let code = protection.reasons.first?.code
    let deliveries =
      switch alarm {
      case .unprotected: send(notice(.unprotected, message: reasons, code: code))
      case .reminder: send(notice(.reminder, message: reasons, code: code))
      case .protected: send(notice(.protected, message: "The stack is protected again."))
      }
    guard !deliveries.contains(where: \.isDelivered) else { return }
    // Nobody was reached: the next look tells it again (L6).
    write(AlarmState(subjects: last?.subjects ?? [], toldAt: last?.toldAt ?? now, lookedAt: now))
  }

  private func notice(
    _ kind: Notice.Kind, message: String, job: String? = nil, code: String? = nil, backup: String? = nil,
    sizeBytes: Int64? = nil, durationSeconds: Double? = nil
  ) -> Notice {
    Notice(
      kind, stack: stack.dataDirectory.text, environment: settings.environment?.value, job: job,
      timestamp: time.nowNanoseconds, message: message, code: code, backup: backup, sizeBytes: sizeBytes,
      durationSeconds: durationSeconds, hiding: hidden)
  }

  /// Directories that no notice names.
  private var hidden: [FilePath] {
    [stack.backupDirectory, stack.database, stack.dataDirectory]
      + stack.secondPlaces.map { stack.place($0, files: files, time: time).path }
  }

  /// Sends a test over everything that is configured; one that arrives answers what did not arrive before.
  package func sendTest() -> [NoticeDelivery] {
    let notice = Notice(
      .test, stack: stack.dataDirectory.lastComponent?.string ?? "", environment: settings.environment?.value,
      timestamp: time.nowNanoseconds, message: "This notice was sent by hrp notify test.")
    let deliveries = sender.send(notice)
    writeDown(deliveries, of: notice)
    return deliveries
  }

  @discardableResult
  private func send(
    _ notice: Notice, over channels: Set<NoticeChannel> = [.webhook, .email], backup: String? = nil
  ) -> [NoticeDelivery] {
    let deliveries = sender.send(
      notice, over: channels, backupPath: backup.map { stack.backupDirectory.appending($0) })
    for delivery in deliveries where !delivery.isDelivered {
      events.send(.warning("the notice by \(delivery.channel.rawValue) was not delivered: \(delivery.words)"))
    }
    writeDown(deliveries, of: notice)
    return deliveries
  }

  private var sender: NoticeSender {
    NoticeSender(settings, dataDirectory: stack.dataDirectory, files: files, time: time)
  }

  private func writeDown(_ deliveries: [NoticeDelivery], of notice: Notice) {
    guard !deliveries.isEmpty else { return }
    let catalogue = Catalogue.ifPresent(of: stack, files: files, time: time)
    for delivery in deliveries {
      let record = NoticeRecord(
        channel: delivery.channel.rawValue, kind: notice.kind.rawValue,
        at: LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset, isDelivered: delivery.isDelivered,
        words: delivery.words)
      // Where it cannot be written down, whoever sent it has been told.
      ignoringFailure { try catalogue?.write(record) }
    }
  }

  // MARK: - What people were told last

  private var state: AlarmState? {
    // Where it cannot be read, and this process has told nobody yet, people are told once more.
    let text = forPeople { try Catalogue.ifPresent(of: stack, files: files, time: time)?.alarmState() } ?? nil
    let written = text.flatMap { text in parsed { try StoredJSON.value(AlarmState.self, of: Array(text.utf8)) } }
    guard let remembered = memory.state else { return written }
    // Another process may have told people since.
    return written.map { $0.lookedAt > remembered.lookedAt ? $0 : remembered } ?? remembered
  }

  private func write(_ state: AlarmState) {
    memory.state = state
    ignoringFailure {
      let text = String(decoding: try StoredJSON.line(of: state), as: UTF8.self)
      try Catalogue.ifPresent(of: stack, files: files, time: time)?.writeAlarmState(text)
    }
  }
}
