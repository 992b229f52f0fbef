/// What a small file says: a pin, a proof, the metadata of a backup.
///
/// A file that cannot be read is no file that is not there: whoever deletes, replaces or trusts by what it says must
/// look at all three cases.
package enum Noted<Value: Sendable>: Sendable {
  /// There is no such file.
  case nothing
  case found(Value)
  /// There is one, or there may be one; why it cannot be told what it says, as a clause.
  case unreadable(String)

  /// What it says, where that can be told.
  package var value: Value? {
    if case .found(let value) = self { value } else { nil }
  }

  /// Why it cannot be told what it says.
  package var problem: String? {
    if case .unreadable(let why) = self { why } else { nil }
  }

  /// Whether there is one, or may be one.
  package var mayBeThere: Bool {
    if case .nothing = self { false } else { true }
  }

  /// The same of another type; nil from the body: it cannot be understood.
  func map<Result: Sendable>(orElse problem: String, _ body: (Value) -> Result?) -> Noted<Result> {
    switch self {
    case .nothing: .nothing
    case .found(let value): body(value).map { .found($0) } ?? .unreadable(problem)
    case .unreadable(let why): .unreadable(why)
    }
  }
}

extension Noted: Equatable where Value: Equatable {}
