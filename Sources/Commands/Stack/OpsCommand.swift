internal import ArgumentParser
internal import Files
internal import OpsServer
internal import Scheduling
internal import Settings
internal import Stacks
internal import Store

/// The command `hrp ops`.
struct OpsCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "ops",
    abstract: "Serve health, readiness, metrics and the page of a stack over HTTP.",
    discussion: """
      The page is at http://127.0.0.1:8080/. /health says that the server runs, /ready whether the stack can be used, \
      /metrics is for Prometheus, /api/v1/ has the same as JSON, /docs the list of it.

      It asks no engine and keeps no program out. It listens on this machine only, unless --host says otherwise: \
      whoever can reach it can read names of tables and sizes. Use a proxy with TLS and a password for other machines.

      SIGTERM and SIGINT end it with 0. A port in use is exit code 1.

      Examples:
        hrp ops
        hrp ops --port 9090 &
        curl http://127.0.0.1:8080/ready
      """)

  @Option(help: ArgumentHelp("The address that it listens on (HRP_OPS_HOST; default 127.0.0.1).", valueName: "host"))
  var host: String?
  @Option(help: ArgumentHelp("The port (HRP_OPS_PORT; default 8080); 0 takes a free one.", valueName: "port"))
  var port: String?
  @OptionGroup var place: StackOptions
  @Flag(name: .shortAndLong, help: "No line at the start.") var quiet = false

  func validate() throws {
    if let port, OpsSettings.port(port) == nil { throw ValidationError("'\(port)' is not a port from 0 to 65535") }
    if let host, OpsSettings.host(host) == nil { throw ValidationError("'\(host)' is not a name or an address") }
  }

  func run() throws {
    let stack = try place.stack
    let settings = stack.settings.ops
    for problem in stack.settings.warnings { Screen.say("hrp: warning: \(problem)", on: .error) }
    var options = OpsServer.Options(
      host: host ?? settings.host.value, port: port.flatMap(OpsSettings.port) ?? settings.port.value)
    options.flags = place.flags
    let named = place.settings
    options.load = { try Stack.load(named, files: Kernel()) }
    options.hasService = {
      // Where it cannot be told, the age of the backups tells soon enough.
      forPeople { try ServiceCommand.installation(of: stack).isOfStack() } ?? false
    }
    let (quiet, name) = (quiet, options.host)
    let server = OpsServer(stack, options: options, files: Kernel(), time: SystemTime())
    try AsyncProgram.run {
      try await server.run { port in
        if !quiet { Screen.say("Starting HRP Ops Server on \(name):\(port)", on: .output) }
      }
    }
  }
}
