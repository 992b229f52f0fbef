internal import Advice
internal import Backup
internal import DuckDBFile
internal import Files
internal import HTTPTypes
internal import Jobs
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Stacks
internal import Store
private import Synchronization
internal import SystemPackage

/// Makes the answers.
final class OpsDesk: Sendable {
  private static let textType = "text/plain; version=1.0.0; charset=utf-8"

  let assets: Assets
  /// nil when there are no actions.
  let token: TokenCheck?
  private let stack: Stack
  private let flags: [String]
  private let watch: StackWatch
  private let keeper: ViewKeeper
  private let actionRunner: ActionRunner
  private let machine: MachineMetrics
  private let requests: RequestMetrics
  private let threads: NIOThreadPool
  private let time: any TimeSource
  private let isFullPassRunning = Mutex(false)

  init(
    _ stack: Stack, flags: [String], token: TokenCheck?, watch: StackWatch, keeper: ViewKeeper, actions: ActionRunner,
    machine: MachineMetrics, requests: RequestMetrics, threads: NIOThreadPool, time: any TimeSource
  ) throws {
    assets = try Assets()
    self.stack = stack
    self.flags = flags
    self.token = token
    self.watch = watch
    self.keeper = keeper
    actionRunner = actions
    self.machine = machine
    self.requests = requests
    self.threads = threads
    self.time = time
  }

  private var now: Int64 { time.nowNanoseconds }

  private func look() async throws -> StackWatch.Answer { try await threads.runIfActive { self.watch.answer() } }

  /// An error in words for a stranger: ours name what is wrong, and no contents.
  func words(_ error: any Error) -> String { BackupError(error, doing: "answering").message }

  // MARK: - Health

  func ready() async throws -> Answer { try await ready(await look()) }

  private func ready(_ answer: StackWatch.Answer) async throws -> Answer {
    let text = try ReadyAnswer.ready(answer, view: try await keeper.view(), now: now)
    return .json(text, status: answer.readiness.isReady ? .ok : .serviceUnavailable)
  }

  /// Reads every block in use, then says whether the stack can be used.
  /// - Throws: `Refusal` 429 while another full pass runs.
  func readyAfterFullPass() async throws -> Answer {
    let isFree = isFullPassRunning.withLock { isRunning in
      defer { isRunning = true }
      return !isRunning
    }
    guard isFree else {
      throw Refusal(
        status: .tooManyRequests, detail: "all blocks are being read for somebody else", fields: [.retryAfter: "10"])
    }
    defer { isFullPassRunning.withLock { $0 = false } }
    do {
      // A server that ends does not wait for a large database.
      return try await cancelWhenGracefulShutdown { try await self.fullPass() }
    } catch is CancellationError {
      throw Refusal(status: .serviceUnavailable, detail: "the server is stopping")
    }
  }

  private func fullPass() async throws -> Answer {
    let begun = now
    watch.beginPass()
    while watch.position.lastPass.map({ $0.began < begun }) ?? true {
      let before = time.monotonicNanoseconds
      if try await scrub() == .nothing { break }
      // A restore that begins is let in between: the lock is free for as long as it was held.
      try await Task.sleep(for: max(.milliseconds(2), .nanoseconds(time.monotonicNanoseconds - before)))
    }
    // V3: what was read wrong is read again, which takes a second.
    let end = time.monotonicNanoseconds + Duration.seconds(30).nanoseconds
    while watch.hasSuspects, time.monotonicNanoseconds < end {
      try await Task.sleep(for: .milliseconds(100))
      _ = try await scrub()
    }
    return try await ready(await threads.runIfActive { self.watch.answer(isFresh: true) })
  }

  private func scrub() async throws -> BlockScrub.Step {
    try Task.checkCancellation()
    return try await threads.runIfActive { self.watch.scrub() }
  }

  func metrics() async throws -> Answer {
    var text = MetricsText()
    let view = try await keeper.view()
    StackMetrics(view: view, answer: try await look(), now: now).write(to: &text)
    machine.write(to: &text, diskPercent: view.diskPercent)
    requests.write(to: &text)
    return Answer(text.text, type: Self.textType)
  }

  // MARK: - The page and its data

  func page() async throws -> Answer {
    let writer = PageWriter(
      stack: stack, view: try await keeper.view(), answer: try await look(), load: machine.load(),
      flags: flags.isEmpty ? "" : " " + Self.typed(flags), now: now)
    return Answer(assets.page(writer.contents), type: "text/html; charset=utf-8")
  }

  /// The words as they must be typed.
  private static func typed(_ flags: [String]) -> String {
    flags.map { $0.hasPrefix("--") ? $0 : ShellWord.quoted(FilePath($0)) }.joined(separator: " ")
  }

  func status() async throws -> Answer {
    let view = try await keeper.view()
    guard let status = view.status else { return try .value(UnknownStatusOutput(view.protection)) }
    let typed = Self.typed(flags)
    return try .value(
      StatusOutput(status) { $0.hasPrefix("hrp ") && !typed.isEmpty ? "\($0) \(typed)" : $0 })
  }

  func system() async throws -> Answer {
    let load = machine.load()
    return try .value(
      SystemOutput(
        try await keeper.view(), isReady: try await look().readiness.isReady,
        processorPercent: load.processorPercent, memoryPercent: load.now.memoryPercent))
  }

  func backups(limit: Int?) async throws -> Answer {
    let view = try await keeper.view()
    let shown = view.backups.prefix(limit ?? view.backups.count)
    return try .value(shown.map { BackupOutput($0, beside: view.newestDrilled, now: now) })
  }

  func backup(_ name: String) async throws -> Answer {
    let view = try await keeper.view()
    guard let backup = view.backups.first(where: { $0.name == name }) else { throw Refusal.notFound }
    return try .value(BackupOutput(backup, beside: view.newestDrilled, now: now))
  }

  func jobs() async throws -> Answer { try .value(try await keeper.view().jobs.map { JobOutput($0) }) }

  // MARK: - Actions

  func actions() throws -> Answer { try .value(actionRunner.records) }

  func action(_ id: Int?) throws -> Answer {
    guard let record = id.flatMap({ actionRunner.record($0) }) else { throw Refusal.notFound }
    return try .value(record)
  }

  /// Begins what a body asks for.
  /// - Throws: `Refusal`.
  func begin(_ body: [UInt8]) async throws -> Answer {
    guard let request = parsed({ try StoredJSON.value(ActionRequest.self, of: body) }) else {
      throw Refusal(
        status: .unprocessableContent, detail: "the body is not {\"action\": \"backup|verify|drill|pin\", …}")
    }
    do {
      let known = try await keeper.refreshed().backups.map(\.name)
      let record = try actionRunner.start(request, words: request.words(known: known))
      var answer = try Answer.value(record, status: .accepted)
      answer.fields[.location] = "/api/v1/actions/\(record.id)"
      return answer
    } catch let error as ActionError {
      switch error {
      case .invalid(let why): throw Refusal(status: .unprocessableContent, detail: why)
      case .noBackup(let why): throw Refusal(status: .notFound, detail: why)
      case .busy(let why): throw Refusal(status: .conflict, detail: why)
      }
    }
  }
}
