import Backup
import Files
import Foundation
import Jobs
import MLflow
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

/// Every file that decides something, made unreadable in turn, and every command run: nothing is deleted, replaced or
/// called good that would not be with the file readable.
///
/// The short form asks the commands that delete, replace and judge. `scripts/unreadable` asks all of them.
@Suite("The matrix of what cannot be read", .serialized)
struct UnreadableMatrixTests {
  private static let isFull = ProcessInfo.processInfo.environment["HRP_UNREADABLE"] == "full"

  @Test(
    "mode 000, as an ordinary user: no cell deletes, replaces or praises more than with the file readable",
    .enabled(if: Matrix.unprivileged != nil, "as root it takes setpriv to be refused anything"))
  func modes() throws {
    let commands = Matrix.commands.filter { Self.isFull || $0.isShort }
    try withStack { sample in
      let matrix = try Matrix(sample, "mode 000", commands.map(\.name))
      for state in Matrix.states {
        let plain = try commands.map { command in
          try matrix.observe(state) { try Matrix.hrp(command.words, in: sample) }
        }
        for file in state.files {
          var cells: [Matrix.Cell] = []
          for (command, readable) in zip(commands, plain) {
            let unreadable = try matrix.observe(state, without: file) {
              try Matrix.hrp(command.words, in: sample)
            }
            cells.append(matrix.judge(command.name, state, readable, unreadable, file))
          }
          matrix.add(state.name + ": " + file, cells)
        }
      }
      matrix.show()
    }
  }

  @Test("EIO while the file is read: no cell deletes, replaces or praises more than with the file readable")
  func device() throws {
    let calls = Matrix.calls
    try withStack { sample in
      let matrix = try Matrix(sample, "EIO", calls.map(\.name))
      for state in Matrix.states {
        let plain = try calls.map { call in
          try matrix.observe(state) { Matrix.finished { try call.run(sample, Kernel()) } }
        }
        for file in state.files where !file.hasSuffix("/") && !file.hasSuffix(".db") {
          let name = file.split(separator: "/").suffix(2).joined(separator: "/")
          let files = HookedFileSystem(onRead: { (path) throws(SystemError) in
            if path.hasSuffix(name) {
              throw SystemError("pread", errno: .ioError, path: path)
            }
          })
          var cells: [Matrix.Cell] = []
          for (call, readable) in zip(calls, plain) {
            let unreadable = try matrix.observe(state) { Matrix.finished { try call.run(sample, files) } }
            cells.append(matrix.judge(call.name, state, readable, unreadable, file))
          }
          matrix.add(state.name + ": " + file, cells)
        }
      }
      matrix.show()
    }
  }
}

/// A stack with something to lose, a table of what came of it, and the rules.
final class Matrix {
  /// A stack as it is before a command.
  struct State {
    let name: String
    /// Paths in the data directory that decide something.
    let files: [String]
    var isPending = false
  }

  struct Command: Sendable {
    let name: String
    let words: [String]
    var isShort = true
  }

  struct Call: Sendable {
    let name: String
    let run: @Sendable (SampleStack, any FileSystem) throws -> Bool
  }

  /// How a command or a call ended.
  struct End {
    let status: Int32
    var output = ""
    var errors = ""
  }

  /// What one command did.
  struct Observation {
    var status: Int32 = 0
    var words = ""
    var backups: Set<String> = []
    /// Names that a list calls verified, proven or not pinned.
    var praised: Set<String> = []
    var kept: Set<String> = []
    var live: [String: Data] = [:]
  }

  enum Cell: String {
    /// As with the file readable.
    case same = "="
    /// It was refused, or less was done.
    case protects = "+"
    case wrong = "✗"
  }

  static let unprivileged: [String]? =
    if geteuid() != 0 {
      []
    } else if FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv") {
      ["/usr/bin/setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    } else {
      nil
    }

  private let sample: SampleStack
  private let title: String
  private let columns: [String]
  private var rows: [(String, [Cell])] = []
  private let template: String
  private var before: [String: Observation] = [:]

  init(_ sample: SampleStack, _ title: String, _ columns: [String]) throws {
    (self.sample, self.title, self.columns) = (sample, title, columns)
    template = sample.folder + "/template"
    try Self.prepare(sample)
    try run("/bin/mv", [sample.data, template])
    try run("/bin/cp", ["-a", template, sample.data])
    try Self.interrupt(sample)
    try run("/bin/mv", [sample.data, template + ".pending"])
  }

  // MARK: - The stack

  static let day: Int64 = 86_400_000_000_000
  static let now = SystemTime().nowNanoseconds
  private static func timestamp(_ age: Int64) -> Int64 { now - age * day }
  private static func name(_ age: Int64) -> String { "backup_" + LocalTime(nanoseconds: timestamp(age)).compact }
  /// The newest good one, which commands are asked about.
  static let good = name(60)
  /// The newest: its last drill failed.
  static let newest = name(50)

