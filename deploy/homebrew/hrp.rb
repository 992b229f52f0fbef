# Homebrew formula of hrp. It was NEVER TRIED ON macOS: only its Ruby syntax was checked (`ruby -c`). Whoever tries it first
# should expect to mend something, and say so in CHANGELOG.md.
#
# It builds from a source archive of this repository. `homepage`, `url`, `sha256` and `head` are to be filled in for a release.
# From a checkout, before there is one: set `head "file:///path/of/the/checkout", using: :git`, and then
#
#   brew install --HEAD --formula ./deploy/homebrew/hrp.rb
#
# Swift's library is part of macOS, so only hrp itself is built. DuckDB's library comes from Homebrew's duckdb, where
# hrp looks for it by itself (`hrp --version --json` says what it found).
class Hrp < Formula
  desc "Backup and restore of one live DuckDB database and one MLflow directory"
  homepage "https://example.com/hrp"
  url "https://example.com/hrp/archive/refs/tags/v0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"
  head "https://example.com/hrp.git", branch: "main"

  # Swift 6.2 or newer, which Xcode 26 brings.
  depends_on xcode: ["26.0", :build]
  depends_on macos: :sequoia
  depends_on "pkgconf" => :build
  depends_on "duckdb"
  depends_on "xxhash"
  uses_from_macos "python" => :build, since: :catalina
  uses_from_macos "sqlite"

  def install
    # Homebrew has a sandbox of its own, and one in another does not start.
    system "swift", "build", "--disable-sandbox", "--configuration", "release", "--product", "hrp"
    bin.install ".build/release/hrp"

    # The same as in scripts/stage.
    (bash_completion/"hrp").write Utils.safe_popen_read("scripts/completions", bin/"hrp", "bash")
    (zsh_completion/"_hrp").write Utils.safe_popen_read("scripts/completions", bin/"hrp", "zsh")
    (fish_completion/"hrp.fish").write Utils.safe_popen_read("scripts/completions", bin/"hrp", "fish")
    system "python3", "scripts/manpages.py", bin/"hrp", buildpath/"man1", "--date", time.strftime("%Y-%m-%d")
    man1.install Dir["man1/*.1"]
    doc.install "docs", "ARCHITECTURE.md"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/hrp --version")
    # The engine is Homebrew's.
    assert_match "libduckdb", shell_output("#{bin}/hrp --version --json")

    (testpath/"stack").mkpath
    system Formula["duckdb"].opt_bin/"duckdb", testpath/"stack/hrp.duckdb", "CREATE TABLE t AS SELECT 42 AS answer"
    system bin/"hrp", "backup", "create", "--data-dir", testpath/"stack"
    system bin/"hrp", "backup", "drill", "latest", "--data-dir", testpath/"stack"
    assert_match "latest-valid", shell_output(
      "#{bin}/hrp ---completion backup verify -- positional@0 5 0 " \
      "hrp backup verify --data-dir #{testpath}/stack ''",
    )
  end
end
