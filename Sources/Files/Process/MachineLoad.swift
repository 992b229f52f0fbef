internal import SystemPackage

/// How busy this machine is, and what this process takes of it.
///
/// Linux says it in `/proc` (man 5 proc); elsewhere nothing is known.
package struct MachineLoad: Sendable {
  /// Time that all processors together have had, in steps of the kernel.
  package struct Processors: Sendable {
    let busy: UInt64
    let all: UInt64

    /// The share of the time since an earlier look in which they worked, in percent.
    package func percent(since earlier: Processors) -> Double? {
      guard all > earlier.all, busy >= earlier.busy else { return nil }
      return Double(busy - earlier.busy) / Double(all - earlier.all) * 100
    }
  }

  /// What this process takes.
  package struct OwnUse: Sendable {
    package let residentBytes: Int64
    package let openFiles: Int
    /// Time on a processor, in seconds.
    package let processorSeconds: Double
  }

  package let processors: Processors?
  /// Memory in use, in percent of all memory.
  package let memoryPercent: Double?
  package let own: OwnUse?

  /// Looks.
  package init(files: any FileSystem) {
    processors = Self.text("/proc/stat", files: files).flatMap(Self.processors)
    memoryPercent = Self.text("/proc/meminfo", files: files).flatMap(Self.memoryPercent)
    own = Self.own(files)
  }

  private static func text(_ path: FilePath, files: any FileSystem) -> String? {
    forPeople { String(decoding: try OpenFile(path, files: files).read(count: 1 << 16, at: 0), as: UTF8.self) }
  }

  /// The line `cpu  user nice system idle iowait irq softirq steal …`.
  private static func processors(_ text: String) -> Processors? {
    guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
    let times = line.split(separator: " ").dropFirst().prefix(8).compactMap { UInt64($0) }
    guard times.count >= 5 else { return nil }
    let all = times.reduce(0, +)
    return Processors(busy: all - times[3] - times[4], all: all)
  }

  private static func memoryPercent(_ text: String) -> Double? {
    var values: [Substring: Double] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(whereSeparator: { $0 == " " || $0 == ":" })
      if words.count >= 2 { values[words[0]] = Double(words[1]) }
    }
    guard let all = values["MemTotal"], let available = values["MemAvailable"], all > 0 else { return nil }
    return (all - available) / all * 100
  }

  private static func own(_ files: any FileSystem) -> OwnUse? {
    guard let sizes = text("/proc/self/statm", files: files)?.split(separator: " "), sizes.count > 1,
      let pages = Int64(sizes[1]), let open = forPeople({ try openFiles(files) })
    else { return nil }
    return OwnUse(
      residentBytes: pages * ThisProcess.pageBytes, openFiles: open,
      processorSeconds: Double(SystemTime.ownWorkedNanoseconds) / 1e9)
  }

  private static func openFiles(_ files: any FileSystem) throws(SystemError) -> Int {
    let folder = try OpenFile("/proc/self/fd", mode: [.directory], files: files)
    let entries = try files.entries(of: folder.descriptor)
    try folder.close()
    // One of them is the list itself.
    return entries.count - 1
  }
}
