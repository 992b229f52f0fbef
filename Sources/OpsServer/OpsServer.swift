package import Files
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTPTypes
internal import NIOPosix
internal import ServiceLifecycle
internal import Settings
package import Stacks
internal import Store
internal import SystemPackage
internal import UnixSignals

/// The HTTP server of a stack: health, readiness, metrics, the page.
///
/// It never blocks a backup, and no backup blocks it: what it knows comes from short looks at the disk.
package struct OpsServer: Sendable {
  /// Where it listens, and for what stack.
  package struct Options: Sendable {
    package var host: String
    package var port: Int
    /// The words of the command line that name the stack, for the commands that are shown and run.
    package var flags: [String] = []
    /// Reads the configuration anew, for what is shown; nil: it is never read again.
    package var load: (@Sendable () throws -> Stack)?
    /// Whether the scheduler is installed as a service of the stack.
    package var hasService: @Sendable () -> Bool = { false }

    package init(host: String, port: Int) {
      self.host = host
      self.port = port
    }
  }

  /// Threads for what waits for a disk: the scrub, the view, an action, a full pass, and looks.
  private static let threadCount = 8
  /// More clients wait until one goes; half of what this process may have open is left for its own work.
  private static var maximumConnections: Int { max(16, min(1000, ThisProcess.openFileLimit / 2)) }
  /// How long the answers that are being given may take after the server was asked to end.
  private static let patience: Duration = .seconds(20)

  private let stack: Stack
  private let options: Options
  private let files: any FileSystem
  private let time: any TimeSource

  package init(_ stack: Stack, options: Options, files: any FileSystem, time: any TimeSource) {
    self.stack = stack
    self.options = options
    self.files = files
    self.time = time
  }

  /// Serves until SIGTERM or SIGINT, then ends what is being answered.
  /// - Parameter onStart: is told the port, once the server listens.
  /// - Throws: `BackupError` `ops.port-in-use`, `ops.cannot-listen`, `ops.token-unusable`.
  package func run(onStart: @escaping @Sendable (Int) -> Void) async throws {
    let token = try token()
    let threads = NIOThreadPool(numberOfThreads: Self.threadCount)
    threads.start()
    do {
      try await serve(token: token, threads: threads, onStart: onStart)
    } catch {
      await shutDown(threads)
      throw explained(error)
    }
    await shutDown(threads)
  }

  private func shutDown(_ threads: NIOThreadPool) async {
    do { try await threads.shutdownGracefully() } catch {
      // The process ends now.
    }
  }

  private func serve(
    token: TokenCheck?, threads: NIOThreadPool, onStart: @escaping @Sendable (Int) -> Void
  ) async throws {
    let memory = ScrubMemory(stack: stack, files: files, time: time)
    let watch = StackWatch(stack, from: memory.position, files: files, time: time)
    let keeper = ViewKeeper(
      stack, load: options.load ?? { stack }, hasService: options.hasService, threads: threads, files: files, time: time
    )
    let actions = ActionRunner(stack, flags: options.flags, threads: threads, files: files, time: time) {
      do { try await keeper.refreshed() } catch {
        // The server ends.
      }
    }
    let requests = RequestMetrics()
    let desk = try OpsDesk(
      stack, flags: options.flags, token: token, watch: watch, keeper: keeper, actions: actions,
      machine: MachineMetrics(files: files, time: time), requests: requests, threads: threads, time: time)
    let responder = OpsResponder(
      desk: desk, hosts: HostCheck(host: options.host, allowed: stack.settings.ops.allowedHosts.value),
      metrics: requests, time: time)
    var logger = Logger(label: "hrp.ops") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    let application = Application(
      responder: responder,
      server: .http1(
        configuration: HTTP1Channel.Configuration(
          additionalChannelHandlers: [ConnectionGuard(.init(), metrics: requests)],
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
      configuration: ApplicationConfiguration(
        address: .hostname(options.host, port: options.port),
        availableConnectionsDelegate: .maximum(Self.maximumConnections, logger: logger)),
      services: [
        keeper, ScrubService(watch: watch, memory: memory, threads: threads, time: time), actions,
      ],
      onServerRunning: { channel in onStart(channel.localAddress?.port ?? 0) }, logger: logger)
    var group = ServiceGroupConfiguration(
      services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    group.maximumGracefulShutdownDuration = Self.patience
    try await ServiceGroup(configuration: group).run()
  }

  private func token() throws(BackupError) -> TokenCheck? {
    guard let source = stack.settings.ops.token?.value else { return nil }
    do {
      return TokenCheck(token: try source.read(dataDirectory: stack.dataDirectory, files: files))
    } catch {
      throw BackupError(
        "ops.token-unusable", kind: .failed, message: "the token of the ops server cannot be used: \(error.message)",
        remedy: error.remedy)
    }
  }

  private func explained(_ error: any Error) -> any Error {
    let place = "\(options.host):\(options.port)"
    if error is BackupError || error is CancellationError { return error }
    if let error = error as? IOError, error.errnoCode == Errno.addressInUse.rawValue {
      return BackupError(
        "ops.port-in-use", kind: .failed, message: "another program listens on \(place)",
        remedy: "Stop it, or choose another port: hrp ops --port \(min(options.port + 1, 65_535))")
    }
    let why = (error as? IOError).map { "\(Errno(rawValue: $0.errnoCode))" } ?? "\(error)"
    return BackupError(
      "ops.cannot-listen", kind: .failed, message: "the server cannot listen on \(place)",
      remedy: "Choose an address of this machine with --host, and a port above 1023.", cause: why)
  }
}
