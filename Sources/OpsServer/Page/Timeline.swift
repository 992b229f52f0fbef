internal import Files

/// The backups as a picture: a bar for each, as high as the backup is large, with a dot for how long it took.
///
/// Pure: the template writes it as SVG. What the picture says stands in the table below it too.
package struct Timeline {
  /// One backup in the picture.
  package struct Bar {
    package let x: Double
    package let y: Double
    package let width: Double
    package let height: Double
    /// What it is, for CSS: "proven".
    package let style: String
    /// Where the dot of the duration is; nil when nothing tells how long it took.
    package let dotX: Double
    package let dotY: Double?
    /// What a pointer shows: name, size, duration, proof.
    package let title: String
  }

  /// A line with its text.
  package struct Mark {
    package let position: Double
    package let text: String
  }

  package static let width = 960.0
  package static let height = 220.0
  private static let left = 70.0
  private static let right = 60.0
  private static let top = 16.0
  private static let bottom = 30.0
  /// More are no picture.
  private static let maximumBars = 120

  package let bars: [Bar]
  package let sizes: [Mark]
  package let durations: [Mark]
  package let days: [Mark]
  /// What the picture shows, in words.
  package let summary: String

  private static var plotHeight: Double { height - top - bottom }
  private static var plotWidth: Double { width - left - right }

  /// - Parameter backups: newest first.
  package init(_ backups: [BackupView]) {
    let shown = backups.prefix(Self.maximumBars).filter { $0.timestamp != nil && $0.sizeBytes != nil }.reversed()
    let times = shown.compactMap(\.timestamp)
    let largest = Self.roundBytes(Double(shown.compactMap(\.sizeBytes).max() ?? 0))
    let longest = Self.ceiling(shown.compactMap(\.durationSeconds).max() ?? 0)
    let first = times.first ?? 0
    let span = max(1, Double((times.last ?? 0) - first))
    let width = min(24, max(3, Self.plotWidth / Double(max(1, shown.count)) * 0.6))
    let place = { (time: Int64) in
      Self.left + width / 2 + Double(time - first) / span * (Self.plotWidth - width)
    }
    bars = shown.map { Self.bar($0, at: place($0.timestamp ?? 0), width: width, largest: largest, longest: longest) }
    sizes = Self.marks(largest) { ByteCount.text(Int64($0)) }
    durations = longest > 0 ? Self.marks(longest) { Self.duration($0) } : []
    days = Self.days(times, place: place)
    summary = Self.summary(of: Array(shown))
  }

  private static func bar(
    _ backup: BackupView, at x: Double, width: Double, largest: Double, longest: Double
  ) -> Bar {
    let height = max(2, Double(backup.sizeBytes ?? 0) / max(1, largest) * plotHeight)
    let dot = backup.durationSeconds.map { top + plotHeight * (1 - $0 / max(0.001, longest)) }
    let words = [
      backup.name, backup.sizeBytes.map(ByteCount.text), backup.durationSeconds.map(duration),
      backup.isComplete ? backup.proof.rawValue : "incomplete",
    ].compactMap { $0 }
    return Bar(
      x: rounded(x - width / 2), y: rounded(top + plotHeight - height), width: rounded(width), height: rounded(height),
      style: backup.isComplete ? backup.proof.rawValue : "incomplete", dotX: rounded(x), dotY: dot.map(rounded),
      title: words.joined(separator: ", "))
  }

  /// Lines at nothing, half and all.
  private static func marks(_ most: Double, text: (Double) -> String) -> [Mark] {
    [0, 0.5, 1].map { Mark(position: rounded(top + plotHeight * (1 - $0)), text: text(most * $0)) }
  }

  /// The days of at most seven backups, so that the texts have room.
  private static func days(_ times: [Int64], place: (Int64) -> Double) -> [Mark] {
    guard let first = times.first, let last = times.last else { return [] }
    let count = min(6, max(1, times.count - 1))
    var seen = Set<String>()
    return (0...count).compactMap { index in
      let time = first + (last - first) / Int64(count) * Int64(index)
      let text = String(LocalTime(nanoseconds: time).plain.prefix(10))
      return seen.insert(text).inserted ? Mark(position: rounded(place(time)), text: text) : nil
    }
  }

  /// The next round number of bytes in the unit that people read.
  private static func roundBytes(_ bytes: Double) -> Double {
    var unit = 1.0
    while unit * 1024 <= bytes { unit *= 1024 }
    return ceiling(bytes / unit) * unit
  }

  /// The next round number.
  private static func ceiling(_ value: Double) -> Double {
    guard value > 0 else { return 0 }
    var step = 1.0
    while step * 10 <= value { step *= 10 }
    while step > value { step /= 10 }
    for factor in [1, 2, 5, 10] where step * Double(factor) >= value { return step * Double(factor) }
    return value
  }

  private static func summary(of backups: [BackupView]) -> String {
    guard let first = backups.first, let last = backups.last else { return "There is no backup yet." }
    let count = backups.count == 1 ? "1 backup" : "\(backups.count) backups"
    let proven = backups.count { $0.proof == .proven }
    let failed = backups.count { $0.proof == .failed }
    return "\(count), from \(first.name) to \(last.name). \(proven) proven by a drill"
      + (failed > 0 ? ", \(failed) failed." : ", none failed.")
  }

  /// "70 ms", "4.2 s", "3 min".
  package static func duration(_ seconds: Double) -> String {
    if seconds < 1 { return "\(Int((seconds * 1000).rounded())) ms" }
    if seconds < 10 { return "\(ByteCount.rounded(seconds, decimals: 1)) s" }
    return seconds < 120 ? "\(Int(seconds)) s" : "\(Int(seconds / 60)) min"
  }

  private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
