package import Advice
package import Files
internal import Settings
package import Stacks
internal import SystemPackage

/// Whether the jobs of a stack are run by somebody.
package struct ServiceDiagnosis {
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
          name, state: .warning, detail: "it is a service of this user, and ends when the user logs out",
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
    let life = SchedulerLife(of: stack, files: files, time: time)
    if let began = life.newest, life.isRecent {
      return DiagnosisRow(
        name, state: .good, detail: "one began \(LocalTime(nanoseconds: began).plain), as cron starts it")
    }
    return DiagnosisRow(
      name, state: .warning, detail: "none runs: backups are made only by hand", remedy: "hrp service install")
  }
}
