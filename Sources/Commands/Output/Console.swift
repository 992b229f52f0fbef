internal import Backup
internal import Files
internal import SystemPackage

/// What a command says: results on stdout, everything else on stderr.
struct Console: Sendable {
  let isJSON: Bool
  let isQuiet: Bool

  /// A line of the result; nothing with `--json`.
  func result(_ line: String) { if !isJSON { Screen.say(Self.marked(line), on: .output) } }

  /// The one value that `--json` prints.
  func json(_ value: @autoclosure () throws -> JSONText) rethrows {
    if isJSON { Screen.write(try value().rendered() + "\n", on: .output) }
  }

  /// A line that is said whatever was asked for.
  func warning(_ line: String) { Screen.say(line, on: .error) }

  /// A line that is not part of the result.
  func notice(_ line: String) { if !isQuiet { Screen.say(line, on: .error) } }

  /// The readers of an operation's events: progress and notices here, everything in the log of the data directory.
  func events(log stack: Stack, isLogged: Bool) -> EventStream {
    var stream = EventStream()
    let kernel = Kernel()
    // A log never makes a folder where there is no stack.
    let hasStack = [stack.database, stack.dataDirectory.appending("logs")].contains { path in
      forPeople { try kernel.exists(path) } == true
    }
    if isLogged, hasStack, !stack.isInBackup, forPeople({ try kernel.exists(stack.dataDirectory) }) == true {
      let log = OperationLog(dataDirectory: stack.dataDirectory, files: kernel, time: SystemTime())
      stream = stream.adding { log.note($0) }
      let history = JobHistory(stack, files: kernel, time: SystemTime()) { notice("hrp: \($0)") }
      stream = stream.adding { history.note($0) }
    }
    let showsProgress = Screen.showsProgress(isQuiet: isQuiet)
    return stream.adding { event in
      if showsProgress { Screen.show(event) }
      switch event {
      case .notice(let text): notice("hrp: \(text)")
      case .waiting(_, let reason): notice("hrp: waiting: \(reason)")
      case .warning(let text): warning("hrp: warning: \(text)")
      default: break
      }
    }
  }

  /// The guide's marks, in letters for a terminal that cannot show them.
  private static func marked(_ line: String) -> String {
    guard ThisProcess.isTerminal(1), !Screen.showsUTF8 else { return line }
    return line.hasPrefix("✓") ? "[ok]" + line.dropFirst() : line.hasPrefix("✗") ? "[!!]" + line.dropFirst() : line
  }
}
