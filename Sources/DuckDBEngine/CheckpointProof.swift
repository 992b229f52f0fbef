internal import Files

/// Has the engine write a checkpoint of a scratch copy, close it, and open it again: runs in the child.
///
/// DuckDB 2.0.0 and 2.0.1 sometimes replay a WAL with deletes into an index that every query finds right and that the
/// next checkpoint refuses; the writer of such a database dies of it as well. The engine writes only what changed, so
/// this takes little memory (`docs/operations/verification.md`).
struct CheckpointProof {
  let session: EngineSession
  let request: EngineRequest
  let tell: (EngineReply) -> Void

  /// - Returns: whether the database is open again.
  func run() throws(EngineSession.Failure) -> Bool {
    tell(.at("the checkpoint"))
    let database = try EngineCatalogue(session).database
    do throws(EngineSession.Failure) {
      try session.run("CHECKPOINT \(database)")
    } catch {
      tell(.problem(name: "the checkpoint", detail: error.words))
      return false
    }
    tell(.at("the database, opened again after its checkpoint"))
    do throws(EngineSession.Failure) {
      session.close()
      try session.open(request)
    } catch {
      tell(.problem(name: "the database does not open after its checkpoint", detail: error.words))
      return false
    }
    return true
  }

  /// Whether all tables read as they did.
  ///
  /// - Returns: whether they do.
  func compare(_ before: [TableFingerprint]) throws(EngineSession.Failure) -> Bool {
    let tables = Dictionary(try EngineCatalogue(session).tables().map { ($0.path, $0) }) { left, _ in left }
    var isSame = true
    for fingerprint in before {
      let name = "table \(fingerprint.name)"
      tell(.at("\(name), after the checkpoint"))
      var words: String?
      do throws(EngineSession.Failure) {
        if let table = tables[fingerprint.path] {
          let after = try EngineProof.fingerprint(of: table, session)
          if after != fingerprint { words = "it reads otherwise after the checkpoint" }
        } else {
          words = "it is gone after the checkpoint"
        }
      } catch {
        words = error.words
      }
      guard let words else { continue }
      isSame = false
      tell(.problem(name: name, detail: words))
    }
    return isSame
  }
}
