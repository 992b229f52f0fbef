internal import Files
internal import Jobs
internal import NIOPosix
internal import ServiceLifecycle
internal import Stacks
internal import Store
private import Synchronization
internal import SystemPackage

/// Runs one action at a time, each in a process of its own.
final class ActionRunner: Sendable {
  /// What became of an action.
  struct Record: Sendable, Encodable {
    /// How far it is.
    enum State: String, Sendable, Encodable { case running, completed, partial, failed, busy }

    let id: Int
    let action: String
    let backup: Nullable<String>
    var state: State
    let beganAt: String
    var endedAt = Nullable<String>(nil)
    var exitCode = Nullable<Int32>(nil)
    /// What the command printed with `--json`, as text.
    var output = Nullable<String>(nil)
  }

  /// So many are remembered.
  private static let maximumRecords = 100
  private static let maximumOutputBytes = 256 << 10

  /// An action that is to be run.
  private struct Work: Sendable {
    let id: Int
    let words: [String]
  }

  private struct State {
    var records: [Record] = []
    var next = 1
    var child: ChildProcess?
    var isStopping = false
  }

  private let state = Mutex(State())
  private let work = AsyncStream.makeStream(of: Work.self)
  private let stack: Stack
  private let flags: [String]
  private let threads: NIOThreadPool
  private let files: any FileSystem
  private let time: any TimeSource
  private let onEnd: @Sendable () async -> Void

  /// - Parameter flags: the words that name the stack for a command.
  /// - Parameter onEnd: is called after an action has ended.
  init(
    _ stack: Stack, flags: [String], threads: NIOThreadPool, files: any FileSystem, time: any TimeSource,
    onEnd: @escaping @Sendable () async -> Void
  ) {
    self.stack = stack
    self.flags = flags
    self.threads = threads
    self.files = files
    self.time = time
    self.onEnd = onEnd
  }

  /// The last actions, newest first.
  var records: [Record] { state.withLock { $0.records.reversed() } }

  func record(_ id: Int) -> Record? { state.withLock { $0.records.first { $0.id == id } } }

  /// Begins an action.
  /// - Parameter words: of the command line.
  /// - Throws: `ActionError.busy`; `SystemError` when it cannot be told whether a job runs.
  func start(_ request: ActionRequest, words: [String]) throws -> Record {
    if try AdvisoryLock.isHeld(.job, on: stack.dataDirectory, files: files) {
      throw ActionError.busy("a job of the scheduler is running")
    }
    let name = words.count > 2 ? words[2] : nil
    let began = LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset
    let record = try state.withLock { state throws(ActionError) in
      if let running = state.records.first(where: { $0.state == .running }) {
        throw ActionError.busy("action \(running.id), \(running.action), is running")
      }
      let record = Record(
        id: state.next, action: request.action.rawValue, backup: Nullable(name), state: .running, beganAt: began)
      state.next += 1
      state.records.append(record)
      state.records.removeFirst(max(0, state.records.count - Self.maximumRecords))
      return record
    }
    work.continuation.yield(Work(id: record.id, words: words + flags + ["--json", "--quiet"]))
    return record
  }

  /// Runs what comes until the server ends.
  private func runAll() async {
    for await work in work.stream { await finish(work.id, words: work.words) }
  }

  /// Asks the running action to end; nothing half-made is left of it.
  private func stop() {
    work.continuation.finish()
    state.withLock { state in
      state.isStopping = true
      state.child?.terminate()
    }
  }

  private func finish(_ id: Int, words: [String]) async {
    let result: (code: Int32?, output: String)
    do {
      result = try await threads.runIfActive { try self.run(words) }
    } catch {
      result = (nil, BackupError(error, doing: "starting the action").message)
    }
    let ended = LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset
    state.withLock { state in
      guard let index = state.records.firstIndex(where: { $0.id == id }) else { return }
      state.records[index].state =
        switch result.code {
        case 0: .completed
        case 3: .partial
        case 11: .busy
        default: .failed
        }
      state.records[index].exitCode = Nullable(result.code)
      state.records[index].output = Nullable(result.output)
      state.records[index].endedAt = Nullable(ended)
    }
    await onEnd()
  }

  private func run(_ words: [String]) throws -> (code: Int32?, output: String) {
    guard let program = try ThisProcess.hrp(files: files) else {
      throw BackupError(
        "executable.not-found", kind: .notFound, message: "the program hrp was not found",
        remedy: "Set HRP_EXECUTABLE, or put hrp on PATH.")
    }
    let output = try state.withLock { state throws(SystemError) in
      let child = try ChildProcess(program, arguments: words, isGroup: true)
      child.closeInput()
      if state.isStopping { child.terminate() }
      state.child = child
      return child.output
    }
    var text: [UInt8] = []
    while let bytes = try output.bytes() {
      if text.count < Self.maximumOutputBytes { text += bytes.prefix(Self.maximumOutputBytes - text.count) }
    }
    let end = state.withLock { state in
      let end = state.child?.wait()
      state.child = nil
      return end
    }
    let code: Int32? = if case .exited(let code)? = end { code } else { nil }
    return (code, String(decoding: text, as: UTF8.self))
  }
}

extension ActionRunner: Service {
  func run() async throws {
    await withGracefulShutdownHandler {
      await runAll()
    } onGracefulShutdown: {
      self.stop()
    }
  }
}
