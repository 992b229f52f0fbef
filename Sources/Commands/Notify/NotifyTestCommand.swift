internal import ArgumentParser
internal import Files
internal import Notices
internal import Scheduling
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// The command `hrp notify test`.
struct NotifyTestCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Send a test notice over everything that is configured.",
    discussion: """
      A service that is pinged takes it for a success. The commands start, success and failure are all run, with \
      HRP_EVENT=test. The exit code is 1 when a notice does not arrive.

      Examples:
        hrp notify test
        hrp notify test --json | jq '.[] | select(.delivered | not)'
      """)

  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    Interruption.listen()
    let console = output.console
    let stack = try place.stack
    for warning in stack.settings.warnings { console.warning("hrp: warning: \(warning)") }
    let notices = stack.settings.notices
    guard !notices.channels.isEmpty else {
      console.result("No notices are configured")
      console.result(
        "    → hrp config init writes a file that explains them, and docs/operations/notices.md has examples")
      return try console.json([NoticeDeliveryOutput]())
    }
    let deliveries = NoticeOffice(of: stack, files: Kernel(), time: SystemTime(), events: console.events).sendTest()
    for delivery in deliveries {
      let words = delivery.isDelivered ? "delivered" : delivery.words + Self.tries(delivery.tries)
      console.result("\(delivery.isDelivered ? "✓" : "✗") \(delivery.channel.rawValue): \(words)")
    }
    try console.json(deliveries.map(NoticeDeliveryOutput.init))
    try Interruption.check()
    if !deliveries.allSatisfy(\.isDelivered) { throw ExitCode.failed }
  }

  private static func tries(_ count: Int) -> String { count > 1 ? " (\(count) tries)" : "" }
}

/// What became of a notice on one channel, as `--json` says it.
private struct NoticeDeliveryOutput: Encodable {
  let channel: String
  let delivered: Bool
  let message: Nullable<String>
  let tries: Int

  init(_ delivery: NoticeDelivery) {
    channel = delivery.channel.rawValue
    delivered = delivery.isDelivered
    message = Nullable(delivery.isDelivered ? nil : delivery.words)
    tries = delivery.tries
  }
}
