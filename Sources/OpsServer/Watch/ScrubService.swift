internal import DuckDBFile
internal import Files
internal import Jobs
internal import NIOPosix
internal import ServiceLifecycle
internal import Stacks
internal import Store

/// Walks over the blocks of the database for as long as the server runs.
struct ScrubService: Service {
  /// Together with the size of a step: 8 MB a second.
  private static let pause: Duration = .milliseconds(125)
  /// A pass begins at most so often: a small database is not read without end.
  private static let passInterval: Duration = .seconds(600)
  private static let idlePause: Duration = .seconds(5)
  private static let savingInterval: Duration = .seconds(60)

  let watch: StackWatch
  let memory: ScrubMemory
  let threads: NIOThreadPool
  let time: any TimeSource

  func run() async throws {
    await cancelWhenGracefulShutdown {
      do {
        try await walk()
      } catch {
        // Cancelled: the server ends.
      }
    }
    do { try await save() } catch {
      // What is not saved is walked again.
    }
  }

  /// Walks until it is cancelled.
  private func walk() async throws {
    var began = time.monotonicNanoseconds
    var saved = (at: began, damaged: watch.position.damaged)
    while true {
      let step = try await threads.runIfActive { [watch] in watch.scrub() }
      let now = time.monotonicNanoseconds
      let damaged = watch.position.damaged
      if now - saved.at > Self.savingInterval.nanoseconds || damaged != saved.damaged {
        saved = (now, damaged)
        try await save()
      }
      switch step {
      case .read:
        try await Task.sleep(for: Self.pause)
      case .endOfPass:
        try await rest(for: max(Self.idlePause, Self.passInterval - .nanoseconds(now - began)))
        began = time.monotonicNanoseconds
      case .nothing:
        try await Task.sleep(for: Self.idlePause)
      }
    }
  }

  /// Rests between two passes; what was read wrong is read again meanwhile.
  ///
  /// Another file ends the rest.
  private func rest(for duration: Duration) async throws {
    let end = time.monotonicNanoseconds + duration.nanoseconds
    while time.monotonicNanoseconds < end, watch.position.lastPass != nil {
      try await Task.sleep(for: watch.hasSuspects ? Self.pause : Self.idlePause)
      if watch.hasDoubts { try await threads.runIfActive { [watch] in watch.recheck() } }
    }
  }

  private func save() async throws {
    try await threads.runIfActive { [memory, watch] in memory.save(watch.position) }
  }
}

/// Keeps the position of the scrub in the catalogue.
struct ScrubMemory: Sendable {
  let stack: Stack
  let files: any FileSystem
  let time: any TimeSource

  /// Where an earlier scrub was; nil to begin anew.
  var position: BlockScrub.Position? {
    let text = forPeople { try Catalogue.existing(of: stack, files: files, time: time)?.scrubPosition() } ?? nil
    return text.flatMap { text in
      parsed { try StoredJSON.value(BlockScrub.Position.self, of: Array(text.utf8)) }
    }
  }

  func save(_ position: BlockScrub.Position) {
    // The catalogue is an index: what it does not remember is done again.
    ignoringFailure {
      let text = String(decoding: try StoredJSON.line(of: position), as: UTF8.self)
      try Catalogue.existing(of: stack, files: files, time: time)?.writeScrubPosition(text)
    }
  }
}
