internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Stacks
internal import Store

/// The command `hrp backup copy`.
struct BackupCopyCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "copy",
    abstract: "Copy a finished backup to a second place: another disk, or a mount.",
    discussion: """
      Every byte that is sent is compared with the lists of the backup on its way, and is read back from the place \
      before the copy appears there. Files that an earlier copy has are hard-linked: they are not sent and not read \
      again. A copy that was interrupted \
      goes on where it was. A pin goes along.

      PLACE is a name under places: in config/hrp.yaml, or a directory. A place is begun once, by hand, with \
      --new-place: it gets a marker, and without that marker nothing is copied, because the disk may not be mounted. \
      Afterwards offsite:latest, offsite:2 and the like work wherever a backup is named.

      Examples:
        hrp backup copy latest /mnt/usb/hrp-backups --new-place
        hrp backup copy latest offsite
        hrp backup verify offsite:latest
        hrp backup list --at offsite
        hrp backup restore offsite:latest --target-dir ~/restored
      """)

  @OptionGroup var backup: BackupArgument
  @Argument(
    help: ArgumentHelp("A name under places: in the configuration, or a directory.", valueName: "place"),
    completion: .places)
  var destination: String
  @Flag(name: .customLong("new-place"), help: "Make the directory a place for copies, when it is none yet.")
  var beginsAnew = false
  @Flag(name: .customLong("dry-run"), help: "Say how much would be sent, and write nothing.")
  var isDryRun = false
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = try place.stack
    let target = try stack.place(named: destination, files: Kernel(), time: SystemTime())
    if isDryRun { return try plan(to: target, of: stack) }
    let console = output.console
    Interruption.listen()
    defer { Screen.endProgress() }
    let result = try console.jobs(on: stack).copy(to: target, beginsAnew: beginsAnew, events: console.events) {
      try open(of: stack, events: $0)
    }
    let receipt = result.receipt
    if receipt.wasThere {
      console.result("It was there already: \(receipt.path.text)")
    } else {
      console.result("Backup copied successfully:")
      console.result("  Path: \(receipt.path.text)")
      console.result("  Size: \(ByteCount.megabytes(receipt.sizeBytes))")
      console.result("  Sent: \(ByteCount.text(receipt.sentBytes)), linked: \(ByteCount.text(receipt.linkedBytes))")
      if receipt.arrivedBytes > 0 {
        console.result("  There before, from an interrupted copy: \(ByteCount.text(receipt.arrivedBytes))")
      }
      console.result("  Checksum: verified")
      if receipt.linkedBytes > 0 {
        console.notice(
          "hrp: what is linked was read when it was sent; hrp backup verify \(ShellWord.quoted(receipt.path)) reads it")
      }
    }
    try console.json(CopyOutput(result))
  }

  private func open(of stack: Stack, events: EventStream) throws -> DirectoryBackup {
    try DirectoryBackup(
      stack.findBackup(backup.backup, files: Kernel(), time: SystemTime(), events: events), files: Kernel())
  }

  private func plan(to target: DirectoryPlace, of stack: Stack) throws {
    let console = output.console
    let (name, plan) = try console.run(.copy, on: stack, isRecorded: false) { events in
      let backup = try open(of: stack, events: events)
      let run = CopyRun(
        of: stack, to: target, beginsAnew: beginsAnew, files: Kernel(), time: SystemTime(), events: events)
      return (ByteText.escaped(backup.name.bytes), try run.plan(backup))
    }
    console.result("Would copy \(name) to \(target.path.text):")
    console.result("  Size: \(ByteCount.megabytes(plan.totalBytes))")
    console.result("  To send: \(ByteCount.text(plan.missingBytes))")
    try console.json(
      CopyPlanOutput(
        name: name, place: target.title, missingBytes: plan.missingBytes, totalBytes: plan.totalBytes))
  }
}
