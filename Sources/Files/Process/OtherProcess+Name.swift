internal import SystemPackage

/// What errors call another process.
extension OtherProcess {
  /// The holder of a lock for people: "PID 12 (python)"; 0 is one that this container does not see.
  package static func name(of pid: Int32) -> String {
    pid == 0 ? "a process in another container" : "PID \(pid)\(program(of: pid).map { " (\($0))" } ?? "")"
  }

  /// The program of a process, as the system names it; nil when it is gone or not ours to know.
  package static func program(of pid: Int32) -> String? {
    guard pid > 0 else { return nil }
    return text(FilePath("/proc/\(pid)/comm")).map { String($0.prefix { $0 != "\n" }) }
  }

  /// A process for people: "PID 12 (python), since 2026-01-24 14:30:52".
  package static func words(of pid: Int32) -> String {
    if pid <= 0 { return "a process outside of this container (PID 0)" }
    return "PID \(pid)" + (program(of: pid).map { " (\($0))" } ?? "")
      + (start(of: pid).map { ", since \(LocalTime(nanoseconds: $0).plain)" } ?? "")
  }
}
