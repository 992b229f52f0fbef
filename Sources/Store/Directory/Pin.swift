package import Files
package import SystemPackage

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// A mark that keeps a backup from rotation, whatever its age: a small file beside the sealed backups.
package struct Pin: Codable, Sendable, Equatable {
  /// ISO 8601 with offset.
  package var at: String
  /// The reason, in the words of the user who pinned it; empty when no reason was given.
  package var reason: String
}

/// The pins in a directory of backups.
package struct PinDirectory {
  static let folderName = FilePath(".hrp-pins")

  private static let maximumReasonBytes = 1000

  private let backups: FilePath
  private let notes: BackupNotes
  private let files: any FileSystem
  private let time: any TimeSource

  package init(of backups: FilePath, files: any FileSystem, time: any TimeSource = SystemTime()) {
    self.backups = backups
    self.files = files
    self.time = time
    notes = BackupNotes(Self.folderName, of: backups, files: files)
  }

  /// The pin of a backup.
  ///
  /// A pin that cannot be understood counts as a pin: it is better to keep one backup too many.
  package func pin(of name: FileName) -> Noted<Pin> {
    notes.read(name).map(orElse: "") {
      let bytes = Data($0)
      return parsed { try JSONDecoder().decode(Pin.self, from: bytes) } ?? Pin(at: "", reason: "")
    }
  }

  /// Pins a backup; a pin that is there gets the new reason.
  /// - Throws: `BackupError` `pin.reason-too-long`; `AdvisoryLock.Busy`; `SystemError`.
  @discardableResult
  package func pin(_ name: FileName, reason: String) throws -> Pin {
    guard reason.utf8.count <= Self.maximumReasonBytes else {
      throw BackupError(
        "pin.reason-too-long", kind: .usage, message: "a reason has at most \(Self.maximumReasonBytes) bytes",
        remedy: "Give a shorter reason.")
    }
    let pin = Pin(at: LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset, reason: reason)
    let bytes = try StoredJSON.bytes(of: pin)
    try locked { try notes.write(bytes, of: name) }
    return pin
  }

  /// Takes the pin away, also one that cannot be read.
  /// - Returns: whether there was one.
  /// - Throws: `AdvisoryLock.Busy`; `SystemError`.
  package func unpin(_ name: FileName) throws -> Bool {
    try locked {
      let wasPinned = pin(of: name).mayBeThere
      try notes.remove(name)
      return wasPinned
    }
  }

  /// Removes the pin of a backup that is gone; whoever calls it has the lock of the backups.
  func forget(_ name: FileName) throws(SystemError) { try notes.remove(name) }

  /// Waits for a running rotation, because that uses the pins from before it began.
  private func locked<Result>(_ body: () throws -> Result) throws -> Result {
    try AdvisoryLock.whileHeld(
      .exclusive, of: .backups, on: backups, note: ThisProcess.note(program: "hrp backup pin", time: time),
      patience: .seconds(10), files: files, time: time, body: body)
  }
}
