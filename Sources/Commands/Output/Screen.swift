internal import Files
internal import Store
internal import Synchronization

/// The two streams of this process as its user sees them: everything that a command says passes here.
///
/// Results and progress share a terminal, so the progress line is erased before anything else is written, and
/// whatever a stranger could have put into a text is made harmless here and nowhere else.
enum Screen {
  private static let line = Mutex(ProgressLine())

  /// Says one line.
  ///
  /// It stays one line, whatever is in it; commands of `hrp` in it get the options that name this stack.
  static func say(_ text: String, on stream: StandardStream) {
    let line = text.split(separator: "\n").joined(separator: " / ")
    write(TerminalText.safe(PrintedCommands.current.completed(line)) + "\n", on: stream)
  }

  /// Says a text that may have several lines.
  static func sayLines(_ text: String, on stream: StandardStream) {
    write(TerminalText.safe(PrintedCommands.current.completed(text), keepsLines: true), on: stream)
  }

  /// Writes what needs no such care: JSON, which is escaped already.
  static func write(_ text: String, on stream: StandardStream) {
    line.withLock { line in
      erase(&line)
      stream.write(text)
    }
  }

  // MARK: - Progress

  /// Whether there is a progress line: only on a terminal that can erase it, and not when the user asked for quiet or
  /// plain text.
  static func showsProgress(isQuiet: Bool) -> Bool {
    !isQuiet && ThisProcess.isTerminal(2) && ThisProcess.environment("NO_COLOR") == nil
      && ThisProcess.environment("TERM") != "dumb"
  }

  /// Takes an event, and shows how far things are.
  static func show(_ event: Event) {
    let isFirst = line.withLock { line in
      line.take(event, at: SystemTime().monotonicNanoseconds)
      draw(&line)
      return line.startsTicking()
    }
    if isFirst { startTicking() }
  }

  /// Takes the progress line away, when an operation is over, however it ended.
  static func endProgress() {
    line.withLock { line in
      erase(&line)
      line = ProgressLine(isTicking: line.isTicking)
    }
  }

  /// Draws the line anew now and then, also while the operation waits for a disk or for DuckDB.
  private static func startTicking() {
    // Without a thread the line moves only when something happens.
    ignoringFailure {
      _ = try Workers<Int>(count: 1, capacity: 1) {
        while true {
          SystemTime().sleep(.milliseconds(250))
          line.withLock { draw(&$0) }
        }
      }
    }
  }

  private static func draw(_ line: inout ProgressLine) {
    let now = SystemTime().monotonicNanoseconds
    guard line.isDue(at: now) else { return }
    // The width is asked for each time: the window may have been resized.
    let width = ThisProcess.terminalWidth(2) ?? 80
    StandardStream.error.write(line.redrawn(at: now, width: width, showsUTF8: showsUTF8))
  }

  private static func erase(_ line: inout ProgressLine) {
    guard let text = line.erased(width: ThisProcess.terminalWidth(2) ?? 80) else { return }
    StandardStream.error.write(text)
  }

  /// Whether the terminal shows more than ASCII, as the locale says.
  static let showsUTF8: Bool = {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(ThisProcess.environment).first ?? ""
    return locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
  }()
}
