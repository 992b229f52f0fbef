internal import Files
internal import Store
private import Synchronization

/// What `/metrics` and the page say of the machine and of this process.
final class MachineMetrics: Sendable {
  /// The load of the processors is that of at least so long.
  private static let minimumSpan: Duration = .seconds(1)

  private struct Span {
    var from: (load: MachineLoad, at: Int64)
    var percent: Double?
  }

  private let span: Mutex<Span>
  private let started: Int64
  private let files: any FileSystem
  private let time: any TimeSource

  init(files: any FileSystem, time: any TimeSource) {
    self.files = files
    self.time = time
    started = time.nowNanoseconds
    span = Mutex(Span(from: (MachineLoad(files: files), time.monotonicNanoseconds)))
  }

  /// What the machine does now: the processors since the last time that somebody asked.
  func load() -> (now: MachineLoad, processorPercent: Double?) {
    let now = MachineLoad(files: files)
    let percent = span.withLock { span in
      let at = time.monotonicNanoseconds
      guard at - span.from.at >= Self.minimumSpan.nanoseconds else { return span.percent }
      if let current = now.processors, let before = span.from.load.processors {
        span.percent = current.percent(since: before) ?? span.percent
      }
      span.from = (now, at)
      return span.percent
    }
    return (now, percent)
  }

  /// - Parameter diskPercent: how full the disk of the data directory is.
  func write(to text: inout MetricsText, diskPercent: Double?) {
    let (load, processor) = load()
    text.gauge("hrp_system_cpu_percent", help: "How busy the processors are.", value: processor)
    text.gauge("hrp_system_memory_percent", help: "How much of the memory is in use.", value: load.memoryPercent)
    text.gauge("hrp_system_disk_percent", help: "How full the disk of the data directory is.", value: diskPercent)
    text.begin("hrp_build_info", kind: .gauge, help: "The version of this program.")
    text.add("hrp_build_info", labels: ["version": Version.current], value: 1)
    text.gauge(
      "process_start_time_seconds", help: "When this server was started.", value: Double(started / 1_000_000) / 1000)
    guard let own = load.own else { return }
    text.begin("process_cpu_seconds_total", kind: .counter, help: "Time on a processor.")
    text.add("process_cpu_seconds_total", value: own.processorSeconds)
    text.gauge("process_resident_memory_bytes", help: "Memory of this server.", value: Double(own.residentBytes))
    text.gauge("process_open_fds", help: "Open file descriptors of this server.", value: Double(own.openFiles))
  }
}
