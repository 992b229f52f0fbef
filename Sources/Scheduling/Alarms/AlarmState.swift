/// What people were told last of the protection of a stack.
package struct AlarmState: Codable, Sendable, Equatable {
  /// What the reasons are about why it is not protected, such as "backup"; empty when it is.
  package var subjects: [String]
  /// When people were told last, in nanoseconds since 1970 UTC.
  package var toldAt: Int64
  /// When it was looked at last, in nanoseconds since 1970 UTC.
  package var lookedAt: Int64

  package init(subjects: [String], toldAt: Int64, lookedAt: Int64) {
    self.subjects = subjects
    self.toldAt = toldAt
    self.lookedAt = lookedAt
  }
}
