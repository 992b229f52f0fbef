package import Advice
internal import Calendars
package import Files
internal import Jobs
internal import Settings
package import Stacks
internal import SystemPackage

/// Whether the jobs of a stack are run by somebody.
package struct ServiceDiagnosis {
  private static let dayNanoseconds: Int64 = 86_400 * 1_000_000_000

  private let stack: Stack
  private let service: ServiceInstallation
  private let files: any FileSystem
  private let time: any TimeSource

  package init(_ stack: Stack, service: ServiceInstallation, files: any FileSystem, time: any TimeSource) {
    self.stack = stack
    self.service = service
    self.files = files
    self.time = time
  }

  /// What doctor says of it; nil when no job is configured.
  /// - Throws: `SystemError` when it cannot be told.
  package func row() throws -> DiagnosisRow? {
    let jobs = stack.settings.isSwitchedOff.value ? [] : stack.settings.schedule.jobs
    guard !jobs.isEmpty else { return nil }
    let name = "scheduler"
    if try service.isOfStack() {
      guard try service.isActive() else {
        return DiagnosisRow(
          name, state: .failure,
          detail: "it is installed as a service, and \(service.manager.rawValue) does not run it",
          remedy: "hrp service install")
      }
      guard service.lingers != false else {
        return DiagnosisRow(
          name, state: .failure, detail: "it is a service of this user, and ends when the user logs out",
          remedy: "loginctl enable-linger")
      }
      return DiagnosisRow(name, state: .good, detail: "it runs as a service of \(service.manager.rawValue)")
    }
    if try files.exists(stack.dataDirectory),
      try AdvisoryLock.isHeld(.scheduler, on: stack.dataDirectory, files: files)
    {
      return DiagnosisRow(
        name, state: .warning, detail: "it runs, and nobody starts it again after the machine was off",
        remedy: "hrp service install")
    }
    if let began = lastRun, time.nowNanoseconds - began < interval(of: jobs) + Self.dayNanoseconds {
      return DiagnosisRow(name, state: .good, detail: "a job ran \(LocalTime(nanoseconds: began).plain)")
    }
    return DiagnosisRow(
      name, state: .warning, detail: "none runs: backups are made only by hand", remedy: "hrp service install")
  }

  /// When the newest run began, such as one by cron; nil when none is known.
  private var lastRun: Int64? {
    let catalogue = Catalogue.ifPresent(of: stack, files: files, time: time)
    return forPeople { try catalogue?.slots(limit: 1).first?.beganAt } ?? nil
  }

  private func interval(of jobs: [JobSettings]) -> Int64 {
    Int64(jobs.map(\.schedule.rule.nominalSeconds).min() ?? 0) * 1_000_000_000
  }
}
