import Files
import Foundation
import MLflow
import SystemPackage
import TestKit
import Testing

@Suite("MLflow's locations at another place")
struct RelocationTests {
  private let relocation = Relocation([
    (old: "/home/u/hrp data/mlflow", new: "/mnt/neu/ü"), (old: "/home/u/hrp data", new: "/mnt/neu"),
  ])

  @Test(
    "only what is really the old place is rewritten, in its own form",
    arguments: [
      ("/home/u/hrp data/mlflow/mlruns/0", "/mnt/neu/ü/mlruns/0"),
      ("/home/u/hrp data/mlflow", "/mnt/neu/ü"),
      ("/home/u/hrp data/other/x", "/mnt/neu/other/x"),
      ("file:///home/u/hrp%20data/mlflow/a%20b", "file:///mnt/neu/%C3%BC/a%20b"),
      ("file:///home/u/hrp data/mlflow/a", "file:///mnt/neu/%C3%BC/a"),
      ("file://localhost/home/u/hrp%20data/mlflow", "file://localhost/mnt/neu/%C3%BC"),
      ("file:/home/u/hrp%20data/x", "file:/mnt/neu/x"),
      ("/home/u/hrp data-old/mlflow", nil), ("/home/u/hrp", nil), ("home/u/hrp data/mlflow", nil),
      ("s3://bucket/home/u/hrp data/mlflow", nil), ("mlflow-artifacts:/home/u/hrp data/x", nil),
      ("models:/m-1", nil), ("", nil),
    ] as [(String, String?)])
  func rewriting(old: String, new: String?) {
    #expect(relocation.rewrite(old) == new)
  }

  @Test("a place that did not move, and the root, are no places to rewrite")
  func nothing() {
    #expect(Relocation([(old: "/a", new: "/a"), (old: "/", new: "/b"), (old: "x", new: "/y")]).isEmpty)
  }

  @Test("in a meta.yaml only the fields that are locations change; quotes stay, and come where they are needed")
  func yaml() throws {
    let places = Relocation([(old: "/old/mlflow", new: "/new: place/it's")])
    let text = """
      artifact_location: /old/mlflow/1
      artifact_uri: 'file:///old/mlflow/1/r'
      experiment_id: '1'
      name: /old/mlflow
      source: "/old/mlflow/m"
      tags: {}

      """
    let done = try #require(places.rewrite(yaml: Array(text.utf8)))
    #expect(done.count == 3)
    #expect(
      String(decoding: done.yaml, as: UTF8.self) == """
        artifact_location: '/new: place/it''s/1'
        artifact_uri: 'file:///new%3A%20place/it%27s/1/r'
        experiment_id: '1'
        name: /old/mlflow
        source: '/new: place/it''s/m'
        tags: {}

        """)
    #expect(places.rewrite(yaml: Array("name: x\n".utf8)) == nil)
  }

  @Test("folded and escaped texts are read as YAML has them; a rewritten one stands in one line")
  func folded() throws {
    let places = Relocation([(old: "/old place with a long name/ü", new: "/new")])
    let text = """
      artifact_location: file:///old place with a long
        name/ü/mlruns/0
      artifact_path: "/old place with a long name/\\xFC/mlruns/0\\
        /models/m"
      flavors:
        source: /old place with a long name/ü/x
      source: '/old place with a long
        name/ü/it''s'
      utc: '2026'
      """
    let done = try #require(places.rewrite(yaml: Array(text.utf8)))
    #expect(done.count == 3)
    #expect(
      String(decoding: done.yaml, as: UTF8.self) == """
        artifact_location: file:///new/mlruns/0
        artifact_path: '/new/mlruns/0/models/m'
        flavors:
          source: /old place with a long name/ü/x
        source: '/new/it''s'
        utc: '2026'
        """)
    let meta = MetaFile(Array(text.utf8))
    #expect(meta["source"] == "/old place with a long name/ü/it's" && meta["flavors"] == nil && meta["utc"] == "2026")
  }
}
