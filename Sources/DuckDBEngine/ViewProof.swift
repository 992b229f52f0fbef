internal import Files

/// Looks whether every view binds: runs in the child.
///
/// A view is a statement and holds no data. DuckDB allows a view whose table is gone, and a stranger's view may take
/// for ever to plan. So nothing here is a problem of the database, and the time is limited.
struct ViewProof {
  private static let patience = Duration.seconds(30)

  let session: EngineSession
  let tell: (EngineReply) -> Void

  func run() throws(EngineSession.Failure) {
    let catalogue = try EngineCatalogue(session)
    let views = try catalogue.views()
    let began = SuspendingClock.now
    for (index, view) in views.enumerated() {
      if SuspendingClock.now - began > Self.patience {
        return tell(.notice("\(views.count - index) views were not looked at: those before them took too long"))
      }
      bind(view, catalogue: catalogue)
    }
  }

  private func bind(_ view: TablePath, catalogue: EngineCatalogue) {
    let name = "view \(view.text)"
    tell(.at(name))
    do throws(EngineSession.Failure) {
      try session.run("EXPLAIN SELECT * FROM \(catalogue.place(of: view))")
    } catch {
      // It reads files or another database, which a proof does not do.
      let isOutside = ["disabled by configuration", "enable_external_access"].contains { error.words.contains($0) }
      let firstLine = error.words.prefix { $0 != "\n" }
      tell(.notice("\(name) " + (isOutside ? "reads files or another database" : "cannot be used: \(firstLine)")))
    }
  }
}
