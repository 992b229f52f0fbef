internal import Backup
internal import Files
internal import SystemPackage

/// The standard streams: results on stdout, everything else on stderr.
struct Console: Sendable {
  let isJSON: Bool
  let isQuiet: Bool

  /// A line of the result; nothing with `--json`.
  func result(_ line: String) {
    if !isJSON { StandardStream.output.write(Self.marked(line) + "\n") }
  }

  /// The one value that `--json` prints.
  func json(_ value: @autoclosure () throws -> JSONText) rethrows {
    if isJSON { StandardStream.output.write(try value().rendered() + "\n") }
  }

  /// A line that is said whatever was asked for.
  func warning(_ line: String) { StandardStream.error.write(line + "\n") }

  /// A line that is not part of the result.
  func notice(_ line: String) { if !isQuiet { StandardStream.error.write(line + "\n") } }

  /// The readers of an operation's events: progress and notices here, everything in the log of the data directory.
  func events(log stack: Stack, isLogged: Bool) -> EventStream {
    var stream = EventStream()
    let kernel = Kernel()
    // A log never makes a folder where there is no stack.
    let hasStack = [stack.database, stack.dataDirectory.appending("logs")].contains { (try? kernel.exists($0)) == true }
    if isLogged, hasStack, (try? kernel.exists(stack.dataDirectory)) == true {
      let log = OperationLog(dataDirectory: stack.dataDirectory, files: kernel, time: SystemTime())
      stream = stream.adding { log.note($0) }
      let history = JobHistory(stack, files: kernel, time: SystemTime()) { notice("hrp: \($0)") }
      stream = stream.adding { history.note($0) }
    }
    let progress = ProgressLine.isWanted(isQuiet: isQuiet) ? ProgressLine(time: SystemTime()) : nil
    return stream.adding { event in
      progress?.show(event)
      switch event {
      case .notice(let text): if !isQuiet { StandardStream.error.write("hrp: \(text)\n") }
      case .warning(let text): StandardStream.error.write("hrp: warning: \(text)\n")
      default: break
      }
    }
  }

  /// The guide's marks, in letters for a terminal that cannot show them.
  private static func marked(_ line: String) -> String {
    guard ThisProcess.isTerminal(1), !showsUTF8 else { return line }
    return line.hasPrefix("✓") ? "[ok]" + line.dropFirst() : line.hasPrefix("✗") ? "[!!]" + line.dropFirst() : line
  }

  private static var showsUTF8: Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(ThisProcess.environment).first ?? ""
    return locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
  }
}
