internal import Jobs
private import Synchronization

/// What this process ran and could not write down, so that it does not run it again.
package final class UnrecordedSlots: Sendable {
  private let slots = Mutex<[SlotRecord]>([])

  package init() {}

  func note(_ record: SlotRecord) {
    slots.withLock { slots in
      slots.removeAll { $0.job == record.job && $0.due == record.due }
      slots.append(record)
    }
  }

  func records(of job: String?) -> [SlotRecord] {
    slots.withLock { slots in slots.filter { job == nil || $0.job == job } }
  }
}
