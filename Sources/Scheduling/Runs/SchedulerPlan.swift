package import Settings
package import Stacks

/// A stack with its jobs, as they are configured now.
package struct SchedulerPlan: Sendable {
  package let stack: Stack
  /// What named the stack: its jobs are told the same.
  package let settings: StackSettings
  package let jobs: [JobSettings]
  /// What `--backup-keep-days` said; nil when the configuration decides.
  package let keepDays: Int?

  /// - Throws: `RetentionPolicyError` for a number of days that is none.
  package init(stack: Stack, settings: StackSettings, jobs: [JobSettings], keepDays: Int? = nil) throws {
    _ = try stack.settings.rotation(keepingDays: keepDays)
    self.stack = stack
    self.settings = settings
    self.jobs = jobs
    self.keepDays = keepDays
  }
}
