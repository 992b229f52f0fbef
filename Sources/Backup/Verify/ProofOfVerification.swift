internal import Files
internal import Store
internal import SystemPackage

/// What a verification changes in the proof of a backup.
///
/// A failure is noted. A success removes a noted failure of the same or a lower level. A failed drill stays noted until
/// a drill passes.
enum ProofOfVerification: Equatable {
  case unchanged
  case written(Proof)
  /// The proof is removed, because it held only the failure that is taken back.
  case removed

  /// - Parameter findings: only those that are the backup's own.
  init(
    level: VerificationLevel, findings: [Finding], engine: String?, seconds: Double, at: String, checksums: Digest,
    earlier: Proof?
  ) {
    let level = Proof.Level(level)
    if findings.isEmpty {
      self = Self.success(level, earlier: earlier)
      return
    }
    // A deeper failure holds more than this one.
    if let earlier, !earlier.isOK, earlier.level > level {
      self = .unchanged
      return
    }
    let drill = earlier.flatMap { earlier in
      earlier.isOK && earlier.level == .drill
        ? Proof.Passed(
          at: earlier.at, engine: earlier.engine, durationSeconds: earlier.durationSeconds, tables: earlier.tables)
        : earlier.passed
    }
    self = .written(
      Proof(
        checksums: checksums.hex, level: level, isOK: false, at: at, engine: engine ?? "", durationSeconds: seconds,
        findings: findings.prefix(100).map(\.line), damaged: Finding.damagedFiles(findings), tables: [],
        first: earlier?.first, passed: drill))
  }

  private static func success(_ level: Proof.Level, earlier: Proof?) -> ProofOfVerification {
    guard let earlier, !earlier.isOK, earlier.level <= level else { return .unchanged }
    guard let drill = earlier.passed else {
      // What the first drill read is never thrown away; there was a drill, and it failed.
      return earlier.first == nil ? .removed : .unchanged
    }
    return .written(
      Proof(
        checksums: earlier.checksums, level: .drill, isOK: true, at: drill.at, engine: drill.engine,
        durationSeconds: drill.durationSeconds, findings: [], tables: drill.tables, first: earlier.first))
  }
}

extension Verification {
  /// Notes in the proof of a backup what a verification of it showed.
  ///
  /// A failure that this machine or user may have caused is not noted. A proof that cannot be written is a warning.
  func record(_ report: VerificationReport, of backup: FilePath, metadata: BackupMetadata?, seconds: Double) {
    guard let checksums = metadata?.checksumsDigest, let name = backup.lastComponent.map({ FileName($0) })
    else { return }
    let findings = report.findings.filter { !$0.mayBeOfMachine }
    guard !findings.isEmpty || report.isOK else { return }
    let proofs = ProofDirectory(of: backup.folder, files: files)
    let noted = proofs.proof(of: name, checksums: checksums)
    if let problem = noted.problem {
      if !findings.isEmpty { warn("the proof of \(ByteText.escaped(name.bytes)) cannot be read: \(problem)") }
      return
    }
    let change = ProofOfVerification(
      level: report.level, findings: findings, engine: report.engine?.version,
      seconds: seconds.roundedToMilliseconds, at: LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset,
      checksums: checksums, earlier: noted.value)
    do {
      switch change {
      case .unchanged: break
      case .written(let proof): try proofs.write(proof, of: name)
      case .removed: try proofs.remove(name)
      }
    } catch {
      warn("\(error)")
    }
  }

  private func warn(_ words: String) {
    events.send(
      .warning(
        "what was found could not be written down beside the backup, and other commands will not know of it: \(words)"))
  }
}
