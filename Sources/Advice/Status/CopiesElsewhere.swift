package import Files
internal import Jobs
package import Stacks
internal import Store
internal import SystemPackage

/// Whether backups of a stack are on another disk than its data: a broken disk takes everything that is on it.
package enum CopiesElsewhere: Sendable, Equatable {
  /// Some are: where, as a clause.
  case present(String)
  /// All that are known are on the data's own device.
  case none
  /// It cannot be told: why, as a clause.
  case unknown(String)

  /// Whether there are some; nil when that cannot be told.
  var isPresent: Bool? {
    switch self {
    case .present: true
    case .none: false
    case .unknown: nil
    }
  }

  package init(of stack: Stack, files: any FileSystem, time: any TimeSource) {
    do {
      self = try Self.look(stack, files: files, time: time)
    } catch {
      self = .unknown(BackupError(error, doing: "looking for copies", on: stack).message)
    }
  }

  private static func look(_ stack: Stack, files: any FileSystem, time: any TimeSource) throws -> CopiesElsewhere {
    guard let database = try files.statusIfPresent(stack.database) else { return .unknown("there is no database") }
    let isElsewhere = { (directory: BackupDirectory) throws -> Bool in
      guard let status = try files.statusIfPresent(directory.path.appending(".")),
        status.identity.device != database.identity.device
      else { return false }
      return try directory.newest { $0.isOf(stack) != false } != nil
    }
    if try isElsewhere(BackupDirectory(stack.backupDirectory, files: files)) {
      return .present("in the backup directory")
    }
    for place in stack.secondPlaces {
      let place = stack.place(place, files: files, time: time)
      // A place that is out of reach, or another one, is remembered below.
      if forPeople({ try place.check() }) != nil, forPeople({ try isElsewhere(place.backups) }) == true {
        return .present("in \(place.title)")
      }
    }
    let remembered = try Catalogue.existing(of: stack, files: files, time: time)?.copies() ?? []
    guard let copy = remembered.first(where: \.isOnOtherDevice) else { return .none }
    let isThere = ByteText.bytes(of: copy.backup.utf8).flatMap { FileName(bytes: $0) }.map { name in
      KnownCopy.all(of: name, in: stack, files: files, time: time).contains { $0.path != nil }
    }
    return .present(
      "\(copy.backup) in \(copy.place), copied \(copy.copiedAt.prefix(10))"
        + (isThere == true ? "" : ", out of reach now"))
  }
}
