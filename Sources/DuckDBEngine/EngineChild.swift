package import Files
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
    guard let line = try? input.line(), let request = try? JSONDecoder().decode(EngineRequest.self, from: Data(line))
    else { ThisProcess.exit(2) }
    ThisProcess.exitWhenEnded(input)
    answer(request)
    ThisProcess.exit(0)
  }

  private static func answer(_ request: EngineRequest) {
    var reasons: [String] = []
    for library in request.libraries {
      do throws(EngineSession.Failure) {
        let session = try EngineSession(library: library)
        return prove(session, request)
      } catch {
        reasons.append("\(library): \(error.words)")
      }
    }
    tell(.noLibrary(reasons: reasons))
  }

  private static func prove(_ session: EngineSession, _ request: EngineRequest) {
    tell(.engine(version: session.version, library: session.library))
    tell(.at("the database, while it is opened"))
    do throws(EngineSession.Failure) {
      try session.open(request)
    } catch {
      return tell(.closed(error.words))
    }
    do throws(EngineSession.Failure) {
      try EngineProof(session: session, tell: tell).run(isScratch: request.isScratch)
    } catch {
      tell(.problem(name: "the catalogue", detail: error.words))
      tell(.done)
    }
  }

  private static func tell(_ reply: EngineReply) {
    guard let line = try? JSONEncoder().encode(reply) else { return }
    StandardStream.output.write(String(decoding: line, as: UTF8.self) + "\n")
  }
}
