"""Why an operation could not be done."""

from __future__ import annotations


class BackupError(Exception):
    """What ``hrp`` could not do, and what to do about it.

    Attributes:
        code: a stable code, such as ``source.not-found``; docs/operations/exit-codes.md lists all of them.
        message: what happened, as a sentence.
        remedy: what to do about it; empty when nothing is known.
        cause: what the system said; empty when it said nothing.
        exit_code: the exit code of the program.
    """

    def __init__(self, code: str, message: str, remedy: str = "", cause: str = "", exit_code: int = 1) -> None:
        self.code = code
        self.message = message
        self.remedy = remedy
        self.cause = cause
        self.exit_code = exit_code
        super().__init__(message)

    def __str__(self) -> str:
        lines = [self.message]
        if self.cause:
            lines.append(f"  because: {self.cause}")
        if self.remedy:
            lines.append(f"  try:     {self.remedy}")
        return "\n".join(lines)


class UsageError(BackupError, ValueError):
    """A value that makes no sense, such as a day in the future."""


class ProgramNotFoundError(BackupError, FileNotFoundError):
    """The program ``hrp`` is not installed, or not on ``PATH``."""

    # OSError has a text of its own.
    __str__ = BackupError.__str__


class IncompleteBackupWarning(UserWarning):
    """A backup was made, and some files could not be read; its ``unread`` names them."""
