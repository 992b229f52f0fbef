/// A text is no time of day.
package struct UnusableTime: Error, Sendable, Equatable {
  /// This sentence tells what is wrong with the text.
  package let message: String
}
