import Foundation

/// What a program showed on a terminal of its own.
public struct Shown: Sendable, Decodable {
  /// The exit status.
  public let status: Int32
  /// The lines that stand on the screen in the end, without blanks at their ends.
  public let screen: [String]
  /// Every state of the line that the cursor was in, whenever the program had written something.
  public let lines: [String]
  /// How often a line that was too long went on in the next one.
  public let wraps: Int
}

/// Runs a program on a terminal of so many columns, and shows what a user would see.
///
/// - Parameters:
///   - program: its path.
///   - arguments: its arguments.
///   - columns: how wide the terminal is.
///   - resized: the columns that it has after the first second; nil: the same.
///   - folder: in which it runs.
///   - environment: what it gets beside a language and a kind of terminal.
/// - Returns: what was on the terminal.
/// - Throws: what starting the program, or reading its answer, throws.
public func runOnTerminal(
  _ program: String, _ arguments: [String], columns: Int, resized: Int? = nil, in folder: String,
  environment: [String: String] = [:]
) throws -> Shown {
  let script = folder + "/.terminal-\(UUID().uuidString).py"
  try terminalScript.write(toFile: script, atomically: true, encoding: .utf8)
  defer { try? FileManager.default.removeItem(atPath: script) }
  let done = try run(
    Checkout.python, [script, "\(columns)", "\(resized ?? columns)", program] + arguments, in: folder,
    environment: ["LANG": "C.UTF-8", "TERM": "xterm", "NO_COLOR": ""].merging(environment) { $1 })
  return try JSONDecoder().decode(Shown.self, from: Data(done.output.utf8))
}

/// A terminal: wraps, carriage return, and the sequences that move up and erase.
private let terminalScript = #"""
  import fcntl, json, os, pty, re, select, struct, sys, termios, time
  columns, resized, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
  pid, master = pty.fork()
  if pid == 0:
      time.sleep(0.05)
      os.execv(command[0], command)
  size = lambda n: fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', 50, n, 0, 0))
  size(columns)
  rows, row, column, wraps, lines, began, rest = [''], 0, 0, 0, [], time.time(), b''

  def reflow(new):
      # As VTE, iTerm and tmux do: what is too long for the new width is broken, and the cursor stays at its text.
      global rows, row, column
      broken, at = [], 0
      for number, text in enumerate(rows):
          parts = [text[i:i + new] for i in range(0, len(text), new)] or ['']
          if number == row:
              at = len(broken) + min(column // new, len(parts) - 1)
          broken += parts
      rows, row, column = broken, at, column % new

  def show(text):
      global row, column, wraps
      i = 0
      while i < len(text):
          match = re.compile(r'\x1b\[(\d*)([A-Za-z])').match(text, i)
          if match:
              i = match.end()
              if match[2] == 'A':
                  row = max(0, row - int(match[1] or 1))
              elif match[2] == 'K':
                  rows[row] = rows[row][:column]
              elif match[2] == 'J':
                  rows[row] = rows[row][:column]
                  del rows[row + 1:]
              continue
          letter = text[i]
          i += 1
          if letter == '\r':
              column = 0
          elif letter == '\n':
              row += 1
          else:
              if column == columns:
                  wraps, row, column = wraps + 1, row + 1, 0
              while len(rows) <= row:
                  rows.append('')
              rows[row] = rows[row][:column].ljust(column) + letter + rows[row][column + 1:]
              column += 1
          while len(rows) <= row:
              rows.append('')

  while True:
      if resized != columns and time.time() - began > 1:
          columns = resized
          reflow(columns)
          size(columns)
      if not select.select([master], [], [], 0.05)[0]:
          continue
      try:
          data = os.read(master, 65536)
      except OSError:
          break
      if not data:
          break
      rest += data
      try:
          text, rest = rest.decode(), b''
      except UnicodeDecodeError:
          continue
      show(text)
      lines.append(rows[row].rstrip())
  status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
  screen = [line.rstrip() for line in rows]
  while screen and not screen[-1]:
      screen.pop()
  print(json.dumps({'status': status, 'screen': screen, 'lines': lines, 'wraps': wraps}))
  """#
