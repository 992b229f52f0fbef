"""The operations guide's Python snippets, unchanged, in both environments, against a live stack."""

import os
import signal
import subprocess
import unittest

from stack import DUCKDB, WORK, StackCase, guide_path, processes_in, snippets, wait_until

NEEDS_ROOT = unittest.skipUnless(os.geteuid() == 0, "the guide's example path /path/to takes root")


class Snippets:
    """What holds in both environments."""

    is_live = True

    def setUp(self):
        super().setUp()
        self.blocks = snippets("python")
        self.assertEqual(len(self.blocks), 6, "the guide has six blocks of Python")

    def block(self, text):
        """The one block of the guide that has this in it."""
        found = [code for _, code in self.blocks if text in code]
        self.assertEqual(len(found), 1, text)
        return found[0]

    def snippet(self, text):
        """Runs a block as it stands."""
        return self.python("-c", self.block(text), path=[DUCKDB]).stdout

    def backup(self):
        self.hrp("backup", "create")
        return self.home / "hrp-data/backups" / self.backups[0]

    def test_create(self):
        said = self.snippet("import create_backup")
        path = self.home / "hrp-data/backups" / self.backups[0]
        self.assertTrue(said.startswith(f"Backup created at: {path}\nSize: "), said)
        self.assertTrue(said.endswith(f" MB\nChecksum file: {path}/checksums.txt\n"), said)
        self.assertTrue((path / "checksums.txt").exists())

    def test_rotate(self):
        self.backup()
        self.assertEqual(self.snippet("import rotate_backups"), "Deleted 0 old backups\n")

    @NEEDS_ROOT
    def test_verify(self):
        with guide_path(self.backup()):
            self.assertEqual(self.snippet("is_valid = verify_backup"), "Backup is valid\n")
            self.damage(self.backups[0])
            self.assertEqual(self.snippet("is_valid = verify_backup"), "Backup is corrupted!\n")

    @NEEDS_ROOT
    def test_restore(self):
        path = self.backup()
        self.end_writer()
        with guide_path(path):
            self.assertEqual(self.snippet("success = restore_backup"), "Restore completed successfully\n")
            self.damage(self.backups[0])
            done = self.python("-c", self.block("success = restore_backup"), check=False)
            self.assertIn("RuntimeError: Backup verification failed!", done.stderr)

    def test_validation(self):
        self.end_writer()
        said = self.snippet("api.health_check()").splitlines()
        self.assertEqual(said[:2] + said[3:], ["Status: ok", "Database: ok", "Price records: 10"])
        self.assertTrue(said[2].startswith("Tables: ") and "'prices'" in said[2], said)


class Plain(Snippets, StackCase):
    environment = "plain"

    def test_scheduler(self):
        program = subprocess.Popen(
            [WORK / "plain/bin/python", "-c", self.block("setup_weekly_backup")], cwd=self.home, env=self.variables
        )
        find = lambda: self.hrp("status", "--json", check=False).stdout
        self.assertTrue(wait_until(lambda: '"scheduler_running": true' in find()))
        program.send_signal(signal.SIGTERM)
        program.wait()
        self.assertTrue(wait_until(lambda: '"scheduler_running": false' in find()))
        self.end_writer()
        self.assertTrue(wait_until(lambda: not processes_in(self.home)))


class Platform(Snippets, StackCase):
    environment = "platform"

    def setUp(self):
        super().setUp()
        self.python("-m", "hrp_backup", "install")
        self.addCleanup(self.python, "-m", "hrp_backup", "uninstall")

    def test_scheduler(self):
        # The stand-in's scheduler runs its job at once: the backup that it makes is ours.
        program = subprocess.Popen(
            [WORK / "platform/bin/python", "-c", self.block("setup_weekly_backup")],
            cwd=self.home,
            env=self.variables,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.assertEqual(program.stdout.readline().strip().rpartition("/")[2], self.backups[0])
        program.kill()
        program.communicate()
