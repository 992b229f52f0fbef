package import Backup
package import Files
package import Stacks
package import SystemPackage

/// What the catalogue of a stack remembers of backup directories; a catalogue that is absent or cannot be read forbids
/// nothing (C1).
package struct CatalogueMemory: PlaceMemory {
  private let stack: Stack
  private let files: any FileSystem
  private let time: any TimeSource

  package init(_ stack: Stack, files: any FileSystem, time: any TimeSource) {
    self.stack = stack
    self.files = files
    self.time = time
  }

  private var catalogue: Catalogue? { Catalogue.ifPresent(of: stack, files: files, time: time) }

  package func known(in directory: FilePath) -> KnownBackups? {
    forPeople { try catalogue?.known(in: directory) } ?? nil
  }

  package func forget(_ directory: FilePath) { ignoringFailure { try catalogue?.forget(directory) } }

  package func update() { ignoringFailure { try catalogue?.refresh() } }
}
