internal import Advice
internal import Backup
internal import Calendars
internal import Files
internal import Jobs
internal import Settings
internal import Stacks
internal import Store

/// What the template of the page is filled with: texts only, so that the template decides nothing.
struct PageContents {
  struct Reason {
    let message: String
    let since: String
    let remedy: String
  }

  struct Check {
    let name: String
    let words: String
    let style: String
  }

  struct Row {
    let name: String
    let when: String
    let age: String
    let size: String
    let duration: String
    let proof: String
    let style: String
    let pinned: Bool
    let problem: String?
    let bringsBack: String
    let loses: String
    let tables: [TableRow]
    let command: String
    let exact: String
  }

  struct TableRow {
    let name: String
    let rows: String
    let difference: String
  }

  struct JobRow {
    let operation: String
    let status: String
    let style: String
    let when: String
    let message: String
    let code: String?
    let remedy: String?
  }

  struct Fact {
    let name: String
    let value: String
    let style: String
  }

  struct Action {
    let name: String
    let command: String
  }

  let title: String
  let stack: String
  let isProtected: Bool
  let headline: String
  let reasons: [Reason]
  let facts: [Fact]
  let timeline: Timeline
  let hasBackups: Bool
  let rows: [Row]
  /// How many backups the table leaves out; nil when it leaves out none.
  let more: Int?
  let checks: [Check]
  let system: [Fact]
  let pipeline: [Fact]
  let tables: [TableRow]
  let tablesAsOf: String
  let thresholds: [Fact]
  let jobs: [JobRow]
  let problems: [String]
  let actions: [Action]
  let asOf: String
  let version: String
}
