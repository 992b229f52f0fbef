internal import Files
internal import Jobs
package import Store
package import SystemPackage

/// Runs a job in a process of its own, and watches it.
package struct JobProcess {
  /// So long a process may take to end after it was asked to.
  private static let patienceAfterSignal: Duration = .seconds(10)

  private let program: FilePath
  private let silence: Duration
  private let stop: StopRequest
  private let events: EventStream

  /// - Parameter silence: after so long without a word of progress, not counting time in which the machine slept, the
  ///   process is ended.
  package init(program: FilePath, silence: Duration, stop: StopRequest, events: EventStream) {
    self.program = program
    self.silence = silence
    self.stop = stop
    self.events = events
  }

  /// Runs a job to its end.
  /// - Returns: how it ended; nil when its process died before it could say so.
  /// - Throws: `BackupError` when it could not begin; `SystemError` when no process can be started;
  ///   `Interruption.Stopped`.
  package func run(_ request: JobRequest) throws -> ScheduledBackup.Outcome? {
    let child = try ChildProcess(program, arguments: [JobChild.command], errors: .inherited, isGroup: true)
    do {
      do {
        try child.send(StoredJSON.line(of: request))
      } catch let error as SystemError where error.errno == .brokenPipe {
        // It has ended already; how, is seen below.
      }
      child.closeInput()
      return try listen(to: child)
    } catch let silent as Silent {
      let isTold = end(child)
      var outcome = ScheduledBackup.Outcome(
        BackupError(
          "job.stalled", kind: .failed, message: "the job told of no progress for \(silent.seconds) s, and was ended",
          remedy: "Look at the disk and at logs/backup.log; jobs.NAME.timeout_minutes says how long it may be silent."))
      outcome.isTold = isTold
      return outcome
    } catch let stopped as Interruption.Stopped {
      if stop.mode == .leaveJob { child.outlivesObject = true } else { _ = end(child) }
      throw stopped
    } catch {
      _ = end(child)
      throw error
    }
  }

  private struct Silent: Error { let seconds: Int64 }

  private func listen(to child: ChildProcess) throws -> ScheduledBackup.Outcome? {
    var heard = SuspendingClock.now
    var asked: SuspendingClock.Instant?
    while let line = try child.output.line(whileWaiting: {
      let now = SuspendingClock.now
      switch stop.mode {
      case nil, .waitForJob: break
      case .leaveJob: try stop.check()
      case .endJob(let patience):
        if let asked, now - asked > patience { try stop.check() }
        if asked == nil {
          events.send(.notice("asked to stop: the running job has \(patience.components.seconds) s to end by itself"))
        }
        asked = asked ?? now
      }
      if now - heard > silence { throw Silent(seconds: silence.components.seconds) }
    }) {
      heard = .now
      guard let reply = parsed({ try JobReply(parsing: line) }) else { continue }
      switch reply {
      case .ended(let state, let code, let message, let backup, let sizeBytes):
        _ = child.wait()
        return .init(
          state: .init(rawValue: state) ?? .failed, code: code, message: message, backup: backup, sizeBytes: sizeBytes)
      case .refused(let code, let isBusy, let message, let remedy):
        _ = child.wait()
        throw BackupError(code, kind: isBusy ? .busy : .failed, message: message, remedy: remedy)
      default: reply.event.map(events.send)
      }
    }
    // It died, or is dying, without a word: what it started goes with it.
    child.kill()
    return nil
  }

  /// Asks the process group to end, and ends it.
  /// - Returns: whether the process ended by itself, and so told of its end.
  private func end(_ child: ChildProcess) -> Bool {
    child.terminate()
    let limit = SuspendingClock.now + Self.patienceAfterSignal
    while child.poll() == nil, SuspendingClock.now < limit { SystemTime().sleep(.milliseconds(50)) }
    let ended = child.poll()
    child.kill()
    return ended == .exited(JobChild.stoppedExitCode)
  }
}
