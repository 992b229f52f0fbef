"""hrp-backup-shim: the guide's module names where there is no package hrp."""

import hashlib
import pathlib

from stack import WORK, StackCase


class Commands(StackCase):
    def test_the_guides_commands_are_hrp(self):
        self.assertIn("Checksum: verified", self.python("-m", "hrp.data.backup", "--backup").stdout)
        self.assertIn("Available backups:", self.python("-m", "hrp.data.backup", "--list").stdout)
        listed = self.python("-m", "hrp.agents.cli", "list-jobs").stdout
        self.assertTrue(listed.startswith("\nScheduled Jobs:\n" + "-" * 80 + "\nID: weekly_backup\n"), listed)
        self.assertEqual(self.python("-m", "hrp.ops", "--version", check=False).returncode, 0)
        for module in ("hrp.agents.run_scheduler", "run_scheduler"):
            done = self.python("-m", module, "--once", "--no-backup")
            self.assertEqual(done.stdout, "Nothing is due\n", module)
            refused = self.python("-m", module, "--price-time", "18:00", check=False)
            self.assertEqual((refused.returncode, refused.stdout), (2, ""))
            self.assertIn("does not ingest data", refused.stderr)

    def test_the_other_commands_of_the_runner(self):
        self.assertEqual(self.python("-m", "hrp.agents.cli", check=False).returncode, 1)
        self.assertIn("weekly_backup", self.python("-m", "hrp.agents.cli", "run-now", "--job", "backup").stdout)
        self.assertEqual(self.python("-m", "hrp.agents.cli", "run-now", "--job", "prices", check=False).returncode, 2)
        self.assertEqual(self.python("-m", "hrp.agents.cli", "clear-history", check=False).returncode, 2)
        self.assertIn("weekly_backup", self.python("-m", "hrp.agents.cli", "job-status").stdout)

    def test_the_runners_file_is_written_once_and_never_over_another(self):
        self.python("-m", "hrp_backup_shim", "write", "run_scheduler.py")
        self.assertEqual(self.python("run_scheduler.py", "--once", "--no-backup").stdout, "Nothing is due\n")
        self.assertEqual(self.python("-m", "hrp_backup_shim", "write", "run_scheduler.py", check=False).returncode, 1)

    def test_a_folder_that_only_has_the_name_changes_nothing(self):
        (self.home / "hrp").mkdir()
        self.assertEqual(self.python("-m", "hrp.data.backup", "--list", check=False).returncode, 10)


class Refusal(StackCase):
    environment = "both"

    def test_beside_another_package_hrp_the_import_fails_and_no_file_of_it_is_changed(self):
        done = self.python("-c", "import hrp", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(
            "ImportError: hrp-backup-shim is for environments without the package hrp, and one is in ", done.stderr
        )
        self.assertIn("python -m hrp_backup install", done.stderr)
        site = pathlib.Path(self.code("import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        source = pathlib.Path(__file__).parent / "standin"
        for file in source.rglob("*.py"):
            self.assertEqual(
                hashlib.sha256(file.read_bytes()).digest(),
                hashlib.sha256((site / file.relative_to(source)).read_bytes()).digest(),
            )

    def test_so_it_does_in_a_folder_with_the_package(self):
        self.environment = "plain"
        done = self.python("-c", "import hrp", check=False, cwd=pathlib.Path(__file__).parent / "standin")
        self.assertEqual(done.returncode, 1)
        self.assertIn("for environments without the package hrp", done.stderr)

    def test_without_the_shim_the_package_is_the_platforms(self):
        self.environment = "platform"
        self.assertIn("stand-in", self.code("import hrp; print(hrp.__doc__)"))
        self.assertTrue(WORK.exists())
