private import CFiles
private import Dispatch
private import Synchronization
private import SystemPackage

/// Threads of our own for work that waits for a device, fed through a queue of bounded length.
///
/// Items are begun in the order in which they come. Whoever feeds the queue calls `finish` in the end, also after an
/// error: it returns when every item is done.
package final class Workers<Item: Sendable>: Sendable {
  private struct State {
    var items: [Item] = []
    var isClosed = false
  }

  /// How often somebody who waits gets to do something else.
  private static var tick: DispatchTimeInterval { .milliseconds(100) }

  private let state = Mutex(State())
  /// One for each item in the queue, and after the end one for each thread.
  private let filled = DispatchSemaphore(value: 0)
  private let room: DispatchSemaphore
  private let ended = DispatchSemaphore(value: 0)
  private let threads = Mutex<[UInt]>([])

  /// Starts the threads.
  /// - Parameter makeBody: called once on each thread; what it returns is called for each item there, so it may hold
  ///   buffers of its own.
  /// - Throws: `SystemError` when not even one thread can be had.
  package init(count: Int, capacity: Int, makeBody: @escaping @Sendable () -> (Item) -> Void) throws(SystemError) {
    room = DispatchSemaphore(value: capacity)
    for _ in 0..<count {
      let body = ThreadBody { [self] in
        let body = makeBody()
        while let item = take() { body(item) }
        ended.signal()
      }
      do throws(SystemError) {
        let thread = try body.start()
        threads.withLock { $0.append(thread) }
      } catch {
        // Fewer serve as well.
        if threads.withLock({ $0.isEmpty }) { throw error }
        return
      }
    }
  }

  /// Hands an item over; while the queue is full, `whileWaiting` is called now and then.
  package func submit(_ item: Item, whileWaiting: () throws -> Void) rethrows {
    while room.wait(timeout: .now() + Self.tick) == .timedOut { try whileWaiting() }
    state.withLock { $0.items.append(item) }
    filled.signal()
  }

  /// Waits until everything is done and the threads have ended; `whileWaiting` is called now and then.
  package func finish(whileWaiting: () -> Void) {
    let threads = threads.withLock { threads in
      defer { threads = [] }
      return threads
    }
    state.withLock { $0.isClosed = true }
    for _ in threads { filled.signal() }
    for _ in threads { while ended.wait(timeout: .now() + Self.tick) == .timedOut { whileWaiting() } }
    for thread in threads { hrp_thread_join(thread) }
  }

  /// The next item; nil when the queue is empty and closed.
  private func take() -> Item? {
    filled.wait()
    let item = state.withLock { $0.items.isEmpty ? nil : $0.items.removeFirst() }
    if item != nil { room.signal() }
    return item
  }
}

/// What a thread runs, as an object that C can carry.
private final class ThreadBody: Sendable {
  private let run: @Sendable () -> Void

  init(_ run: @escaping @Sendable () -> Void) { self.run = run }

  /// Starts the thread, and returns its handle.
  func start() throws(SystemError) -> UInt {
    var thread: UInt = 0
    let context = Unmanaged.passRetained(self)
    let error = hrp_thread_start(
      { context in
        // The context is never nil: it is the object that was retained for this thread.
        if let context { Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run() }
      }, context.toOpaque(), &thread)
    if error == 0 { return thread }
    context.release()
    throw SystemError("pthread_create", errno: Errno(rawValue: error))
  }
}
