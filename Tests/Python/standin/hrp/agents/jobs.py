"""A job as a platform writes it: it takes the functions of the module by their names."""

from hrp.data.backup import create_backup, rotate_backups, verify_backup


class BackupJob:
    def __init__(self, keep_days=30, include_mlflow=True):
        self.keep_days = keep_days
        self.include_mlflow = include_mlflow

    def execute(self):
        result = create_backup(include_mlflow=self.include_mlflow)
        if not verify_backup(result["path"]):
            raise RuntimeError(f"Backup verification failed: {result['path']}")
        return {"backup_path": result["path"], "deleted_old": rotate_backups(keep_days=self.keep_days)}
