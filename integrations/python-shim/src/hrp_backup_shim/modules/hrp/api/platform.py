"""The guide's questions to a stack in use."""

from hrp_backup import PlatformAPI  # noqa: F401
