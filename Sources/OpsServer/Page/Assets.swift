internal import Mustache

/// The files of the page, which are part of the program.
package struct Assets: Sendable {
  package let style = String(decoding: PackageResources.page_css, as: UTF8.self)
  package let script = String(decoding: PackageResources.page_js, as: UTF8.self)
  package let document = String(decoding: PackageResources.openapi_json, as: UTF8.self)
  package let documentation = String(decoding: PackageResources.docs_html, as: UTF8.self)
  private let template: MustacheTemplate

  /// - Throws: what the parser says of a template that is wrong.
  package init() throws {
    template = try MustacheTemplate(string: String(decoding: PackageResources.page_mustache, as: UTF8.self))
  }

  /// The page; every text in it is escaped.
  func page(_ contents: PageContents) -> String { template.render(contents) }
}
