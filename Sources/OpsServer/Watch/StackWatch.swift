internal import Backup
internal import DuckDBFile
internal import Files
internal import Stacks
internal import Store
private import Synchronization
internal import SystemPackage

// Looks at a stack that is in use, for many who ask at once.
//
//   G1  No engine is asked, no lock is taken that a program of the user's could meet, and nothing is kept open between
//       two looks.
//   G2  An answer is at most five seconds old, and none is given after the inode, the size or the time of the database
//       or of a WAL has changed.
//   G3  All reads of the database go one after the other: two of our own descriptors on it would disturb each other.
//   G4  Nothing is read while a restore runs.

/// What is seen of a stack in use.
final class StackWatch: Sendable {
  /// G2.
  private static let maximumAge: Duration = .seconds(5)

  private struct State {
    let readiness: ReadinessWatch
    let scrub: BlockScrub
    var cached: Cached?
    /// Why the last step of the scrub could not be made; nil when it could.
    var scrubProblem: String?
  }

  private struct Cached {
    let answer: Answer
    let at: Int64
    /// Of the database and its WALs; nil for what is not there.
    let marks: [FileStatus?]
  }

  /// What one look saw.
  struct Answer: Sendable {
    let readiness: StackReadiness
    /// nil when the database could not be read.
    let look: LiveLook?
    let scrub: ScrubView
  }

  private let state: Mutex<State>
  private let stack: Stack
  private let files: any FileSystem
  private let time: any TimeSource

  /// - Parameter position: where an earlier scrub was.
  init(_ stack: Stack, from position: BlockScrub.Position?, files: any FileSystem, time: any TimeSource) {
    self.stack = stack
    self.files = files
    self.time = time
    state = Mutex(
      State(
        readiness: ReadinessWatch(stack, files: files, time: time),
        scrub: BlockScrub(stack.database, from: position, files: files, time: time)))
  }

  /// Whether the stack can be used now; it blocks for some milliseconds.
  /// - Parameter isFresh: whether an answer that was given before does not serve.
  func answer(isFresh: Bool = false) -> Answer {
    state.withLock { state in
      let now = time.monotonicNanoseconds
      let marks = forPeople { try self.marks() }
      if !isFresh, let cached = state.cached, let marks, marks == cached.marks,
        now - cached.at < Self.maximumAge.nanoseconds
      {
        return cached.answer
      }
      let answer = look(&state)
      // What is wrong, or could not be told just now, may be right at the next look.
      let isWhole = answer.readiness.isReady && !answer.readiness.checks.contains(where: \.isUnknown)
      state.cached = isWhole ? marks.map { Cached(answer: answer, at: now, marks: $0) } : nil
      return answer
    }
  }

  private func look(_ state: inout State) -> Answer {
    let readiness = state.readiness.readiness()
    if let look = state.readiness.look {
      // Another file has other blocks; and where the database can be read, the walk goes on by itself.
      state.scrub.begin(look.identity)
      state.scrubProblem = nil
    }
    let scrub = ScrubView(state.scrub, problem: state.scrubProblem)
    return Answer(readiness: readiness.adding(scrub.check), look: state.readiness.look, scrub: scrub)
  }

  private func marks() throws -> [FileStatus?] {
    let database = RealPath.ofWhatExists(stack.database)
    let names = [stack.database, database]
    let paths =
      [database]
      + Set(names).flatMap { [WALNames.wal(of: $0), WALNames.checkpointWAL(of: $0)] }.sorted {
        $0.string < $1.string
      }
    return try paths.map { try files.statusIfPresent($0) }
  }

  // MARK: - The scrub

  /// Reads the next stretch of the database.
  func scrub() -> BlockScrub.Step {
    state.withLock { state in
      let before = state.scrub.damaged
      do {
        let step = try state.readiness.withoutRestore { try state.scrub.step() }
        state.scrubProblem = nil
        if state.scrub.damaged != before { state.cached = nil }
        return step
      } catch {
        // What is wrong with the database is what readiness says; the walk goes on when it can be read again.
        state.scrubProblem = BackupError(error, doing: "reading the blocks of the database").message
        return .nothing
      }
    }
  }

  /// Reads only what was read wrong before.
  func recheck() {
    state.withLock { state in
      // What cannot be read is what readiness says.
      ignoringFailure { try state.readiness.withoutRestore { try state.scrub.recheck() } }
    }
  }

  /// Whether something was read wrong: a block that is damaged, or may be.
  var hasDoubts: Bool { state.withLock { $0.scrub.hasSuspects || !$0.scrub.damaged.isEmpty } }

  /// Begins a pass anew.
  func beginPass() { state.withLock { $0.scrub.beginPass() } }

  /// Whether a block was read wrong and is to be read again before it counts.
  var hasSuspects: Bool { state.withLock { $0.scrub.hasSuspects } }

  /// Where the scrub is.
  var position: BlockScrub.Position { state.withLock { $0.scrub.position } }
}
