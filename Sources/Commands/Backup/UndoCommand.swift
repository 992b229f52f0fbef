internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// The command `hrp backup undo`.
struct UndoCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "undo",
    abstract: "Bring back what the last restore replaced. A second undo brings back the restored state.",
    discussion: """
      What a restore replaced is kept beside the target for 7 days (HRP_UNDO_DAYS). It takes its space until then, or \
      until --drop. Each restore keeps its own: --kept numbers them, 1 being what the last one replaced.

      Examples:
        hrp backup undo
        hrp backup undo --kept
        hrp backup undo 2
        hrp backup undo --target-dir /mnt/new --wait 10m
        hrp backup undo --drop
      """)

  @Argument(help: ArgumentHelp("Which of them (default: 1, the newest; with --drop: all).", valueName: "number"))
  var number: Int?
  @OptionGroup var targets: TargetOptions
  @Flag(help: "Say what is kept, and change nothing.") var kept = false
  @Flag(help: "Continue although programs have files of MLflow open.") var force = false
  @Flag(help: "Remove what is kept, and what interrupted restores left, and free its space.") var drop = false
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !(kept && drop), number == nil || !kept else {
      throw ValidationError("--kept goes with neither a number nor --drop")
    }
  }

  var target: String? { targets.targetDirectory }

  func run() throws {
    let stack = try place.stack
    let console = output.console
    if kept { return try list(stack, console: console) }
    if drop { return try drop(stack, console: console) }
    let done = try perform(stack, console: console) {
      try $0.run(number: number ?? 1, isForced: force, wait: waiting.wait)
    }
    console.result(Self.words(done))
    for name in done.names { console.result("  \(name)") }
    for name in done.removed { console.result("  \(name): it did not exist then, so it was moved away") }
    console.notice(
      stack.settings.reasonToKeepNothing.map { "hrp: what was there is not kept (\($0))" }
        ?? "hrp: hrp backup undo takes this back")
    try console.json(UndoOutput(done))
  }

  /// What was done, for people: of a restore, or of an undo.
  private static func words(_ done: UndoResult) -> String {
    if done.names.isEmpty { return "✓ An undo that was interrupted is finished" }
    let at = LocalTime.plain(of: done.at)
    return done.isOfUndo
      ? "✓ The undo of \(at) is taken back: what it had replaced is there again"
      : "✓ Undone: what was there before the restore of \(at) is back"
  }

  private func perform<Result>(_ stack: Stack, console: Console, body: (UndoRun) throws -> Result) throws -> Result {
    // What is pending is finished by the undo itself, which knows what it was.
    try console.run(.undo, on: stack, finishesPending: false) { events in
      try body(
        UndoRun(
          try Self.target(targets.targetDirectory, stack: stack), keptDays: stack.settings.undoDays.value,
          files: Kernel(), time: SystemTime(), events: events))
    }
  }

  private func list(_ stack: Stack, console: Console) throws {
    let states = try UndoRun(
      try Self.target(targets.targetDirectory, stack: stack), keptDays: stack.settings.undoDays.value, files: Kernel(),
      time: SystemTime(), events: EventStream()
    ).states()
    if states.isEmpty { console.result("Nothing is kept") }
    for state in states { console.result("  \(state.number). \(Self.line(state))") }
    try console.json(states.map(UndoStateOutput.init))
  }

  /// What is kept, for people: which restore replaced it, how long it stays, its size.
  static func line(_ state: UndoState) -> String {
    let what = state.backup.isEmpty ? "an undo" : "the restore"
    let at = LocalTime.plain(of: state.at)
    return "what \(what) of \(at) replaced is kept until \(LocalTime(nanoseconds: state.expires).plain) "
      + "(\(ByteCount.text(state.bytes)))"
  }

  private func drop(_ stack: Stack, console: Console) throws {
    let bytes = try perform(stack, console: console) { try $0.drop(number: number) }
    console.result(bytes.map { "Freed \(ByteCount.text($0))" } ?? "There was nothing to drop")
    try console.json(DropOutput(dropped: bytes != nil, bytesFreed: bytes ?? 0))
  }

  /// What a restore goes to: a directory that was named, else the stack.
  static func target(_ directory: String?, stack: Stack) throws -> RestoreTarget {
    guard let directory else { return try RestoreTarget(stack, files: Kernel()) }
    return try RestoreTarget(Stack.absolute(directory), files: Kernel())
  }

  /// What `hrp backup undo --drop --json` says.
  private struct DropOutput: Encodable {
    let dropped: Bool
    let bytesFreed: Int64
  }
}
