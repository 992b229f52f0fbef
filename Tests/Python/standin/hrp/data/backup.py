"""The stand-in's own backups, which say that they are that."""


def create_backup(backup_dir=None, include_mlflow=True):
    return {"path": "stand-in"}


def verify_backup(backup_path):
    return True


def restore_backup(backup_path, target_dir=None):
    return True


def rotate_backups(backup_dir=None, keep_days=30):
    return 0


def list_backups(backup_dir=None):
    return []


if __name__ == "__main__":
    print("stand-in")
