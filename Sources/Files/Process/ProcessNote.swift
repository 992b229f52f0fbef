/// Who holds a lock: PID, program, host, since when.
package struct ProcessNote: Sendable, Equatable {
  package let pid: Int32
  package let program: String
  package let host: String
  /// Local time, `2026-01-24 14:30:52`.
  package let since: String

  package init(pid: Int32, program: String, host: String, since: String) {
    self.pid = pid
    self.program = program
    self.host = host
    self.since = since
  }

  /// One line, the fields separated by tabs.
  package var text: String { "\(pid)\t\(program)\t\(host)\t\(since)\n" }

  package init?(text: String) {
    let fields = text.split(separator: "\n").first?.split(separator: "\t", omittingEmptySubsequences: false) ?? []
    guard fields.count == 4, let pid = Int32(fields[0]) else { return nil }
    self.init(pid: pid, program: String(fields[1]), host: String(fields[2]), since: String(fields[3]))
  }

  /// The command `hrp backup create (PID 123 on lab, since 2026-01-24 14:30:52)`.
  package var words: String { "\(program) (PID \(pid) on \(host), since \(since))" }
}
