internal import ArgumentParser
internal import Backup
internal import Files
internal import SystemPackage

/// The command `hrp backup undo`.
struct UndoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "undo",
    abstract: "Bring back what the last restore replaced; again, and the restored state is back.",
    discussion: """
      What a restore replaced is kept beside the target for 7 days (HRP_UNDO_DAYS). It takes its space until then, or \
      until --drop.

      Examples:
        hrp backup undo
        hrp backup undo --target-dir /mnt/new --wait 10m
        hrp backup undo --drop
      """)

  @OptionGroup var target: TargetOptions
  @Flag(help: "Remove what is kept and free its space.") var drop = false
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = place.stack
    let console = output.console
    if drop { return try dropAll(stack, console) }
    let names = try Operation.run("backup undo", stack, console) { events in
      try UndoRun(try Self.target(target.targetDirectory, stack), files: Kernel(), time: SystemTime(), events: events)
        .run(wait: waiting.wait)
    }
    console.result("✓ Undone: what was there before the last restore is back")
    for name in names { console.result("  \(name)") }
    console.notice("hrp: hrp backup undo again takes this back")
    console.json(.object([("undone", .flag(true)), ("names", .list(names.map { .text($0) }))]))
  }

  private func dropAll(_ stack: Stack, _ console: Console) throws {
    let bytes = try Operation.run("backup undo", stack, console) { events in
      try UndoRun(try Self.target(target.targetDirectory, stack), files: Kernel(), time: SystemTime(), events: events)
        .drop()
    }
    console.result(bytes.map { "Freed \(ByteCount.text($0))" } ?? "There was nothing to drop")
    console.json(.object([("dropped", .flag(bytes != nil)), ("bytes_freed", .whole(bytes ?? 0))]))
  }

  /// What a restore goes to: a directory that was named, else the stack.
  static func target(_ directory: String?, _ stack: Stack) throws -> RestoreTarget {
    guard let directory else { return try RestoreTarget(stack, files: Kernel()) }
    return try RestoreTarget(Stack.absolute(directory), files: Kernel())
  }
}