  static var states: [State] {
    let lists = ["checksums.txt", "manifest.jsonl", "metadata.json"].map { "backups/\(good)/\($0)" }
    return [
      State(
        name: "kept",
        files: [
          "backups/.hrp-pins/\(name(90)).json", "backups/.hrp-pins/", "backups/.hrp-proofs/\(newest).json",
          "backups/.hrp-proofs/", "backups/\(good)/", "backups/\(newest)/metadata.json",
        ] + lists + [".hrp.duckdb.hrp-undo.2/plan.json", ".hrp.duckdb.hrp-undo.2/", "hrp-catalogue.db"]),
      State(
        name: "interrupted", files: [".hrp.duckdb.hrp-restore/plan.json", ".hrp.duckdb.hrp-restore/"], isPending: true),
    ]
  }

  /// Five backups, the oldest pinned and the newest one's drill failed, and two states that restores replaced.
  private static func prepare(_ sample: SampleStack) throws {
    for age in [90, 80, 70, 60, 50] as [Int64] { _ = try sample.create(time: ManualTime(now: timestamp(age))) }
    for words in [["verify", good], ["drill", newest], ["pin", name(90)]] {
      try #require(try hrp(["backup"] + words, in: sample, by: []).status == 0)
    }
    let proof = URL(fileURLWithPath: sample.backups + "/.hrp-proofs/\(newest).json")
    let text = try String(contentsOf: proof, encoding: .utf8)
    try Data(text.replacing("\"ok\" : true", with: "\"ok\" : false").utf8).write(to: proof)
    for round in ["first", "second", "now"] {
      try Data(round.utf8).write(to: URL(fileURLWithPath: sample.data + "/mlflow/mlruns/0/\(round)"))
      if round != "now" { _ = try sample.restore(sample.backups + "/" + good, to: sample.data) }
    }
  }

