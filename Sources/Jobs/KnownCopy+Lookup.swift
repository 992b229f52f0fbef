package import Files
internal import Settings
package import Stacks
internal import Store
internal import SystemPackage

extension KnownCopy {
  /// The copies of a backup in the places that are configured, and in those that were copied to before.
  package static func all(
    of backup: FileName, in stack: Stack, files: any FileSystem, time: any TimeSource
  ) -> [KnownCopy] {
    let name = ByteText.escaped(backup.bytes)
    // Where the records cannot be read, what can be looked at is shown.
    let records = forPeople { try Catalogue.ifPresent(of: stack, files: files, time: time)?.copies(of: name) } ?? nil
    var copies: [KnownCopy] = []
    for configured in stack.secondPlaces {
      let place = stack.place(configured, files: files, time: time)
      let record = records?.first { $0.place == place.title }
      guard forPeople({ try place.check() }) != nil else {
        if let record { copies.append(KnownCopy(place: place.title, copiedAt: record.copiedAt)) }
        continue
      }
      let path = place.path.appending(backup.path.components)
      guard let isThere = forPeople({ try files.exists(path) }), isThere else { continue }
      copies.append(KnownCopy(place: place.title, path: path, isPresent: true, copiedAt: record?.copiedAt))
    }
    let isConfigured = Set(stack.secondPlaces.map(\.name))
    for record in records ?? [] where !isConfigured.contains(record.place) {
      let path = FilePath(record.place).appending(backup.path.components)
      let isThere = forPeople { try files.exists(path) }
      copies.append(
        KnownCopy(
          place: record.place, path: isThere == true ? path : nil, isPresent: isThere == true ? true : nil,
          copiedAt: record.copiedAt))
    }
    return copies
  }
}
