internal import Files

/// Shows that nothing was written to the database while the end of a copy was read (docs/formats/duckdb.md §5.4).
///
/// A checkpoint of an empty WAL leaves no marker. Beside a writer that checkpoints more often than the rest takes, the
/// rest never comes to its end; this takes its place. It needs:
///
///   Q1  The change to the current header was seen, no header was missed, and the look before it is at most 5 ms
///       older: no other checkpoint can have got far in that time.
///   Q2  The modification time was the same before and after the look that saw the change.
///   Q3  It is the same at the end, at least 20 ms later, which is more than a step of the kernel's clock. All reads
///       that count lie between: each write would have moved it.
///   Q4  The file system moves the time with every write, and no writer writes through memory, which does not.
///
/// Example: a look sees the known header, and the next look, 3 ms later, sees the new one. All blocks are read during
/// the next 25 ms. If the modification time is still that of the second look, nothing was written while they were read.
struct QuietProof {
  private static let maximumGap: Int64 = 5_000_000
  private static let minimumAge: Int64 = 20_000_000

  /// A look at the header: when it began, and the file's modification time then.
  struct Look {
    let at: Int64
    let modified: Int64
  }

  private let database: DatabaseFile
  private var lastUnchanged: Look?
  private var lastChange: Look?
  /// Whether Q4 is true; nil when that was not asked yet.
  private var isReliable: Bool?

  init(_ database: DatabaseFile) { self.database = database }

  /// Begins a look at the header, which is read after this.
  func look(at now: Int64) throws(SystemError) -> Look {
    Look(at: now, modified: try database.file.status().modifiedNanoseconds)
  }

  /// The look saw the header that was known.
  mutating func unchanged(_ look: Look) { lastUnchanged = look }

  /// The look saw another header (Q1, Q2).
  mutating func changed(_ look: Look, isNext: Bool) throws(SystemError) {
    let isSharp = lastUnchanged.map { look.at - $0.at <= Self.maximumGap } ?? false
    let isStill = try database.file.status().modifiedNanoseconds == look.modified
    lastChange = isNext && isSharp && isStill ? look : nil
    lastUnchanged = nil
  }

  /// Whether the change to the current header was seen sharply enough.
  var isPossible: Bool { lastChange != nil && isReliable != false }

  /// Whether nothing was written since then (Q3, Q4); waits for the kernel's clock to have gone on.
  ///
  /// It returns false when there is no proof under this header any more.
  mutating func holds(_ time: any TimeSource) throws -> Bool {
    guard let change = lastChange else { return false }
    let age = time.monotonicNanoseconds - change.at
    if age < Self.minimumAge { time.sleep(.nanoseconds(Self.minimumAge - age)) }
    if isReliable == nil { isReliable = try askReliable() }
    let isUnmoved = try database.file.status().modifiedNanoseconds == change.modified
    if isReliable == true, isUnmoved { return true }
    lastChange = nil
    return false
  }

  private func askReliable() throws(SystemError) -> Bool {
    guard try database.file.files.isLocal(database.file.descriptor) else { return false }
    guard case .writer(let pid?) = try database.writerPresence() else { return false }
    return FileHolders.isMappedForWriting(database.identity, by: pid) == false
  }
}
