internal import Files

extension Notice {
  /// The most bytes of a message on one line.
  private static let maximumLine = 300

  /// The subject of an e-mail: "[hrp] lab: backup failed".
  package var subject: String {
    let place = environment.map { "\(stack) (\($0))" } ?? stack
    return "[hrp] \(place): \(kind.words)"
  }

  /// One line for a chat: the subject, and the first line of the message.
  package var summary: String {
    let line = message.split(separator: "\n").first.map { ": \(Self.cut(String($0), bytes: Self.maximumLine))" } ?? ""
    return subject + line
  }

  /// The text of an e-mail, for people.
  package var text: String {
    var lines = ["\(kind.sentence(of: stack)) on \(host).", ""]
    if !message.isEmpty { lines += [message, ""] }
    let facts: [(name: String, value: String?)] = [
      ("Job", job), ("Backup", backup), ("Size", sizeBytes.map { ByteCount.text($0) }),
      ("Took", durationSeconds.map { "\(Int($0.rounded())) s" }), ("Error", code), ("Environment", environment),
      ("When", LocalTime(nanoseconds: timestamp).iso8601WithOffset),
    ]
    for (name, value) in facts { lines += value.map { ["\(name): \($0)"] } ?? [] }
    return (lines + ["", kind.advice, ""]).joined(separator: "\n")
  }
}

extension Notice.Kind {
  /// As the subject says it.
  var words: String {
    switch self {
    case .start: "backup started"
    case .success: "backup succeeded"
    case .failure: "backup failed"
    case .unprotected: "not protected"
    case .protected: "protected again"
    case .reminder: "still not protected"
    case .test: "test notice"
    }
  }

  /// What happened, without the machine and without a full stop.
  func sentence(of stack: String) -> String {
    switch self {
    case .start: "A backup of \(stack) was started"
    case .success: "A backup of \(stack) was made"
    case .failure: "The backup of \(stack) failed"
    case .unprotected: "The stack \(stack) is not protected any more"
    case .protected: "The stack \(stack) is protected again"
    case .reminder: "The stack \(stack) is still not protected"
    case .test: "This is a test notice of the stack \(stack)"
    }
  }

  /// What to do.
  var advice: String {
    switch self {
    case .start, .success, .protected: "There is nothing to do. What holds now: hrp status"
    case .failure, .unprotected, .reminder: "What to do: hrp status says why, and what helps. hrp doctor looks further."
    case .test: "There is nothing to do: notices arrive. What holds now: hrp status"
    }
  }
}
