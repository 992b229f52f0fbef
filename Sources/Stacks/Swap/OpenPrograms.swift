internal import Files
package import Store
package import SystemPackage

/// Programs that have files of MLflow open while these change places: they go on with the old ones.
package struct OpenPrograms {
  private let programs: [Int32]

  /// Those that have something open below one of the paths.
  package init(below paths: [FilePath]) {
    // Only to be named: with --force nothing is decided by it.
    let open = paths.isEmpty ? [] : forPeople { try OtherProcess.openFiles(below: paths) } ?? []
    programs = Set(open.map(\.pid)).sorted()
  }

  /// Names each, and says what it needs.
  package func warn(_ events: EventStream) {
    for program in programs.prefix(10) {
      events.send(
        .warning(
          "\(OtherProcess.words(of: program)) has MLflow's old files open, and its next write fails or is lost: "
            + "restart it"))
    }
    if programs.count > 10 { events.send(.warning("and so have \(programs.count - 10) more programs")) }
  }
}
