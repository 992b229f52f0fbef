"""hrp_backup in the place of a platform's hrp.data.backup; the platform is a stand-in."""

import shutil

from stack import WORK, StackCase


class Lasting(StackCase):
    environment = "platform"

    def setUp(self):
        super().setUp()
        self.addCleanup(self.python, "-m", "hrp_backup", "uninstall")

    def test_one_file_makes_it_lasting_and_its_removal_takes_it_back(self):
        own = "import hrp.data.backup as b; print(b.__file__.rpartition('/')[2])"
        self.assertEqual(self.python("-m", "hrp.data.backup").stdout, "stand-in\n")
        self.assertIn("✓ hrp.data.backup is hrp_backup", self.python("-m", "hrp_backup", "install").stdout)
        self.python("-m", "hrp_backup", "install")
        self.assertEqual(self.code(own), "_replacement.py\n")
        self.assertIn("Backup created successfully:", self.python("-m", "hrp.data.backup", "--backup").stdout)
        self.assertIn(self.backups[0], self.python("-m", "hrp.data.backup", "--list").stdout)
        self.assertEqual(self.python("-m", "hrp.data.backup", "--verify", "/nowhere", check=False).returncode, 10)
        self.assertIn("hrp_backup.pth", self.python("-m", "hrp_backup", "status").stdout)
        self.python("-m", "hrp_backup", "uninstall")
        self.assertEqual(self.code(own), "backup.py\n")
        self.assertEqual(self.python("-m", "hrp.data.backup").stdout, "stand-in\n")
        self.assertIn("was not installed", self.python("-m", "hrp_backup", "uninstall").stdout)

    def test_the_platforms_own_job_makes_our_backups(self):
        self.python("-m", "hrp_backup", "install")
        said = self.code("from hrp.agents.jobs import BackupJob; print(BackupJob().execute()['backup_path'])")
        self.assertEqual(said.strip().rpartition("/")[2], self.backups[0])

    def test_python_starts_as_before_and_starts_without_the_package_too(self):
        self.python("-m", "hrp_backup", "install")
        loaded = "import sys; print([n for n in ('json', 'subprocess', 'hrp_backup', 'hrp') if n in sys.modules])"
        self.assertEqual(self.code(loaded), "[]\n")
        site = self.code("import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        aside = WORK / "aside.py"
        shutil.move(site + "/_hrp_backup_startup.py", aside)
        try:
            done = self.python("-c", "print('starts')")
            self.assertEqual((done.stdout, done.stderr), ("starts\n", ""))
        finally:
            shutil.move(aside, site + "/_hrp_backup_startup.py")


class ForOneProcess(StackCase):
    environment = "platform"

    def test_install_is_for_this_process_and_is_taken_back(self):
        said = self.code("""
            import hrp_backup
            hrp_backup.install(); hrp_backup.install()
            from hrp.data.backup import create_backup
            import hrp.data.backup, hrp.data
            print(create_backup is hrp_backup.create_backup, hrp.data.backup.verify_backup is hrp_backup.verify_backup)
            hrp_backup.uninstall()
            import importlib
            print(importlib.import_module("hrp.data.backup").create_backup()["path"])
        """)
        self.assertEqual(said, "True True\nstand-in\n")

    def test_modules_that_took_the_old_functions_are_named(self):
        said = self.code("""
            import warnings, hrp.agents.jobs, hrp_backup
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                hrp_backup.install()
            print(len(seen), "hrp.agents.jobs" in str(seen[0].message))
            import hrp.data.backup
            print(hrp.data.backup.create_backup is hrp_backup.create_backup)
        """)
        self.assertEqual(said, "1 True\nTrue\n")


class WithoutPlatform(StackCase):
    environment = "platform"

    def test_where_there_is_no_package_hrp_it_is_said(self):
        # -S: no site-packages, so the stand-in is not there.
        done = self.python("-S", "-c", "import hrp_backup; hrp_backup.install()", path=[WORK / "sources/python/src"])
        self.assertIn("install hrp-backup-shim", done.stderr)
