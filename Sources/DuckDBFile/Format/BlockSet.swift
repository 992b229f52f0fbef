/// A set of block numbers, one bit each.
package struct BlockSet: Sendable, Equatable {
  private var words: [UInt64]
  /// Members are below this.
  package let limit: Int

  /// No members, or all numbers below the limit.
  package init(limit: Int, all: Bool = false) {
    self.limit = limit
    words = Array(repeating: all ? .max : 0, count: (limit + 63) / 64)
    if all, limit % 64 != 0 { words[words.count - 1] = (1 << UInt64(limit % 64)) - 1 }
  }

  package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
  /// The greatest member.
  package var last: Int? {
    words.lastIndex { $0 != 0 }.map { $0 * 64 + 63 - words[$0].leadingZeroBitCount }
  }
  package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  package func contains(_ block: Int) -> Bool {
    block >= 0 && block < limit && words[block / 64] & (1 << UInt64(block % 64)) != 0
  }

  /// - Returns: whether the block was new.
  @discardableResult
  package mutating func insert(_ block: Int) -> Bool {
    precondition(block >= 0 && block < limit, "Block \(block) is outside of a set of \(limit).")
    let bit: UInt64 = 1 << UInt64(block % 64)
    defer { words[block / 64] |= bit }
    return words[block / 64] & bit == 0
  }

  package mutating func remove(_ block: Int) {
    guard contains(block) else { return }
    words[block / 64] &= ~(1 << UInt64(block % 64))
  }

  /// The members that the other set holds too; the limit is the smaller of both.
  package func intersection(_ other: BlockSet) -> BlockSet { combined(with: other) { $0 & $1 } }

  /// The members that the other set does not hold.
  package func subtracting(_ other: BlockSet) -> BlockSet {
    var result = self
    for index in words.indices where index < other.words.count { result.words[index] &= ~other.words[index] }
    return result
  }

  /// The same members under another limit; those at or above it are dropped.
  package func limited(to limit: Int) -> BlockSet {
    BlockSet(limit: limit, all: true).combined(with: self, limit: limit) { $0 & $1 }
  }

  private func combined(with other: BlockSet, limit: Int? = nil, _ operation: (UInt64, UInt64) -> UInt64) -> BlockSet {
    var result = BlockSet(limit: limit ?? Swift.min(self.limit, other.limit))
    for index in result.words.indices {
      result.words[index] = operation(
        words[index], index < other.words.count ? other.words[index] : 0)
    }
    return result
  }

  /// The first run of neighbouring members at or after a number, at most so long.
  package func run(from start: Int, maximum: Int) -> Range<Int>? {
    guard var first = next(from: start) else { return nil }
    let begin = first
    while first < limit, first - begin < maximum, contains(first) { first += 1 }
    return begin..<first
  }

  /// The first member at or after a number.
  package func next(from start: Int) -> Int? {
    guard start < limit else { return nil }
    var index = start / 64
    var word = words[index] & (UInt64.max << UInt64(start % 64))
    while word == 0 {
      index += 1
      guard index < words.count else { return nil }
      word = words[index]
    }
    return index * 64 + word.trailingZeroBitCount
  }
}

extension BlockSet: Sequence {
  package func makeIterator() -> AnyIterator<Int> {
    var position = 0
    return AnyIterator {
      guard let block = next(from: position) else { return nil }
      position = block + 1
      return block
    }
  }
}