  /// A restore that dies after its commit.
  private static func interrupt(_ sample: SampleStack) throws {
    let journal = sample.data + "/.hrp.duckdb.hrp-restore/plan.json"
    let files = HookedFileSystem(hook: { (call, path) throws(SystemError) in
      // Before the commit renames are only probed.
      guard call == "exchange" || call == "renameat", !path.hasSuffix("plan.json"),
        FileManager.default.fileExists(atPath: journal)
      else { return }
      throw SystemError(call, errno: .ioError, path: path)
    })
    #expect(throws: (any Error).self) {
      try sample.restore(sample.backups + "/" + good, to: sample.data, files: files)
    }
    try #require(FileManager.default.fileExists(atPath: journal))
  }

  // MARK: - The commands

  static let commands = [
    Command(name: "create", words: ["backup", "create"], isShort: false),
    Command(name: "list", words: ["backup", "list", "--json"]),
    Command(name: "verify", words: ["backup", "verify", good], isShort: false),
    Command(name: "restore", words: ["backup", "restore", good]),
    Command(name: "latest-valid", words: ["backup", "restore", "latest-valid"], isShort: false),
    Command(name: "undo", words: ["backup", "undo"]),
    Command(name: "drop", words: ["backup", "undo", "--drop"], isShort: false),
    Command(name: "drill", words: ["backup", "drill", good], isShort: false),
    Command(name: "rotate", words: ["backup", "rotate", "--keep-days", "14"]),
    Command(name: "find", words: ["backup", "find", "r1"], isShort: false),
    Command(name: "pin", words: ["backup", "pin", good], isShort: false),
    Command(name: "unpin", words: ["backup", "unpin", good], isShort: false),
    Command(name: "recover", words: ["recover", "--apply"], isShort: false),
    Command(name: "doctor", words: ["doctor"], isShort: false),
    Command(name: "validate", words: ["validate"], isShort: false),
  ]

  static func hrp(_ words: [String], in sample: SampleStack, by prefix: [String]? = nil) throws -> End {
    let all = (prefix ?? unprivileged ?? []) + [Checkout.hrp] + words + ["--data-dir", sample.data]
    let done = try run(all[0], Array(all.dropFirst()), in: sample.folder, environment: ["HOME": sample.folder])
    return End(status: done.status, output: done.output, errors: done.errors)
  }

  /// The same by the engine's own calls, through a file system that can fail.
  static let calls = [
    Call(name: "create") { sample, files in try sample.create(files: files).isVerified },
    Call(name: "list") { sample, files in
      try BackupDirectory(FilePath(sample.backups), files: files).list().allSatisfy { $0.problem == nil }
    },
    Call(name: "verify") { sample, files in
      try Verification(files: files, time: SystemTime(), events: EventStream())
        .verify(
          FilePath(sample.backups + "/" + good), level: .structure, files: files, andFromMemory: false
        ).isOK
    },
    Call(name: "restore") { sample, files in
      _ = try sample.restore(sample.backups + "/" + good, to: sample.data, files: files)
      return true
    },
    Call(name: "undo") { sample, files in
      _ = try UndoRun(
        RestoreTarget(FilePath(sample.data), files: files), keptDays: 7, files: files, time: SystemTime(),
        events: EventStream()
      ).run()
      return true
    },
    Call(name: "expire") { sample, files in
      try UndoRun(
        RestoreTarget(FilePath(sample.data), files: files), keptDays: 7, files: files,
        time: ManualTime(now: now + 90 * day),
        events: EventStream()
      ).expire()
      return true
    },
    Call(name: "rotate") { sample, files in
      _ = try Rotation(in: FilePath(sample.backups), files: files, time: SystemTime(), events: EventStream())
        .run(keepingDays(14))
      return true
    },
    Call(name: "unpin") { sample, files in
      try PinDirectory(of: FilePath(sample.backups), files: files).unpin(FileName(good))
    },
  ]

  /// What came of a call as what a command would have left.
  static func finished(_ body: () throws -> Bool) -> End {
    do { return End(status: try body() ? 0 : 1) } catch {
      return End(status: 1, errors: BackupError(error, doing: "it").message)
    }
  }

  // MARK: - Looking

  /// Puts the stack into a state, takes a file's permissions away, runs a command, and looks at everything.
  func observe(_ state: State, without file: String? = nil, _ body: () throws -> End) throws -> Observation {
    try run("/bin/chmod", ["-R", "u+rwX", sample.data])
    try run("/bin/rm", ["-rf", sample.data])
    try run("/bin/cp", ["-a", template + (state.isPending ? ".pending" : ""), sample.data])
    if before[state.name] == nil { before[state.name] = try look() }
    let path = file.map { sample.data + "/" + $0 }
    let mode = try path.map { try FileManager.default.attributesOfItem(atPath: $0)[.posixPermissions] }
    if let path { try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path) }
    let finished = try body()
    if let path, let mode = mode ?? nil, FileManager.default.fileExists(atPath: path) {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
    var seen = try look()
    (seen.status, seen.words) = (finished.status, finished.output + finished.errors)
    seen.praised = Self.praised(finished.output)
    return seen
  }

  private func look() throws -> Observation {
    var seen = Observation()
    let manager = FileManager.default
    let backups = (try? manager.contentsOfDirectory(atPath: sample.backups)) ?? []
    seen.backups = Set(backups.filter { $0.hasPrefix("backup_") })
    for folder in [".hrp-pins", ".hrp-proofs"] {
      for name in (try? manager.contentsOfDirectory(atPath: sample.backups + "/" + folder)) ?? [] {
        seen.kept.insert(folder + "/" + name)
      }
    }
    for name in try manager.contentsOfDirectory(atPath: sample.data) where name.hasPrefix(".hrp.duckdb") {
      seen.kept.insert(name)
    }
    seen.live = try SwapTests.contents(of: sample.data)
    return seen
  }

  /// What a list in JSON says that somebody could rely on.
  private static func praised(_ output: String) -> Set<String> {
    guard let list = try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]] else { return [] }
    var found: Set<String> = []
    for backup in list {
      let name = backup["name"] as? String ?? ""
      if backup["verified"] as? Bool == true { found.insert("\(name) verified") }
      if backup["complete"] as? Bool == true { found.insert("\(name) complete") }
      if backup["pinned"] as? Bool == false { found.insert("\(name) not pinned") }
      if (backup["proof"] as? [String: Any])?["ok"] as? Bool == true { found.insert("\(name) proven") }
    }
    return found
  }

  // MARK: - Judging

  /// The rules, each with what broke it.
  func judge(
    _ name: String, _ state: State, _ readable: Observation, _ unreadable: Observation, _ file: String
  ) -> Cell {
    var broken: [String] = []
    let original = before[state.name] ?? Observation()
    if !original.backups.subtracting(unreadable.backups).isSubset(of: original.backups.subtracting(readable.backups)) {
      broken.append("deletes \(readable.backups.subtracting(unreadable.backups))")
    }
    if unreadable.live != original.live, unreadable.live != readable.live { broken.append("leaves another stack") }
    if !original.kept.subtracting(unreadable.kept).isSubset(of: original.kept.subtracting(readable.kept)) {
      broken.append("removes \(readable.kept.subtracting(unreadable.kept))")
    }
    if !unreadable.praised.isSubset(of: readable.praised) {
      broken.append("praises \(unreadable.praised.subtracting(readable.praised))")
    }
    if unreadable.status == 0, readable.status != 0 { broken.append("calls good what is not") }
    #expect(broken.isEmpty, "\(title), \(name) without \(file): \(broken)\n\(unreadable.words)")
    if !broken.isEmpty { return .wrong }
    let isSame =
      unreadable.status == readable.status && unreadable.live == readable.live && unreadable.kept == readable.kept
      && unreadable.backups.count == readable.backups.count
    return isSame ? .same : .protects
  }

  func add(_ name: String, _ cells: [Cell]) { rows.append((name, cells)) }

  func show() {
    let width = rows.map(\.0.count).max() ?? 0
    var text = "\(title): = as with the file readable, + refused or less done, ✗ wrong\n"
    for (index, column) in columns.enumerated() {
      text += String(repeating: " ", count: width + 2) + String(repeating: "|  ", count: index) + column + "\n"
    }
    for (name, cells) in rows {
      text += name + String(repeating: " ", count: width - name.count + 2)
      text += cells.map(\.rawValue).joined(separator: "  ") + "\n"
    }
    print(text)
  }
}
