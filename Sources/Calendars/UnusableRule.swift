/// A rule names a minute or a day that no month and no hour has.
package struct UnusableRule: Error, Sendable, Equatable {
  /// This sentence tells what is wrong with the rule.
  package let message: String
}
