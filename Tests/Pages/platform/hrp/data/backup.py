"""The module that hrp_backup replaces: whoever gets this one was not helped."""


def create_backup(backup_dir=None, include_mlflow=True):
    raise AssertionError("this is the platform's own create_backup")
