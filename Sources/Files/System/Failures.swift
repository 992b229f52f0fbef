// The three ways in which a failure may be let pass. Everything else that fails is thrown, or protects: see `Absence`.

/// Runs a cleanup and ignores its failure: what is left over does no harm, or the next run removes it.
///
/// It returns nothing, so that nobody can decide by what came of it.
package func ignoringFailure(_ body: () throws -> Void) {
  do {
    try body()
  } catch {
    // The reason of an earlier error matters more to the reader than that of the tidying after it.
  }
}

/// A value that is only shown to people; nil when it cannot be found out.
///
/// Nothing may be deleted, replaced or trusted by it.
package func forPeople<Value>(_ body: () throws -> Value) -> Value? {
  do { return try body() } catch { return nil }
}

/// What bytes in memory mean; nil when they have another form.
///
/// The body asks no file and no other system, so a failure says something of the bytes and of nothing else.
package func parsed<Value>(_ body: () throws -> Value) -> Value? {
  do { return try body() } catch { return nil }
}
