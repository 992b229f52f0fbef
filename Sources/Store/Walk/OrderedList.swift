internal import Files

/// A list of a backup, told in the order of its keys, as a stream where it is sorted already.
///
/// Ours and the Python tool's are. Another one is read whole and sorted first, up to a limit.
package final class OrderedList<Element> {
  /// The most entries of an unsorted list.
  private let maximumUnsorted = 5_000_000

  /// Entries told so far, the one ahead included; all of them once the list has passed by.
  private(set) var count = 0
  /// What is wrong with lines, at most twenty: the line's number and why.
  package private(set) var problems: [String] = []
  /// The hash of the whole file.
  package private(set) var digest: Digest

  private let parse: ([UInt8]) throws -> Element
  private let key: (Element) -> [UInt8]
  private var lines: LineReader
  private var sorted: [Element]?
  private var position = 0
  private var entries = 0
  private var ahead: Element?

  /// Reads the list once to know its hash.
  ///
  /// When that is not the hash of a list that we wrote, the order of the list and its errors are checked as well.
  ///
  /// - Parameter written: the hash of the list as hrp wrote it: such a list is sorted and right.
  init(
    _ file: any ReadableBytes, written: Digest?, key: @escaping (Element) -> [UInt8],
    parse: @escaping ([UInt8]) throws -> Element
  ) throws {
    self.key = key
    self.parse = parse
    digest = try ContentsReader.digest(of: file)
    lines = LineReader(file)
    if digest != written {
      let isSorted = try scan()
      lines = LineReader(file)
      if !isSorted { try sort() }
    }
    ahead = try following()
  }

  /// The next entry, without taking it; nil at the end.
  package var next: (key: [UInt8], element: Element)? { ahead.map { (key($0), $0) } }

  package func advance() throws { ahead = try following() }

  private func scan() throws -> Bool {
    var previous: [UInt8]?
    var isSorted = true
    do {
      while let line = try lines.next() {
        guard let element = entry(line) else { continue }
        let key = key(element)
        if let previous, !previous.lexicographicallyPrecedes(key) { isSorted = false }
        previous = key
        entries += 1
      }
      if !lines.endedWithLineFeed { problem("line \(lines.line) is cut short") }
    } catch let error as LineReader.LineTooLong {
      problem("line \(error.line) is too long")
    }
    return isSorted
  }

  private func entry(_ line: [UInt8]) -> Element? {
    do {
      return try parse(line)
    } catch let error as ChecksumLine.Malformed {
      problem("line \(lines.line) \(error.why)")
    } catch {
      problem("line \(lines.line) is not what hrp writes")
    }
    return nil
  }

  private func problem(_ text: String) {
    if problems.count < 20 { problems.append(text) }
  }

  private func sort() throws {
    guard entries <= maximumUnsorted else { return problem("is not sorted") }
    var all: [Element] = []
    while let element = try read() { all.append(element) }
    all.sort { key($0).lexicographicallyPrecedes(key($1)) }
    var unique: [Element] = []
    for element in all {
      if let last = unique.last, key(last) == key(element) {
        problem("\(ByteText.escaped(key(element))) is listed twice")
      } else {
        unique.append(element)
      }
    }
    sorted = unique
  }

  private func following() throws -> Element? {
    let element = try told()
    if element != nil { count += 1 }
    return element
  }

  private func told() throws -> Element? {
    if let sorted {
      guard position < sorted.count else { return nil }
      position += 1
      return sorted[position - 1]
    }
    return try read()
  }

  private func read() throws -> Element? {
    do {
      // Malformed lines were noted by the scan.
      while let line = try lines.next() { if let element = parsed({ try parse(line) }) { return element } }
    } catch is LineReader.LineTooLong {
      return nil
    }
    return nil
  }
}
