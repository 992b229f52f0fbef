/// One scheduled run of a job: the job, and the time at which it is due.
package struct Slot: Hashable, Sendable {
  /// The id of the job.
  package let job: String
  /// When it is due, in nanoseconds since 1970 UTC.
  package let due: Int64

  package init(job: String, due: Int64) {
    self.job = job
    self.due = due
  }
}
