/// What a small file says: a pin, a proof, the metadata of a backup.
///
/// A file that cannot be read is not the same as a missing file. Code that deletes, replaces or trusts by what the file
/// says must handle all three cases.
package enum Noted<Value: Sendable>: Sendable {
  /// There is no such file.
  case nothing
  case found(Value)
  /// The file is there or may be there, and its contents are unknown; the text says why, as a clause.
  case unreadable(String)

  /// Its contents, when they are known.
  package var value: Value? {
    if case .found(let value) = self { value } else { nil }
  }

  /// Why its contents are unknown.
  package var problem: String? {
    if case .unreadable(let why) = self { why } else { nil }
  }

  /// Whether there is one, or may be one.
  package var mayBeThere: Bool {
    if case .nothing = self { false } else { true }
  }

  /// Converts the contents; when the body returns nil, they count as unreadable, with this problem.
  func map<Result: Sendable>(orElse problem: String, _ body: (Value) -> Result?) -> Noted<Result> {
    switch self {
    case .nothing: .nothing
    case .found(let value): body(value).map { .found($0) } ?? .unreadable(problem)
    case .unreadable(let why): .unreadable(why)
    }
  }
}

extension Noted: Equatable where Value: Equatable {}
