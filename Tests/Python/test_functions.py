"""The functions of hrp_backup, from a Python that has nothing but it."""

import json
import pathlib
import signal
import subprocess
import unittest

from stack import DUCKDB, PANDAS, ROOT, WORK, StackCase, is_alive, processes_in, wait_until


class Backups(StackCase):
    is_live = True

    def test_a_backup_beside_a_writer_has_the_guides_keys_and_is_verified(self):
        result = json.loads(self.code("import hrp_backup, json; print(json.dumps(hrp_backup.create_backup()))"))
        self.assertEqual(pathlib.Path(result["path"]).name, self.backups[0])
        self.assertEqual(result["checksum_file"], result["path"] + "/checksums.txt")
        self.assertTrue(result["verified"] and result["size_mb"] > 0)
        self.assertEqual(
            self.code("import hrp_backup; print(hrp_backup.verify_backup('latest', level='structure'))"), "True\n"
        )

    def test_without_mlflow_the_backup_has_none(self):
        self.code("import hrp_backup; hrp_backup.create_backup(include_mlflow=False)")
        self.assertFalse((self.home / "hrp-data/backups" / self.backups[0] / "mlruns").exists())

    def test_a_damaged_backup_is_not_verified_and_not_restored(self):
        self.hrp("backup", "create")
        self.damage(self.backups[0])
        said = self.code("""
            import hrp_backup
            print(hrp_backup.verify_backup("latest"), hrp_backup.restore_backup("latest", "elsewhere"))
            print(hrp_backup.verification_report("latest")["findings"][0]["file"])
            print(hrp_backup.verify_backup("/nowhere/backup_20260124_020000"))
        """)
        self.assertEqual(said, "False False\nhrp.duckdb\nFalse\n")
        self.assertFalse((self.home / "elsewhere").exists())

    def test_a_restore_to_another_place_and_a_refusal_while_the_database_is_open(self):
        self.hrp("backup", "create")
        said = self.code(f"""
            import hrp_backup, pathlib
            print(hrp_backup.restore_backup(pathlib.Path("hrp-data/backups/{self.backups[0]}"), pathlib.Path("elsewhere")))
            try: hrp_backup.restore_backup("latest")
            except hrp_backup.BackupError as error: print(error.code, error.exit_code, "{self.writer.pid}" in str(error))
        """)
        self.assertEqual(said, "True\nrestore.database-in-use 11 True\n")
        self.assertTrue((self.home / "elsewhere/hrp.duckdb").exists() and (self.home / "elsewhere/mlflow").is_dir())

    def test_a_restore_is_taken_back(self):
        self.hrp("backup", "create")
        self.end_writer()
        said = self.code("""
            import hrp_backup
            print(hrp_backup.restore_backup("latest"), "undone" in hrp_backup.undo_restore())
        """)
        self.assertEqual(said, "True True\n")

    def test_an_incomplete_backup_replaces_a_stack_only_when_asked_to(self):
        self.end_writer()
        self.hrp("backup", "create")
        (self.home / "hrp-data/mlflow/mlruns").rename(self.home / "aside")
        said = self.code("""
            import hrp_backup
            print(hrp_backup.create_backup()["complete"])
            try: hrp_backup.restore_backup("latest")
            except hrp_backup.BackupError as error: print(error.code)
            print(hrp_backup.restore_backup("latest", incomplete=True))
        """)
        self.assertEqual(said, "False\nrestore.incomplete\nTrue\n")

    def test_rotation_and_list(self):
        said = self.code("""
            import hrp_backup
            print(hrp_backup.list_backups(), hrp_backup.rotate_backups())
            hrp_backup.create_backup()
            print([one["verified"] for one in hrp_backup.list_backups()], hrp_backup.rotate_backups(keep_days=30))
            print(hrp_backup.rotate_backups("~/hrp-data/backups", keep_days=None))
            try: hrp_backup.rotate_backups(keep_days=0)
            except ValueError as error: print(error.code)
        """)
        self.assertEqual(said, "[] 0\n[True] 0\n0\nrotation.keep-days\n")

    def test_find_drill_and_status(self):
        self.hrp("backup", "create")
        said = self.code("""
            import hrp_backup
            print(hrp_backup.find_backups("no such thing"), hrp_backup.drill_backup()["ok"])
            print(hrp_backup.stack_status()["newest_backup"]["name"])
        """)
        self.assertEqual(said, f"[] True\n{self.backups[0]}\n")

    def test_progress_goes_to_a_function_and_only_grows(self):
        said = self.code("""
            import hrp_backup
            seen = []
            hrp_backup.create_backup(progress=seen.append)
            done = [one.done_bytes for one in seen]
            print(len(seen) > 2, done == sorted(done), seen[0].phase, seen[-1].text.startswith(seen[-1].phase))
        """)
        self.assertEqual(said, "True True copying the database True\n")

    def test_an_interrupt_leaves_nothing_half_made(self):
        said = self.code("""
            import hrp_backup
            def stop(progress): raise KeyboardInterrupt
            try: hrp_backup.create_backup(progress=stop)
            except KeyboardInterrupt: print("stopped")
        """)
        self.assertEqual(said, "stopped\n")
        self.assertEqual(self.backups, [])

    def test_a_name_is_never_taken_for_an_option(self):
        self.hrp("backup", "create")
        said = self.code("""
            import hrp_backup
            print(hrp_backup.verify_backup("--help"), hrp_backup.find_backups("--json"))
            try: hrp_backup.create_backup("")
            except ValueError as error: print(error.code)
        """)
        self.assertEqual(said, "False []\nusage\n")


