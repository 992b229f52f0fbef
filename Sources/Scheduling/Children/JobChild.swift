internal import Files
internal import Jobs
internal import Stacks
internal import Store

/// The process of a job: `hrp` started with a hidden subcommand.
///
/// It goes on when the scheduler is gone: it holds the lock of running jobs, and writes its own end down.
package enum JobChild {
  /// The name of the hidden subcommand.
  package static let command = "scheduler-job"
  /// The exit code after SIGTERM: it has told of its end.
  static let stoppedExitCode: Int32 = 143

  /// Reads a request, does what it asks for, and ends the process.
  ///
  /// The exit code is 0 when the job is done, 3 when its backup is incomplete, 1 when it failed, 143 after SIGTERM.
  package static func serve() -> Never {
    Interruption.listen()
    ThisProcess.ignoreBrokenPipes()
    let request: JobRequest
    do {
      guard let line = try ChildStream(Descriptor(number: 0)).line() else { ThisProcess.exit(2) }
      request = try StoredJSON.value(JobRequest.self, of: line)
    } catch { ThisProcess.exit(2) }
    let events = EventStream([{ event in JobReply(event).map(tell) }])
    do {
      let stack = try Stack.load(request.settings, files: Kernel())
      let run = JobRun(
        try request.jobSettings(in: stack), of: stack, rotation: try request.rotation(of: stack), files: Kernel(),
        time: SystemTime(), events: events)
      let outcome = try run.run(request.slot, wasKilled: request.wasKilled)
      tell(JobReply(outcome))
      ThisProcess.exit(outcome.state == .completed ? 0 : outcome.state == .partial ? 3 : 1)
    } catch let stopped as Interruption.Stopped {
      ThisProcess.exit(stopped.exitCode)
    } catch {
      tell(JobReply(BackupError(error, doing: "running the job")))
      ThisProcess.exit(1)
    }
  }

  private static func tell(_ reply: JobReply) {
    // Where nobody reads any more, the records still say how it ended.
    guard let line = parsed({ try reply.line }) else { return }
    StandardStream.output.write(line)
  }
}
