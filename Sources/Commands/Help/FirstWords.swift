internal import Files
internal import SystemPackage

/// What `hrp` says when it is called with no words: the commands that matter first.
enum FirstWords {
  /// All of them, and where the documents of an installed `hrp` are.
  static var text: String { words + (documents.map { "Documents: \($0.text)\n" } ?? "") }

  /// The first page of the documents that lie beside the program; nil when they do not.
  private static var documents: FilePath? {
    guard let program = ThisProcess.executable else { return nil }
    let page = program.folder.folder.appending("share/doc/hrp/docs/README.md")
    return forPeople { try Kernel().exists(page) } == true ? page : nil
  }

  private static let words = """
    hrp makes backups of a research stack in use: one DuckDB database, one MLflow directory.

      hrp backup create              make a backup; nothing has to be stopped
      hrp backup list                which backups there are
      hrp backup restore latest      put the stack back; hrp backup undo takes it back
      hrp status                     is this stack protected? If not: why, and what to do
      hrp recover                    the worst day: what is wrong, which backup helps, the plan

    The stack is in ~/hrp-data, else where --data-dir DIR or HRP_DATA_DIR says.
    All commands: hrp help. One command: hrp help backup create.
    Topics: hrp help references, places, schedule, exit-codes or environment.

    """
}