class Notebook(StackCase):
    def test_a_process_that_has_the_database_open_itself_makes_backups(self):
        # As a notebook: the engine in this process keeps its lock, before and after.
        said = self.code(
            """
            import duckdb, hrp_backup, subprocess, sys
            c = duckdb.connect("hrp-data/hrp.duckdb")
            c.execute("INSERT INTO ticks VALUES (42)")
            path = hrp_backup.create_backup()["path"]
            other = subprocess.run([sys.executable, "-c", "import duckdb; duckdb.connect('hrp-data/hrp.duckdb')"], capture_output=True)
            print(other.returncode != 0, duckdb.connect(path + "/hrp.duckdb", read_only=True).execute("FROM ticks").fetchall())
        """,
            path=[DUCKDB],
        )
        self.assertEqual(said, "True [(42,)]\n")

    def test_a_bar_in_a_notebook(self):
        # IPython as a notebook has it: what is shown, and that the bar is gone in the end.
        (self.home / "IPython").mkdir()
        (self.home / "IPython/__init__.py").write_text(
            "class ZMQInteractiveShell: pass\ndef get_ipython(): return ZMQInteractiveShell()\n"
        )
        (self.home / "IPython/display.py").write_text(
            "shown = []\nclass HTML:\n  def __init__(self, text): self.text = text\n"
            "class Handle:\n  def update(self, one): shown.append(one.text)\n"
            "def display(one, display_id): shown.append(one.text); return Handle()\n"
        )
        said = self.code("""
            import IPython, IPython.display, hrp_backup
            hrp_backup.create_backup()
            shown = IPython.display.shown
            print(len(shown) > 2, "<progress" in shown[0] and "copying the database" in shown[0], repr(shown[-1]))
        """)
        self.assertEqual(said, "True True ''\n")


