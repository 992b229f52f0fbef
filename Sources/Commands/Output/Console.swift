internal import Files
internal import Jobs
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// What a command says: results on stdout, everything else on stderr.
struct Console: Sendable {
  let isJSON: Bool
  let isQuiet: Bool
  /// Writes progress, notices and warnings as JSON lines on stderr; nil for lines as people read them.
  var progressLines: ProgressLines?
  /// How lines of a log are written; nil for lines as people read them on a terminal.
  var logFormat: LogFormat?

  /// Writes a line of the result; writes nothing with `--json`.
  func result(_ line: String) {
    if isJSON { return }
    if logFormat != nil { return log(line, level: line.hasPrefix("✗") ? .error : .info) }
    Screen.say(Self.marked(line), on: .output)
  }

  private func log(_ line: String, level: LogLevel) {
    guard let logFormat else { return }
    let text = LogLine(level, message: line, at: SystemTime().nowNanoseconds).text(logFormat)
    Screen.write(text, on: level >= .warning ? .error : .output)
  }

  /// The one value that `--json` prints.
  func json(_ value: @autoclosure () throws -> some Encodable) throws {
    if isJSON { Screen.write(try ResultText.json(value()) + "\n", on: .output) }
  }

  /// Writes a line to stderr, even with `--quiet`.
  func warning(_ line: String) {
    if logFormat != nil { return log(line, level: .warning) }
    if let progressLines { progressLines.tell(.warning(line)) } else { Screen.say(line, on: .error) }
  }

  /// Writes a line to stderr, unless `--quiet` was given.
  func notice(_ line: String) {
    if isQuiet { return }
    if logFormat != nil { return log(line, level: .info) }
    if let progressLines { progressLines.tell(.notice(line)) } else { Screen.say(line, on: .error) }
  }

  /// Runs an operation that a signal can stop, and shows its progress and notices.
  func run<Result>(
    _ kind: JobKind, on stack: Stack, isRecorded: Bool = true, finishesPending: Bool = true,
    body: (EventStream) throws -> Result
  ) throws -> Result {
    Interruption.listen()
    defer { Screen.endProgress() }
    return try jobs(on: stack).run(
      kind, isRecorded: isRecorded, finishesPending: finishesPending, events: events, body: body)
  }

  /// The jobs of a stack.
  func jobs(on stack: Stack) -> JobRunner { JobRunner(stack, files: Kernel(), time: SystemTime()) }

  /// Shows progress and notices.
  var events: EventStream {
    let showsProgress = logFormat == nil && progressLines == nil && Screen.showsProgress(isQuiet: isQuiet)
    return EventStream([
      { event in
        if showsProgress { Screen.show(event) }
        progressLines?.take(event)
        switch event {
        case .notice(let text): notice("hrp: \(text)")
        case .waiting(_, let reason): notice("hrp: waiting: \(reason)")
        case .warning(let text): warning("hrp: warning: \(text)")
        default: break
        }
      }
    ])
  }

  /// The guide's marks, in letters for a terminal that cannot show them.
  private static func marked(_ line: String) -> String {
    guard ThisProcess.isTerminal(1), !Screen.showsUTF8 else { return line }
    return line.hasPrefix("✓") ? "[ok]" + line.dropFirst() : line.hasPrefix("✗") ? "[!!]" + line.dropFirst() : line
  }
}
