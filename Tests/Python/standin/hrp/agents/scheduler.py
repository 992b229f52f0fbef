"""A scheduler that runs its job at once, so that a test sees what it does."""

import threading

from hrp.agents.jobs import BackupJob


class IngestionScheduler:
    def __init__(self):
        self.jobs = []

    def setup_weekly_backup(self, backup_time="02:00", day_of_week="sat", keep_days=30, include_mlflow=True):
        self.jobs.append(BackupJob(keep_days, include_mlflow))
        return "weekly_backup"

    def start(self):
        for job in self.jobs:
            threading.Thread(target=lambda: print("ran", job.execute()["backup_path"], flush=True)).start()