class Platform(StackCase):
    is_live = True

    def test_health_has_the_guides_keys(self):
        health = json.loads(
            self.code("import hrp_backup, json; print(json.dumps(hrp_backup.PlatformAPI().health_check()))")
        )
        self.assertEqual((health["status"], health["database"], health["api"]), ("ok", "ok", "ok"))
        self.assertEqual(health["tables"]["prices"], {"status": "ok", "count": 20})
        self.assertEqual(health["scheduler"], {"is_installed": False, "is_running": False})

    def test_a_database_that_is_missing_is_an_answer_and_is_not_made(self):
        said = self.code(
            "import hrp_backup; h = hrp_backup.PlatformAPI('nowhere').health_check(); print(h['status'], h['tables'], h['database'])"
        )
        self.assertTrue(said.startswith("error {} error: IO Error: Cannot open database"), said)
        self.assertFalse((self.home / "nowhere").exists())

    QUESTION = "import hrp_backup; from datetime import date, datetime; api = hrp_backup.PlatformAPI()\n"

    def test_prices_with_pandas_have_the_platforms_columns_and_types(self):
        said = self.code(
            self.QUESTION
            + """
frame = api.get_prices(['MSFT', 'AAPL', 'AAPL'], date(2020, 1, 2), datetime(2020, 1, 4, 12))
print(list(frame.columns), [str(one) for one in frame.dtypes[1:]], len(frame), frame.symbol[0], frame.date[0].day)
print(list(api.get_prices(['AAPL'], date(2019, 1, 1), date(2019, 1, 2)).columns) == list(frame.columns))
""",
            path=[PANDAS, ROOT / ".deps/python/lib/python3.11/site-packages"],
        )
        self.assertEqual(
            said,
            "['symbol', 'date', 'open', 'high', 'low', 'close', 'adj_close', 'volume'] ['datetime64[us]', 'float64', "
            "'float64', 'float64', 'float64', 'float64', 'int64'] 6 AAPL 2\nTrue\n",
        )

    def test_prices_without_pandas_are_rows(self):
        said = self.code(
            self.QUESTION
            + "rows = api.get_prices(['AAPL'], date(2020, 1, 2), date(2020, 1, 4)); print(len(rows), rows[0]['date'], rows[0]['low'])"
        )
        self.assertEqual(said, "3 2020-01-02 None\n")

    def test_what_is_wrong_with_a_question_is_a_ValueError_in_the_platforms_order_and_words(self):
        for arguments, words in [
            ("['AAPL'], '2020-01-01', date(2999, 1, 1)", "start date must be a date object, got str"),
            ("['AAPL'], date(2020, 1, 1), None", "end date must be a date object, got NoneType"),
            ("[], date(2999, 1, 1), date(2020, 1, 1)", "start date cannot be in the future: 2999-01-01 > "),
            ("[], date(2000, 1, 6), date(2000, 1, 1)", "start date must be <= end date: 2000-01-06 > 2000-01-01"),
            ("[], date(2000, 1, 1), date(2000, 1, 6)", "symbols list cannot be empty"),
            ("['ZZ', 'NO'], date(2000, 1, 1), date(2000, 1, 6)", "Invalid symbols not found in universe: NO, ZZ"),
        ]:
            said = self.code(
                self.QUESTION + f"try: api.get_prices({arguments})\nexcept ValueError as error: print(error)"
            )
            self.assertTrue(said.startswith(words), said)


