internal import Jobs
internal import Notices
internal import Settings
internal import Stacks

// Who is told when something goes wrong.

extension Diagnosis {
  /// Whether notices can be sent, and whether the last ones arrived.
  func notices() throws -> [DiagnosisRow] {
    let settings = stack.settings.notices
    let channels = NoticeChannel.allCases.filter { settings.isConfigured($0) }.map(\.rawValue)
    guard !channels.isEmpty else {
      return [
        DiagnosisRow(
          "notices", state: .warning,
          detail: "none are configured: nobody is told when a scheduled backup fails (docs/operations/notices.md)",
          remedy: "hrp config init writes a file that explains them")
      ]
    }
    let problems = NoticeCheck.problems(settings, dataDirectory: stack.dataDirectory, files: files).map {
      DiagnosisRow("notices", state: .failure, detail: $0.message, remedy: $0.remedy)
    }
    let lost = try Catalogue.ifPresent(of: stack, files: files, time: time)?.lostNotices()
    let warnings = (lost ?? []).filter { channels.contains($0.channel) }.map { notice in
      DiagnosisRow(
        "notices", state: .warning,
        detail:
          "the notice of \(notice.kind) by \(notice.channel) was not delivered (\(notice.at.prefix(19))): "
          + notice.words,
        remedy: "hrp notify test")
    }
    let rows = problems + warnings
    return rows.isEmpty ? [DiagnosisRow("notices", state: .good, detail: channels.joined(separator: ", "))] : rows
  }
}
