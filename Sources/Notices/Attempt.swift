internal import Files
internal import SystemPackage

/// What came of one try to deliver a notice.
enum Attempt {
  case delivered
  /// - isWorthRepeating: whether another try may do better.
  case failed(String, isWorthRepeating: Bool)

  /// Sends what curl is told.
  ///
  /// What a server or curl says is not repeated: it may hold the address.
  /// - Parameter host: the host of the server, for people.
  init(_ configuration: CurlConfiguration, host: String, curl: FilePath, heedsSignals: Bool) {
    let run: BoundedChild
    do throws(SystemError) {
      run = try BoundedChild(
        curl, arguments: CurlConfiguration.arguments, input: configuration.text, limit: .seconds(15),
        heedsSignals: heedsSignals)
    } catch {
      self = .failed("curl cannot be started (\(error.errno))", isWorthRepeating: false)
      return
    }
    let answer = run.output.split(separator: "\n").last.flatMap { Int($0) } ?? 0
    switch run.outcome {
    case .ended(.exited(0)) where (200..<300).contains(answer): self = .delivered
    case .ended(.exited(let code)): self = Self.failure(code, answer: answer, host: host)
    case .ended(let end): self = .failed("curl \(end.words)", isWorthRepeating: true)
    case .tooLong: self = .failed("\(host) did not answer in time", isWorthRepeating: true)
    case .interrupted: self = .failed("hrp was asked to stop", isWorthRepeating: false)
    }
  }

  /// What curl's exit code means (man curl, "EXIT CODES").
  private static func failure(_ code: Int32, answer: Int, host: String) -> Attempt {
    switch code {
    case 0, 22:
      // What the server refuses for good, it refuses at the next try too.
      let isForGood = (300..<500).contains(answer) && ![408, 425, 429].contains(answer)
      return .failed("\(host) answered with \(answer)", isWorthRepeating: !isForGood)
    case 5, 6: return .failed("the name of \(host) cannot be resolved", isWorthRepeating: true)
    case 7: return .failed("nobody answers at \(host)", isWorthRepeating: true)
    case 28: return .failed("\(host) did not answer in time", isWorthRepeating: true)
    case 35, 64: return .failed("\(host) does not offer the encryption that is required", isWorthRepeating: false)
    case 51, 58, 60, 77, 83: return .failed("the certificate of \(host) is not trusted", isWorthRepeating: false)
    case 67: return .failed("\(host) refused the user or the password", isWorthRepeating: false)
    case 8, 52, 55, 56:
      let words = answer >= 400 ? " (\(answer))" : ""
      return .failed("\(host) broke off\(words)", isWorthRepeating: answer < 500)
    default: return .failed("curl ended with exit code \(code) at \(host)", isWorthRepeating: answer < 500)
    }
  }
}
