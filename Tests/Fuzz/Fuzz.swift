import Files
import Foundation

// The fuzz targets: each takes a stranger's bytes to one pure parser and checks what must hold of any result.
// `scripts/fuzz` builds this with libFuzzer and picks the target by HRP_FUZZ_TARGET.

/// A parser under fuzzing.
struct Target: Sendable {
  let name: String
  let run: @Sendable ([UInt8]) -> Void
}

/// All of them; `scripts/fuzz` runs each.
let targets = [headers, freeList, log, metadata, checksums, manifest]

/// The one that this process runs.
private let chosen: Target = {
  let name = ProcessInfo.processInfo.environment["HRP_FUZZ_TARGET"] ?? ""
  guard let target = targets.first(where: { $0.name == name }) else {
    preconditionFailure("HRP_FUZZ_TARGET is none of \(targets.map(\.name)).")
  }
  return target
}()

/// libFuzzer as a library (`FuzzerInterface.h`): it links into a program with a `main` of its own, as SwiftPM wants.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ take: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Hands the command line to libFuzzer, which calls the target for every input.
@main
enum Fuzz {
  static func main() {
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    let status = runFuzzer(&count, &arguments) { start, count in
      chosen.run(Array(UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
    exit(status)
  }
}

/// Ends the process, which libFuzzer takes for a finding and keeps the input of.
func require(_ holds: Bool, _ what: String) { precondition(holds, what) }
