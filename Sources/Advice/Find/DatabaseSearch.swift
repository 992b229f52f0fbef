internal import Backup
internal import DuckDBEngine
internal import Files

/// Looks for a text in a DuckDB database that nobody writes to.
///
/// Only tables are asked, each by a statement of its own. A view may lead to a file that is missing, or never end; and
/// a table that cannot be read says nothing about the others.
package struct DatabaseSearch {
  /// How often the engine may crash, or be stopped because it is silent, before the other tables are skipped.
  private static let maximumDeaths = 3

  private struct Table {
    let path: TablePath
    /// The name in SQL.
    let place: String
    /// Names and types.
    var columns: [(name: String, type: String)] = []

    var name: String { path.parts.last ?? "" }
    /// The name for people: without the schema when that is `main`.
    var displayPath: String { path.shortText }
  }

  private let text: String
  private let ask: LiveDatabase.Ask

  init(_ text: String, ask: @escaping LiveDatabase.Ask) {
    self.text = text
    self.ask = ask
  }

  /// Where the text is: rows of columns that hold ids and names, and tables and columns that are called so.
  ///
  /// - Parameter unread: gets a sentence for each table that could not be asked.
  /// - Throws: `EngineError`, `.refused` when the database does not open; `Interruption.Stopped`.
  func hits(unread: inout [String]) throws -> [SearchHit] {
    let listed = try ask(.list)
    if let problem = listed.problems.first { throw EngineError.refused(words: problem.detail) }
    var tables = listed.places.map { Table(path: $0.path, place: $0.place) }
    for (index, answer) in try askEach(tables.map { "DESCRIBE \($0.place)" }).enumerated() {
      do {
        tables[index].columns = try Self.rows(answer).compactMap { row in
          guard row.count > 1, let name = row[0], let type = row[1] else { return nil }
          return (name, type)
        }
      } catch { unread.append("table \(tables[index].displayPath): \(Self.words(error))") }
    }
    return try count(tables, unread: &unread)
  }

  private func count(_ tables: [Table], unread: inout [String]) throws -> [SearchHit] {
    let asked = tables.map { (table: $0, questions: questions(on: $0)) }.filter { !$0.questions.isEmpty }
    let answers = try askEach(
      asked.map { table, questions in
        "SELECT \(questions.map { "(\($0.sql))::VARCHAR" }.joined(separator: ", ")) FROM \(table.place)"
      })
    var hits: [SearchHit] = []
    for ((table, questions), answer) in zip(asked, answers) {
      do {
        let counts = try Self.rows(answer).first ?? []
        for (question, count) in zip(questions, counts) {
          let count = count.flatMap { Int($0) } ?? 0
          if count > 0 || question.isName { hits.append(SearchHit(place: question.place, count: count)) }
        }
      } catch { unread.append("table \(table.displayPath): \(Self.words(error))") }
    }
    return hits
  }

  private struct Question {
    let place: String
    let sql: String
    /// It is found by its name, even when no row is in it.
    var isName = false
  }

  private func questions(on table: Table) -> [Question] {
    var questions: [Question] = []
    if [table.name, table.displayPath, table.path.text].contains(where: isCalled) {
      questions.append(Question(place: "table \(table.displayPath)", sql: "count(*)", isName: true))
    }
    for column in table.columns {
      let place = "\(table.displayPath).\(column.name)"
      if [column.name, place, "\(table.path.text).\(column.name)"].contains(where: isCalled) {
        questions.append(
          Question(place: "column \(place)", sql: "count(\(SQLText.name(column.name)))", isName: true))
      }
      guard Self.holdsNames(column) else { continue }
      questions.append(
        Question(
          place: place,
          sql: "count(*) FILTER (WHERE \(SQLText.name(column.name))::VARCHAR = \(SQLText.literal(text)))"))
    }
    return questions
  }

  /// Names of tables and columns are the same in capital and small letters.
  private func isCalled(_ name: String) -> Bool { name.lowercased() == text.lowercased() }

  /// Columns that hold ids and names.
  private static func holdsNames(_ column: (name: String, type: String)) -> Bool {
    let isText = ["VARCHAR", "UUID"].contains(column.type) || column.type.hasPrefix("ENUM(")
    let name = column.name.lowercased()
    return isText && (name.hasSuffix("id") || ["name", "title", "symbol"].contains(name))
  }

  /// Answers each statement; when one makes the engine crash, the others are asked again without it.
  private func askEach(_ statements: [String]) throws -> [EngineAnswer] {
    var answers: [EngineAnswer] = []
    var deaths = 0
    while answers.count < statements.count {
      guard deaths < Self.maximumDeaths else {
        answers.append(.failure("it was not asked, because the engine had ended \(deaths) times before"))
        continue
      }
      let report = try ask(.query(Array(statements[answers.count...])))
      answers += report.answers
      guard answers.count < statements.count else { break }
      deaths += 1
      answers.append(.failure(report.problems.first?.detail ?? "the engine gave no answer"))
    }
    return answers
  }

  private static func rows(_ answer: EngineAnswer) throws -> [[String?]] {
    switch answer {
    case .rows(let rows): return rows
    case .failure(let words): throw EngineError.refused(words: words)
    }
  }

  private static func words(_ error: any Error) -> String {
    if case EngineError.refused(let words) = error { return words }
    return "\(error)"
  }
}
