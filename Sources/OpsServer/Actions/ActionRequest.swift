internal import Store

/// What an action is asked to do: the body of a POST.
package struct ActionRequest: Decodable, Sendable {
  /// What can be done over HTTP; a restore never is.
  package enum Kind: String, Decodable, Sendable {
    case backup, verify, drill, pin
  }

  package let action: Kind
  /// The name of a backup; the newest one when there is none.
  package let backup: String?
  /// How deep a verification looks.
  package let level: String?
  /// Why a backup is pinned.
  package let reason: String?

  private enum CodingKeys: String, CodingKey, CaseIterable { case action, backup, level, reason }

  /// Any key: one that means nothing here is refused, since somebody meant something by it.
  private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int? = nil

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  package init(from decoder: any Decoder) throws {
    let known = Set(CodingKeys.allCases.map(\.rawValue))
    if let key = try decoder.container(keyedBy: AnyKey.self).allKeys.first(where: { !known.contains($0.stringValue) }) {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(codingPath: [key], debugDescription: "there is no key \(key.stringValue)"))
    }
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    action = try fields.decode(Kind.self, forKey: .action)
    backup = try fields.decodeIfPresent(String.self, forKey: .backup)
    level = try fields.decodeIfPresent(String.self, forKey: .level)
    reason = try fields.decodeIfPresent(String.self, forKey: .reason)
  }

  /// The words of the command line that does it, without those that name the stack.
  /// - Parameter known: the names of the backups that there are.
  /// - Throws: `ActionError`.
  package func words(known: [String]) throws(ActionError) -> [String] {
    let text = reason ?? "pinned over HTTP"
    guard text.unicodeScalars.count <= 500, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw ActionError.invalid("reason is longer than 500 characters, or has control characters")
    }
    guard let level = VerificationLevel(rawValue: level ?? VerificationLevel.structure.rawValue) else {
      throw ActionError.invalid("level is none of checksums, structure, engine")
    }
    switch action {
    case .backup: return ["backup", "create"]
    case .verify: return ["backup", "verify", try name(in: known), "--level", level.rawValue]
    case .drill: return ["backup", "drill", try name(in: known)]
    case .pin: return ["backup", "pin", try name(in: known), "--reason=\(text)"]
    }
  }

  /// A name that was not found in the list never becomes a word of a command line.
  private func name(in known: [String]) throws(ActionError) -> String {
    guard let name = backup ?? known.first else { throw ActionError.noBackup("there is no backup") }
    guard let found = known.first(where: { $0 == name }) else { throw ActionError.noBackup("there is no such backup") }
    return found
  }
}

/// Why an action is not begun.
package enum ActionError: Error, Equatable {
  /// The request makes no sense: why.
  case invalid(String)
  /// The backup that is named is not there.
  case noBackup(String)
  /// An action, or a job of the scheduler, is running: which.
  case busy(String)
}
