internal import Files

// I5 (rule W): what the copier makes of writers and their checkpoints.

extension HotCopy {
  /// When no writer was seen, a change that is older than this does not come from a running writer.
  private static let writerAge = Duration.seconds(30)

  /// I5, for checkpoints with a marker and without.
  func isQuiet(_ wal: LiveWAL) throws -> Bool {
    guard options.waitsForCheckpoints else { return true }
    if let marker = wal.runningCheckpoint { return try mayFinish(beside: marker) }
    guard wal.isEmpty, restedAt != state.header.iteration, try mayBeWritten() else { return true }
    // Shown at the end, when everything was read.
    return proof.isPossible ? true : try rest()
  }

  /// Whether the checkpoint that left a marker cannot be running.
  func mayFinish(beside marker: WALScan.Marker) throws -> Bool {
    if try marker == deadMarker || !mayBeWritten() { return true }
    guard try isDead() else { return try waitForCheckpoint() }
    deadMarker = marker
    return true
  }

  /// Whether a writer may be at work.
  func mayBeWritten() throws -> Bool {
    switch try database.writerPresence() {
    case .writer: return true
    case .nobody: return false
    case .unknown(let unseen):
      let age = time.nowNanoseconds - (try database.lastChange())
      guard age < Self.writerAge.nanoseconds else { return false }
      warn(
        "\(database.path.text) changed \(max(age, 0) / 1_000_000_000) s ago and nobody was seen to have it open"
          + (unseen == 0 ? "" : " (\(unseen) processes hide their open files from this user)")
          + ": if a program writes to it from another machine, copy it there")
      return true
    }
  }

  /// Whether the checkpoint died before the present process opened the database: an engine up to 1.4 leaves the marker
  /// in the WAL when it opens the database again.
  private func isDead() throws -> Bool {
    let changed = try database.lastChange()
    var starts = try FileHolders(of: database.identity).seen.filter(\.mayWrite).map(\.began)
    if let pid = try database.writer() { starts.append(OtherProcess.start(of: pid)) }
    let margin: Int64 = 2_000_000_000
    if !starts.isEmpty, starts.allSatisfy({ $0.map { changed + margin < $0 } ?? false }) { return true }
    guard time.nowNanoseconds - changed > Duration.seconds(300).nanoseconds else { return false }
    warn(
      "the WAL of \(database.path.text) ends with a checkpoint that stood still for 5 minutes: it was taken for dead"
    )
    return true
  }

  private func warn(_ text: String) {
    if !warnings.contains(text) { warnings.append(text) }
  }

  /// Looks at the header for a while: a checkpoint without a marker would make it change.
  private func rest() throws -> Bool {
    let end = time.monotonicNanoseconds + options.settle.nanoseconds
    while time.monotonicNanoseconds < end {
      time.sleep(.milliseconds(1))
      guard try observe() else { return false }
    }
    restedAt = state.header.iteration
    return true
  }

  /// Waits a little for the header of a running checkpoint; always asks for another round.
  private func waitForCheckpoint() throws -> Bool {
    try remember(&checkpointSeen, patience: options.checkpointPatience) {
      .doesNotSettle(database.path, "a checkpoint has been running for over \(options.checkpointPatience)")
    }
    for _ in 0..<10 {
      time.sleep(.milliseconds(10))
      if try !observe() { break }
    }
    return false
  }

  /// Whether a checkpoint without a marker cannot have changed what was read; else the next round takes the rest.
  func wasQuiet(_ wal: LiveWAL) throws -> Bool {
    guard wal.isEmpty, restedAt != state.header.iteration, try mayBeWritten() else { return true }
    return try proof.holds(time)
  }
}
