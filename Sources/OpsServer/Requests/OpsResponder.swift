internal import Backup
internal import Files
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// Answers every request: checks it, finds its endpoint, counts it.
struct OpsResponder: HTTPResponder {
  private static let forwarding = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]
    .compactMap { HTTPField.Name($0) }

  let desk: OpsDesk
  let hosts: HostCheck
  let metrics: RequestMetrics
  let time: any TimeSource

  func respond(to request: Request, context: OpsContext) async throws -> Response {
    let began = time.monotonicNanoseconds
    let found = Endpoint.find(request.uri.path)
    var answer: Answer
    do {
      answer = try await self.answer(request, found: found, context: context)
    } catch let refusal as Refusal {
      answer = .refusal(refusal)
    } catch {
      answer = .refusal(Refusal(status: .internalServerError, detail: desk.words(error)))
    }
    let seconds = Double(time.monotonicNanoseconds - began) / 1e9
    let isKnown = found.map { $0.endpoint.methods.contains(request.method) } ?? false
    metrics.note(
      method: isKnown ? request.method.rawValue : "other", endpoint: found?.endpoint.template ?? "other",
      status: answer.status.code, seconds: seconds)
    return answer.response
  }

  private func answer(
    _ request: Request, found: (endpoint: Endpoint, word: String)?, context: OpsContext
  ) async throws -> Answer {
    guard hosts.allows(request.head.authority) else {
      throw Refusal.forbidden("this server does not answer to that name: see ops.allowed_hosts")
    }
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > ConnectionGuard.maximumBodyBytes {
      throw Refusal.tooLarge
    }
    guard let (endpoint, word) = found else { throw Refusal.notFound }
    guard endpoint.methods.contains(request.method) else { throw Refusal.methodNotAllowed(endpoint.methods) }
    switch endpoint {
    case .page: return try await desk.page()
    case .style: return Answer(desk.assets.style, type: "text/css; charset=utf-8")
    case .script: return Answer(desk.assets.script, type: "text/javascript; charset=utf-8")
    case .document: return .json(desk.assets.document)
    case .documentation: return Answer(desk.assets.documentation, type: "text/html; charset=utf-8")
    case .health: return .json(try ReadyAnswer.health(at: time.nowNanoseconds))
    case .ready: return try await ready(request, context: context)
    case .metrics: return try await desk.metrics()
    case .status: return try await desk.status()
    case .system: return try await desk.system()
    case .backups: return try await desk.backups(limit: limit(request))
    case .backup: return try await desk.backup(word)
    case .jobs: return try await desk.jobs()
    case .actions, .action: return try await act(request, endpoint: endpoint, word: word)
    }
  }

  private func limit(_ request: Request) throws(Refusal) -> Int? {
    guard let text = request.uri.queryParameters["limit"] else { return nil }
    guard let limit = Int(text), (1...10_000).contains(limit), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { throw Refusal(status: .badRequest, detail: "limit is a number from 1 to 10000") }
    return limit
  }

  private func ready(_ request: Request, context: OpsContext) async throws -> Answer {
    guard let blocks = request.uri.queryParameters["blocks"] else { return try await desk.ready() }
    guard blocks == "all" else { throw Refusal(status: .badRequest, detail: "blocks can only be all") }
    try checkSite(request)
    // It reads the whole database: not for strangers, and not for those whom a proxy hides.
    guard context.isLocal, !Self.forwarding.contains(where: { request.headers.contains($0) }) else {
      throw Refusal.forbidden("all blocks are read only for a client on this machine")
    }
    return try await desk.readyAfterFullPass()
  }

  // MARK: - Actions

  private func act(_ request: Request, endpoint: Endpoint, word: String) async throws -> Answer {
    try checkSite(request)
    guard let token = desk.token else {
      throw Refusal.forbidden("actions are switched off: no ops.token_file is configured")
    }
    guard token.allows(request.headers[.authorization]) else {
      throw Refusal(
        status: .unauthorized, detail: "the token is missing or wrong", fields: [.wwwAuthenticate: "Bearer"])
    }
    if endpoint == .action { return try desk.action(Int(word)) }
    if request.method == .get { return try desk.actions() }
    guard request.headers[.contentType].map({ $0.lowercased().hasPrefix("application/json") }) ?? false else {
      throw Refusal(status: .unsupportedMediaType, detail: "the body must be application/json")
    }
    let body: ByteBuffer
    do {
      body = try await request.body.collect(upTo: ConnectionGuard.maximumBodyBytes)
    } catch is NIOTooManyBytesError {
      throw Refusal.tooLarge
    }
    return try await desk.begin(Array(body.readableBytesView))
  }

  /// A page of another site may make a browser send a request; what it sends along tells.
  private func checkSite(_ request: Request) throws(Refusal) {
    let site = HTTPField.Name("sec-fetch-site").flatMap { request.headers[$0] } ?? "none"
    let isOwn = hosts.allows(origin: request.headers[.origin], of: request.head.authority)
    guard isOwn, ["none", "same-origin"].contains(site) else {
      throw Refusal.forbidden("the request comes from another site")
    }
  }
}
