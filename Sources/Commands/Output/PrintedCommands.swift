package import ArgumentParser
internal import Files
internal import Stacks

/// Makes the commands in texts for people mean the stack that this command worked on.
///
/// Remedies are written far below, where nobody knows how the stack was named: "hrp backup list". Whoever typed
/// `--data-dir /mnt/lab` would see another stack with that. So the options are put in here, at the edge.
package struct PrintedCommands: Sendable {
  /// The options of the running command.
  @TaskLocal static var current = PrintedCommands(options: [], target: nil, commands: [])

  /// Options with their values, ready for a shell, that every command on this stack needs.
  let options: [(name: String, value: String)]
  /// The target directory of a restore, quoted for a shell; nil when the stack itself was the target.
  let target: String?
  /// The names of all commands that work on a stack, as they are typed after `hrp`.
  let commands: [String]

  package init(options: [(name: String, value: String)], target: String?, commands: [String]) {
    self.options = options
    self.target = target
    self.commands = commands
  }

  /// The options of a command as it was typed; none where the bare command finds the same stack.
  /// - Parameter root: the command `hrp`.
  init(of command: any ParsableCommand, below root: any ParsableCommand.Type) {
    guard let command = command as? any StackCommand else {
      self.init(options: [], target: nil, commands: [])
      return
    }
    self.init(
      options: command.place.isNeeded ? command.place.typed : [],
      target: command.target.map { ShellWord.quoted(Stack.absolute($0)) }, commands: Self.commands(below: root))
  }

  /// The text with the options in every command of `hrp` that takes them and does not have them yet.
  package func completed(_ text: String) -> String {
    if options.isEmpty, target == nil || !text.contains("hrp backup undo") { return text }
    var result = ""
    var rest = text[...]
    while let range = rest.firstRange(of: "hrp ") {
      let isWord = range.lowerBound == rest.startIndex || !Self.isLetter(rest[rest.index(before: range.lowerBound)])
      let path = isWord ? command(at: rest[range.upperBound...]) : nil
      guard let path else {
        result += rest[..<range.upperBound]
        rest = rest[range.upperBound...]
        continue
      }
      result += rest[..<path.endIndex]
      rest = rest[path.endIndex...]
      let ownWords = rest.firstRange(of: "hrp ").map { rest[..<$0.lowerBound] } ?? rest
      var missing = options
      if let target, path == "backup undo" { missing.insert(("--target-dir", target), at: 0) }
      for (name, value) in missing where !ownWords.contains(name) { result += " \(name) \(value)" }
    }
    return result + rest
  }

  /// The words of a stack command at the beginning of a text, such as "backup list"; nil when there is none.
  private func command(at text: Substring) -> Substring? {
    commands.first { text.hasPrefix($0) && !Self.isLetter(text.dropFirst($0.count).first) }.map {
      text.prefix($0.count)
    }
  }

  private static func isLetter(_ character: Character?) -> Bool {
    character.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == "/" } ?? false
  }

  /// The names of all commands that work on a stack.
  /// - Parameter root: the command `hrp`.
  package static func commands(below root: any ParsableCommand.Type) -> [String] {
    var paths: [String] = []
    for command in root.configuration.subcommands where command is any StackCommand.Type {
      let name = command.configuration.commandName ?? ""
      let nested = command.configuration.subcommands.compactMap { $0.configuration.commandName }
      paths += nested.isEmpty ? [name] : nested.map { "\(name) \($0)" }
    }
    return paths
  }
}
