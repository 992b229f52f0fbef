internal import ArgumentParser
internal import DuckDBFile
internal import Files
internal import Stacks
internal import Store
internal import SystemPackage

/// The command `hrp duckdb copy`.
struct CopyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "copy",
    abstract: "Take a consistent copy of a DuckDB file that other programs write to.",
    discussion: """
      The copy is TARGET. When there is a WAL to replay, TARGET.wal lies beside it. Neither may exist before.

      Examples:
        hrp duckdb copy prices.duckdb /mnt/usb/prices.duckdb
        hrp duckdb copy prices.duckdb copy.duckdb --json
      """)

  @Argument(help: "The database.", completion: .file()) var file: String
  @Argument(help: "The copy.", completion: .file()) var target: String
  @OptionGroup var output: OutputOptions

  func run() throws {
    Interruption.listen()
    let files = Kernel()
    let time = SystemTime()
    let source = Stack.absolute(file)
    guard try files.exists(source) else {
      throw BackupError(
        "source.not-found", kind: .notFound, message: "no database at \(source.text)", remedy: "Check the path.")
    }
    try BackupError.checkOutsideOfBackups(Stack.absolute(target), files: files)
    let copy = try StandaloneCopy(source, to: Stack.absolute(target), files: files, time: time).run()
    let console = output.console
    for warning in copy.warnings { console.warning("hrp: warning: \(warning)") }
    let checkpoint = copy.iteration.map { " at checkpoint \($0)" } ?? ""
    console.result("Copied \(ByteCount.text(copy.byteCount))\(checkpoint)")
    console.result("  Path: \(Stack.absolute(target).text)")
    console.result("  WAL: \(copy.walBytes == 0 ? "none" : ByteCount.text(copy.walBytes))")
    try console.json(Output(copy, path: Stack.absolute(target).text))
  }

  private struct Output: Encodable {
    let path: String
    let method: String
    let iteration: Nullable<UInt64>
    let walBytes: Int64
    let sizeBytes: Int64
    let blocksCopied: Int
    let blocksFree: Int
    let passes: Int
    let flips: Int
    let restarts: Int

    init(_ copy: HotCopy.Result, path: String) {
      self.path = path
      method = copy.method.rawValue
      iteration = Nullable(copy.iteration)
      walBytes = copy.walBytes
      sizeBytes = copy.byteCount
      blocksCopied = copy.blocksInUse
      blocksFree = copy.blocksFree
      passes = copy.passes
      flips = copy.flips
      restarts = copy.restarts
    }
  }
}
