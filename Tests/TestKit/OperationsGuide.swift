import Foundation

/// The operations guide that this program implements, as our user gave it: what tests compare output with.
public enum OperationsGuide {
  /// The whole text.
  public static let text: String = {
    let url = Checkout.root.appendingPathComponent("Tests/Guide/backup-restore-guide.md")
    guard let text = try? String(contentsOf: url, encoding: .utf8) else { fatalError("no guide at \(url.path)") }
    return text
  }()

  /// What the guide shows as the output of a command: the comment lines after `# Output`, without their `# `.
  ///
  /// - Parameters:
  ///   - command: the beginning of the command, such as "python -m hrp.data.backup --list".
  ///   - variant: the word in brackets after "Output", such as "failure".
  /// - Returns: the lines; none when the guide shows no such output.
  public static func output(of command: String, variant: String? = nil) -> [String] {
    let lines = text.components(separatedBy: "\n")
    guard let start = lines.firstIndex(where: { $0.hasPrefix(command) }) else { return [] }
    let heading = variant.map { "# Output (\($0)):" } ?? "# Output:"
    let block = lines[start...].prefix { $0 != "```" }
    guard let output = block.firstIndex(of: heading) else { return [] }
    return block[block.index(after: output)...].prefix { $0.hasPrefix("#") }.map { String($0.dropFirst(2)) }
  }

  /// What the guide says between backquotes, such as `checksums.txt`, in the order of the text.
  public static var names: [String] {
    text.matches(of: #/`([^`\n]+)`/#).map { String($0.1) }
  }

  /// The headings of the common errors: "Backup directory not found" and so on.
  public static var errors: [String] {
    text.matches(of: #/#### "([^"]+)"/#).map { String($0.1) }
  }

  /// Whether lines are those that the guide shows, where numbers, dates and paths are ours.
  ///
  /// A line is the same when it is the same after every path, name of a backup, date and number was taken out of both.
  public static func agrees(_ lines: [String], with expected: [String]) -> Bool {
    !expected.isEmpty && lines.map(shape) == expected.map(shape)
  }

  /// A line without its paths, names of backups, dates and numbers.
  public static func shape(_ line: String) -> String {
    line.replacing(#/(\/[\w.~-]+)+/#, with: "PATH")
      .replacing(#/backup_\d{8}_\d{6}(_\d+)?/#, with: "NAME")
      .replacing(#/\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}/#, with: "DATE")
      .replacing(#/\d+(\.\d)?/#, with: "N")
  }
}