class Scheduler(StackCase):
    START = "import hrp_backup; s = hrp_backup.IngestionScheduler()\n"

    def test_the_guides_job_is_listed_with_its_next_run_and_paused(self):
        said = self.code(
            self.START
            + """
print(s.list_jobs(), s.running, s.setup_weekly_backup(backup_time='03:30', day_of_week='sun', keep_days=7))
print(s.get_job_info('weekly_backup')['trigger'], s.get_job_info('other'))
s.pause_job('weekly_backup'); print(s.list_jobs()[0]['paused_since'] is not None)
s.resume_job('weekly_backup'); print(s.list_jobs()[0]['paused_since'])
s.remove_job('weekly_backup'); print(s.list_jobs())
"""
        )
        self.assertEqual(
            said.splitlines(),
            [
                "[] False weekly_backup",
                "cron[day_of_week='sun', hour='3', minute='30'] None",
                "True",
                "None",
                "[]",
            ],
        )

    def test_a_time_that_does_not_exist_is_a_ValueError_in_the_guides_words(self):
        for arguments, words in [
            ("'2'", "backup_time must be in HH:MM format, got '2'"),
            ("'25:00'", "Hour must be 0-23, got 25 in '25:00'"),
            ("'02:61'", "Minute must be 0-59, got 61 in '02:61'"),
            ("'ab:cd'", "contains non-numeric values"),
            ("day_of_week='someday'", "'someday' is no day of the week"),
            ("keep_days=0", "keep-days"),
        ]:
            said = self.code(
                self.START + f"try: s.setup_weekly_backup({arguments})\nexcept ValueError as error: print(error)"
            )
            self.assertIn(words, said)

    def test_one_scheduler_runs_for_a_stack_and_ends_when_it_is_shut_down(self):
        said = self.code(
            self.START
            + """
s.setup_weekly_backup(); s.start(); print(s.running)
try: hrp_backup.IngestionScheduler().start()
except hrp_backup.BackupError as error: print(error.code)
s.shutdown(); print(s.running)
s.start(); print(s.running); s.shutdown(wait=False)
"""
        )
        self.assertEqual(said, "True\nlocked\nFalse\nTrue\n")
        self.assertTrue(wait_until(lambda: not processes_in(self.home)))

    def test_the_scheduler_ends_with_the_program_that_started_it_even_when_that_is_killed(self):
        program = (
            self.START
            + "s.setup_weekly_backup(); s.start(); print(s._process.pid, flush=True); import signal; signal.pause()"
        )
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            parent = subprocess.Popen(
                [WORK / "plain/bin/python", "-c", program],
                cwd=self.home,
                env=self.variables,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            child = int(parent.stdout.readline())
            self.assertTrue(is_alive(child))
            parent.send_signal(number)
            parent.communicate()
            self.assertTrue(wait_until(lambda: not is_alive(child)), f"alive after {number}")
        self.assertTrue(wait_until(lambda: not processes_in(self.home)))


class Package(StackCase):
    def test_without_the_program_the_error_says_what_to_do(self):
        for variables in ({"PATH": "/usr/bin:/bin"}, {"HRP_EXECUTABLE": "/nowhere/hrp"}):
            said = self.code(
                """
                import hrp_backup
                try: hrp_backup.create_backup()
                except hrp_backup.ProgramNotFoundError as error: print(error)
            """,
                **variables,
            )
            self.assertIn("hrp", said)
            self.assertIn("try:", said)

    def test_everything_public_has_a_docstring(self):
        said = self.code("""
            import hrp_backup, inspect
            for name in hrp_backup.__all__:
                thing = getattr(hrp_backup, name)
                members = [m for k, m in vars(thing).items() if not k.startswith("_") and callable(m)] if inspect.isclass(thing) else []
                for one in [thing, *members]:
                    if not (one.__doc__ or "").strip(): print(name, one)
        """)
        self.assertEqual(said, "")

    def test_the_versions_are_those_of_the_program(self):
        version = self.hrp("--version").stdout.strip()
        said = self.code(
            "import hrp_backup, hrp_backup_shim; from importlib.metadata import version as v; print(hrp_backup.__version__, hrp_backup_shim.__version__, v('hrp-backup'), v('hrp-backup-shim'))"
        )
        self.assertEqual(set(said.split()), {version})

    def test_the_wheels_are_the_same_bytes_each_time_and_hold_no_build_folder(self):
        import zipfile

        for wheel in (WORK / "wheels").glob("*.whl"):
            names = zipfile.ZipFile(wheel).namelist()
            self.assertFalse([name for name in names if name.startswith(("_build", "src"))], wheel)
        again = WORK / "again"
        subprocess.run(
            [
                ROOT / ".deps/python/bin/python",
                "-m",
                "pip",
                "wheel",
                "-q",
                "--disable-pip-version-check",
                "--no-index",
                "--no-deps",
                "-w",
                again,
                WORK / "sources/python",
            ],
            check=True,
        )
        name = next(again.iterdir()).name
        self.assertEqual((again / name).read_bytes(), (WORK / "wheels" / name).read_bytes())


if __name__ == "__main__":
    unittest.main()
