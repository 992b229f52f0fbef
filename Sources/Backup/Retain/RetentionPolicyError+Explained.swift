package import Retention
package import Store

extension RetentionPolicyError: ExplainedError {
  package var explanation: BackupError {
    switch self {
    case .count("days", _):
      BackupError(
        "rotation.keep-days", kind: .usage, message: words,
        remedy: "To remove one backup whatever its age, delete its directory.")
    case .count, .age, .preset:
      BackupError("rotation.policy", kind: .usage, message: words, remedy: "See hrp help backup rotate.")
    }
  }

  /// What is wrong, as the message of an error: lower case, no full stop.
  private var words: String {
    switch self {
    case .count(let rule, let value):
      "--keep-\(rule) must be from 1 to \(RetentionPolicy.maximum), not \(value)"
    case .age, .preset:
      sentence.prefix(1).lowercased() + sentence.dropFirst().dropLast(sentence.hasSuffix(".") ? 1 : 0)
    }
  }
}
