internal import Files
private import SystemPackage

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// The child's side: `hrp` started with a hidden subcommand.
package enum EngineChild {
  /// The name of the hidden subcommand.
  package static let command = "engine-child"

  /// Reads a request, answers it, and ends the process.
  ///
  /// The request's stream stays open as long as the parent lives: when it ends, so does the child.
  package static func serve() -> Never {
    let input = ChildStream(Descriptor(number: 0))
    let request: EngineRequest
    do {
      guard let line = try input.line() else { ThisProcess.exit(2) }
      request = try JSONDecoder().decode(EngineRequest.self, from: Data(line))
    } catch { ThisProcess.exit(2) }
    ThisProcess.exitWhenEnded(input)
    // The engine's own limit does not cover all memory of one statement, and a stranger's view may ask for any amount.
    ThisProcess.limitMemory(bytes: request.maximumMemoryBytes)
    answer(request)
    ThisProcess.exit(0)
  }

  private static func answer(_ request: EngineRequest) {
    var reasons: [String] = []
    // The library is looked for beside this child: the program that started it may not be `hrp`.
    for library in request.libraries.isEmpty ? EngineLibrary.candidates() : request.libraries {
      do throws(EngineSession.Failure) {
        let session = try EngineSession(library: library)
        return work(session, request: request)
      } catch {
        reasons.append("\(library): \(error.words)")
      }
    }
    tell(.noLibrary(reasons: reasons))
  }

  private static func work(_ session: EngineSession, request: EngineRequest) {
    tell(.engine(version: session.version, library: session.library))
    if request.task == .identify { return tell(.done) }
    tell(.at("the database, while it is opened"))
    do throws(EngineSession.Failure) {
      try session.open(request)
    } catch {
      return tell(.closed(error.words))
    }
    do throws(EngineSession.Failure) {
      switch request.task {
      case .prove: try EngineProof(session: session, tell: tell).run(request)
      case .count: try EngineProof(session: session, tell: tell).countRows()
      case .list: for table in try EngineCatalogue(session).tables() { tell(.listed(table.path, place: table.place)) }
      case .query(let statements): for statement in statements { run(statement, session: session) }
      case .identify: break
      }
    } catch {
      tell(.problem(name: "the catalogue", detail: error.words))
    }
    tell(.done)
  }

  /// How many rows go in one line: one line for each row would cost more to parse.
  private static let rowsPerLine = 500

  private static func run(_ statement: String, session: EngineSession) {
    tell(.at("a statement"))
    var rows: [[String?]] = []
    do throws(EngineSession.Failure) {
      try session.stream(statement) { row in
        rows.append(row)
        if rows.count == rowsPerLine {
          tell(.rows(rows))
          rows = []
        }
      }
      if !rows.isEmpty { tell(.rows(rows)) }
      tell(.ran(failure: nil))
    } catch {
      tell(.ran(failure: error.words))
    }
  }

  private static func tell(_ reply: EngineReply) {
    guard let line = parsed({ try JSONEncoder().encode(reply) }) else { return }
    StandardStream.output.write(String(decoding: line, as: UTF8.self) + "\n")
  }
}
