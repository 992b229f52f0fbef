internal import Files
internal import NIOPosix
internal import ServiceLifecycle
internal import Stacks
internal import Store
private import Synchronization

/// Looks at the backups and jobs of a stack now and then, so that nobody who asks has to wait for a disk.
///
/// A look begins every 15 seconds, so what is shown is at most 20 seconds old; where a disk does not answer, it is
/// older, and its age is shown.
final class ViewKeeper: Sendable {
  private static let period: Duration = .seconds(15)
  /// Counting the bytes of the trash reads its whole tree: it is done less often.
  private static let trashPeriod: Duration = .seconds(600)

  private struct State {
    var stack: Stack
    var view: StackView?
    var trashBytes: Int64?
    var trashCounted: Int64?
  }

  private let state: Mutex<State>
  private let load: @Sendable () throws -> Stack
  private let hasService: @Sendable () -> Bool
  private let threads: NIOThreadPool
  private let files: any FileSystem
  private let time: any TimeSource

  /// - Parameter load: reads the configuration anew: a schedule that was changed needs no restart.
  init(
    _ stack: Stack, load: @escaping @Sendable () throws -> Stack, hasService: @escaping @Sendable () -> Bool,
    threads: NIOThreadPool, files: any FileSystem, time: any TimeSource
  ) {
    state = Mutex(State(stack: stack))
    self.load = load
    self.hasService = hasService
    self.threads = threads
    self.files = files
    self.time = time
  }

  /// The last view.
  /// - Throws: what the pool of threads says at the end of the server.
  func view() async throws -> StackView {
    if let view = state.withLock({ $0.view }) { return view }
    return try await refreshed()
  }

  /// Looks now.
  @discardableResult
  func refreshed() async throws -> StackView { try await threads.runIfActive { self.look() } }

  private func look() -> StackView {
    var (stack, problem) = (state.withLock { $0.stack }, String?.none)
    do {
      stack = try load()
    } catch {
      // What held before goes on, and it is said.
      problem = BackupError(error, doing: "reading the configuration").message
    }
    let view = StackView(
      stack, problem: problem, hasService: hasService(), trashBytes: trashBytes(of: stack), files: files, time: time)
    state.withLock { ($0.stack, $0.view) = (stack, view) }
    return view
  }

  private func trashBytes(of stack: Stack) -> Int64? {
    let now = time.monotonicNanoseconds
    let (counted, bytes) = state.withLock { ($0.trashCounted, $0.trashBytes) }
    if let counted, now - counted < Self.trashPeriod.nanoseconds { return bytes }
    let new = forPeople { try Trash(of: stack.backupDirectory, files: files, time: time).bytes() }
    state.withLock { ($0.trashCounted, $0.trashBytes) = (now, new) }
    return new
  }
}

extension ViewKeeper: Service {
  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do {
          try await self.refreshed()
          try await Task.sleep(for: Self.period)
        } catch {
          return  // The server ends.
        }
      }
    }
  }
}
