"""The guide's scheduler of backups; it ingests no data."""

from hrp_backup import IngestionScheduler  # noqa: F401
