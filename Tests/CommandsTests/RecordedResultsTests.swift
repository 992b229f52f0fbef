import Foundation
import TestKit
import Testing

/// What scripts read: the JSON of every command, as parsed values, beside what was recorded in `Recorded/results.json`.
///
/// Names, types, order of elements, small numbers, texts and `null` must be the same. What differs between two runs
/// (timestamps, sizes, digests, places) is written as a word that says its kind. To record on purpose, when the contract
/// gets something new: `HRP_RECORD=1 swift test --filter RecordedResultsTests`.
@Suite("Recorded results")
struct RecordedResultsTests {
  private static let file = Checkout.root.appendingPathComponent("Tests/CommandsTests/Recorded/results.json")

  @Test("the JSON of every command is what was recorded")
  func results() throws {
    let now = try withTemporaryFolder { folder in
      let sample = try RecoverSample(in: folder)
      return try Self.steps.map { step in
        if let harm = step.before { try sample.shell(harm) }
        let done = try run(
          Checkout.hrp, step.words + ["--json"], in: folder,
          environment: [
            "HOME": folder, "HRP_DATA_DIR": sample.data,
            "HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path,
          ])
        let result: JSONValue =
          done.output.isEmpty ? .text("NOTHING") : plain(try JSONValue(parsing: done.output), folder)
        return JSONValue.object([
          "command": .text(step.name), "status": .whole(Int64(done.status)), "result": result,
        ])
      }
    }
    if ProcessInfo.processInfo.environment["HRP_RECORD"] != nil {
      try (JSONValue.list(now).lines().joined(separator: "\n") + "\n").write(
        to: Self.file, atomically: true, encoding: .utf8)
    }
    let recorded = try JSONDecoder().decode([JSONValue].self, from: Data(contentsOf: Self.file))
    #expect(recorded.count == now.count && recorded.count == Self.steps.count)
    for (was, now) in zip(recorded, now) where was != now {
      Issue.record("\(try difference(from: was.lines(), to: now.lines()))")
    }
  }

  private struct Step {
    let name: String
    let words: [String]
    let before: String?

    init(_ words: String, before: String? = nil) {
      (name, self.words, self.before) = (words, words.split(separator: " ").map(String.init), before)
    }
  }

  private static let steps: [Step] = [
    Step("backup list"), Step("backup verify latest"), Step("backup create --dry-run"), Step("backup create"),
    Step("backup --list"), Step("backup show latest"), Step("backup verify latest --level structure"),
    Step("backup verify latest --level engine"), Step("backup --verify latest"), Step("backup drill latest"),
    Step("backup pin latest --reason paper"), Step("backup show 1"), Step("backup unpin latest"), Step("validate"),
    Step("validate --symbol AAPL --start 2026-01-01 --end 2026-01-02"), Step("validate --start tomorrow"),
    Step("doctor"), Step("backup find HYP-1"), Step("backup find r1"), Step("backup find prices"),
    Step("backup find nothing"), Step("backup restore latest --dry-run"),
    Step("backup restore latest --target-dir elsewhere"),
    Step("backup restore latest --target-dir elsewhere --only mlflow"),
    Step("backup undo --target-dir elsewhere --kept"),
    Step("backup undo --target-dir elsewhere"), Step("backup undo --target-dir elsewhere --drop"),
    Step("backup undo --target-dir nowhere"), Step("backup rotate --keep-days 0"),
    Step("backup rotate --keep-days 7 --dry-run"), Step("backup rotate --keep-days 7"), Step("recover"),
    Step("recover --missing HYP-1"), Step("recover --apply", before: "rm -r mlflow/mlruns/1/r1"),
    Step("recover --missing nothing"), Step("duckdb inspect data/hrp.duckdb"),
    Step("duckdb copy data/hrp.duckdb copy.duckdb"), Step("duckdb copy data/hrp.duckdb copy.duckdb"),
    Step("duckdb inspect data/mlflow/mlflow.db"), Step("backup create --no-mlflow"), Step("backup restore nothing"),
    Step("backup --rotate --keep-days 30"), Step("backup create --frobnicate"), Step("--version"),
    Step("backup --restore latest --target-dir guide"), Step("backup --backup"),
    Step(
      "backup verify 3 --level checksums",
      before: """
        cd backups && cd $(ls -d backup_* | head -1) && file=$(find . -name metrics.json | sort | tail -1)
        chmod u+w $file && echo x >> $file
        """), Step("backup list"), Step("backup restore 3 --target-dir damaged"), Step("backup drill 3"),
    Step("doctor"),
  ]

  /// The value, with what differs from run to run named by its kind.
  private func plain(_ value: JSONValue, _ folder: String) -> JSONValue {
    switch value {
    case .null, .flag: value
    case .whole(let number): abs(number) < 1000 ? value : .text("A LARGE NUMBER")
    case .number: .text("A NUMBER WITH A FRACTION")
    case .text(let text): .text(plain(text, folder))
    case .list(let list): .list(list.map { plain($0, folder) })
    case .object(let object): .object(object.mapValues { plain($0, folder) })
    }
  }

  /// What two runs write in other words, in the order in which it is looked for.
  private static let kinds: [(pattern: String, word: String)] = [
    (#"backup_\d{8}_\d{6}(_\d+)?"#, "BACKUP"),
    (#"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?\d\d|Z)?"#, "TIMESTAMP"),
    (#"\d{4}-\d\d-\d\d"#, "DATE"), (#"\b[0-9a-f]{64}\b"#, "SHA256"),
    (#"\d+(\.\d+)? (bytes|KB|MB|GB|TB)"#, "SIZE"), (#"\d+(\.\d+)? (s|ms|min|seconds?|minutes?)\b"#, "DURATION"),
    (#"v?\d+\.\d+\.\d+(-\w+)?"#, "VERSION"),
  ]

  private func plain(_ text: String, _ folder: String) -> String {
    var text = text.replacingOccurrences(of: folder, with: "HOME")
      .replacingOccurrences(of: Checkout.root.path, with: "CHECKOUT")
    for (pattern, word) in Self.kinds {
      text = text.replacingOccurrences(of: pattern, with: word, options: .regularExpression)
    }
    return text
  }

  private func difference(from old: [String], to new: [String]) -> String {
    let changes = new.difference(from: old).map { change in
      switch change {
      case .insert(_, let line, _): "now \(line)"
      case .remove(_, let line, _): "was \(line)"
      }
    }
    return (old.filter { $0.contains("\"command\"") } + changes).joined(separator: "\n")
  }
}
