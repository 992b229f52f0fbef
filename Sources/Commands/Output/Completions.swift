internal import ArgumentParser
internal import Files
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

extension CompletionKind {
  /// `latest`, `latest-valid`, the backups with the newest first, and `PLACE:` for those of a second place.
  static var backups: CompletionKind { offering { try $0.backups } }

  /// The second places that the configuration names.
  static var places: CompletionKind { offering { $0.places } }

  /// The backups in the trash.
  static var trash: CompletionKind { offering { try $0.trash } }

  /// The jobs of the schedule.
  static var jobs: CompletionKind { offering { $0.jobs } }

  private static func offering(_ names: @Sendable @escaping (StackNames) throws -> [String]) -> CompletionKind {
    .custom { words, index, _ in TypedLine(words, at: index).offer(names) }
  }
}

/// A command line that is being typed, and what a shell may offer in it.
///
/// A shell asks at each press of the tab key. So only names are read and no contents, nothing is written, and whatever
/// goes wrong offers nothing: a message would stand in the middle of the line.
struct TypedLine {
  /// A word is for the shell to evaluate, which only the shell can.
  private struct NeedsShell: Error {}

  /// The word in which the cursor is, as it was typed.
  private let word: String
  /// All the other words, as they were typed.
  private let others: [String]

  init(_ words: [String], at index: Int) {
    word = words.indices.contains(index) ? words[index] : ""
    others = words.enumerated().filter { $0.offset != index }.map(\.element)
  }

  /// What of a stack is offered, in the form that the shell expects; nothing when it cannot be found out.
  func offer(_ names: (StackNames) throws -> [String]) -> [String] {
    let found = forPeople { try names(StackNames(of: stack, typed: word)) } ?? []
    // Bash evaluates what it is offered, so a name such as $(…) must not reach it.
    let plain = found.filter { $0.utf8.allSatisfy(Self.isPlain) }
    // To zsh a colon is the end of the word and the beginning of its description.
    return CompletionShell.requesting == .zsh ? plain.map { $0.replacing(":", with: "\\:") } : plain
  }

  /// The stack that this line means.
  private var stack: Stack {
    get throws {
      let named = StackSettings(
        dataDirectory: try value(of: "--data-dir"), backupDirectory: try value(of: "--backup-dir"))
      let stack = try Stack.load(named, files: Kernel())
      guard let place = try value(of: "--at") else { return stack }
      let directory = try stack.place(named: place, files: Kernel(), time: SystemTime())
      try directory.check()
      return stack.looking(in: directory.path)
    }
  }

  /// The value of an option on this line; nil when the option is not there.
  /// - Throws: when only the shell can tell the value: `--data-dir "$DIR"`.
  private func value(of option: String) throws -> String? {
    var value: String?
    for (number, other) in others.enumerated() {
      if other == option, number + 1 < others.count { value = others[number + 1] }
      if other.hasPrefix(option + "=") { value = String(other.dropFirst(option.count + 1)) }
    }
    return try value.map(Self.unquoted)
  }

  /// A word without the quotes that a shell takes away.
  private static func unquoted(_ word: String) throws -> String {
    var (text, quote, isEscaped): (String, Character?, Bool) = ("", nil, false)
    for character in word {
      if isEscaped {
        text.append(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if character == quote {
        quote = nil
      } else if quote == nil, character == "'" || character == "\"" {
        quote = character
      } else if quote != "'", character == "$" || character == "`" {
        throw NeedsShell()
      } else {
        text.append(character)
      }
    }
    return text
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "_-.:+@%".utf8.contains(byte)
    }
  }
}

/// The names that a stack has, for a word that is being typed.
struct StackNames {
  private let stack: Stack
  private let word: String

  /// - Parameter word: what is typed; it may begin with a place and a colon.
  init(of stack: Stack, typed word: String) {
    self.stack = stack
    self.word = word
  }

  /// What `hrp backup verify` and its like take.
  var backups: [String] {
    get throws {
      if let place = stack.secondPlaces.first(where: { word.hasPrefix($0.name + ":") }) {
        let directory = stack.place(place, files: Kernel(), time: SystemTime())
        try directory.check()
        return try names(in: directory.backups).map { "\(place.name):\($0)" }
      }
      // A place is looked into only when it was named: its disk may be slow, or far away.
      let elsewhere = stack.secondPlaces.flatMap { ["\($0.name):", "\($0.name):latest"] }
      let here = forPeople { try names(in: BackupDirectory(stack.backupDirectory, files: Kernel())) } ?? []
      return here + elsewhere
    }
  }

  /// The places by name.
  var places: [String] { stack.secondPlaces.map(\.name) }

  /// The backups in the trash, the one that was deleted last at the front.
  var trash: [String] {
    get throws {
      try Trash(of: stack.backupDirectory, files: Kernel(), time: SystemTime()).entries().reversed().map {
        ByteText.escaped($0.name.bytes)
      }
    }
  }

  /// The ids of the jobs.
  var jobs: [String] { stack.settings.schedule.jobs.map(\.id) }

  /// The finished backups in a directory, the newest first, behind the words for them; nothing when there are none.
  private func names(in directory: BackupDirectory) throws -> [String] {
    let finished = try directory.names().filter { name in
      let list = directory.path.appending(name.path.components).appending(BackupLayout.checksums.name.path.components)
      return try directory.files.statusIfPresent(list)?.kind == .regular
    }
    let order = finished.map { (timestamp: BackupLayout.timestamp(ofName: $0) ?? .min, name: $0) }
      .sorted { ($1.timestamp, $1.name) < ($0.timestamp, $0.name) }
    return order.isEmpty ? [] : ["latest", "latest-valid"] + order.map { ByteText.escaped($0.name.bytes) }
  }
}
