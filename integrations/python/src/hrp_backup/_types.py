"""What the functions give back. Each is a dict as the program prints it; later versions may add keys."""

from __future__ import annotations

from typing import Any, TypedDict


class BackupResult(TypedDict):
    """A backup that was made."""

    path: str
    name: str
    timestamp: str
    size_bytes: int
    size_mb: float
    files: list[str]
    checksum_file: str
    include_mlflow: bool
    duration_seconds: float
    verified: bool
    complete: bool
    unread: list[Any]


class BackupInfo(TypedDict):
    """A backup as a list shows it."""

    name: str
    path: str
    timestamp: str | None
    size_bytes: int | None
    size_mb: float | None
    files_count: int | None
    verified: bool
    complete: bool
    pinned: bool
    proof: dict[str, Any] | None


class Finding(TypedDict):
    """One thing that is wrong with a backup."""

    kind: str
    file: str
    detail: str


class VerificationReport(TypedDict):
    """What a verification found."""

    path: str
    ok: bool
    level: str
    files_checked: int
    findings: list[Finding]


class JobInfo(TypedDict):
    """A job of the scheduler."""

    id: str
    name: str
    next_run: str
    trigger: str
    paused_since: str | None
