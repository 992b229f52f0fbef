/// Why a retention policy cannot be used.
package enum RetentionPolicyError: Error, Sendable, Equatable {
  /// A count or a number of days is out of range: which one, and what was given.
  case count(String, Int)
  /// A text is not an age.
  case age(String)
  /// A text is not a preset.
  case preset(String)

  /// The error as a full sentence for people.
  package var sentence: String {
    switch self {
    case .count(let rule, let value):
      "The number for \"\(rule)\" must be from 1 to \(RetentionPolicy.maximum), not \(value)."
    case .age(let text):
      "The age \"\(text)\" is not valid: write whole numbers with y, m, d and h, each unit once, such as 1y5m7d2h."
    case .preset(let text):
      "The preset \"\(text)\" is not valid: write numbers from 1 to \(RetentionPolicy.maximum) for days, weeks, months "
        + "and, if you like, years, such as 7/4/12 or 7/4/12/3."
    }
  }
}
