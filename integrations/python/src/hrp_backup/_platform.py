"""Questions to a stack in use: is it healthy, what are the prices."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any

from ._errors import UsageError
from ._program import PathLike, option, run

log = logging.getLogger("hrp_backup")

_COLUMNS = ["symbol", "date", "open", "high", "low", "close", "adj_close", "volume"]


class PriceTable(list[dict[str, Any]]):
    """Prices where pandas is not installed: a list with one dict for each row; ``date`` is a ``datetime.date``."""

    columns = _COLUMNS


class PlatformAPI:
    """Reads a stack in use.

    Every question is put to a hot copy of the database, never to the database itself: it works while another program,
    or this notebook, has it open.

    Args:
        data_dir: the stack; None: what HRP_DATA_DIR says, else ``~/hrp-data``.
    """

    def __init__(self, data_dir: PathLike | None = None) -> None:
        self._flags = option("--data-dir", data_dir)

    def health_check(self) -> dict[str, Any]:
        """Whether the database can be read, and how many rows its tables have.

        Returns:
            A dict with ``status`` (``ok``, ``degraded``, ``error``), ``api``, ``database`` (``ok``, or ``error: `` and
            DuckDB's words), ``tables`` (each with ``status`` and ``count``) and ``scheduler``.
        """
        health = run(["validate", *self._flags], False)
        service = run(["service", "status", *self._flags], False)
        return {
            "api": health["api"],
            "database": health["database"],
            "tables": health["tables"],
            "scheduler": {
                "is_installed": service["installed"],
                "is_running": service["scheduler_running"],
            },
            "status": health["status"],
        }

    def get_prices(self, symbols: Sequence[str], start: date, end: date) -> Any:
        """The prices of some symbols, first and last day included, in the order of date and symbol.

        Returns:
            A pandas frame with the columns ``symbol, date, open, high, low, close, adj_close, volume``; a
            ``PriceTable`` where pandas is not installed.

        Raises:
            UsageError: (a ``ValueError``) for a day in the future, a start after the end, no symbols, symbols that were
                never in the universe.
        """
        for name, day in (("start", start), ("end", end)):
            if not isinstance(day, date):
                message = f"{name} date must be a date object, got {type(day).__name__}"
                raise UsageError("prices.invalid", message, "Give a datetime.date.", exit_code=2)
        if isinstance(symbols, str):
            symbols = [symbols]
        days = [f"--start={_day(start)}", f"--end={_day(end)}"]
        answer = run(["prices", *self._flags, *days, "--", *symbols], False)
        for notice in answer["notices"]:
            log.warning("%s", notice)
        return _frame(answer["rows"])

    def close(self) -> None:
        """Does nothing: nothing is kept open."""

    def __enter__(self) -> PlatformAPI:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _day(day: date) -> str:
    # A datetime is a date too; its time does not matter.
    return date(day.year, day.month, day.day).isoformat()


def _frame(rows: list[dict[str, Any]]) -> Any:
    try:
        import pandas
    except ImportError:
        return PriceTable({**row, "date": date.fromisoformat(row["date"])} for row in rows)
    frame = pandas.DataFrame(rows, columns=_COLUMNS)
    frame["symbol"] = frame["symbol"].astype("str")
    frame["date"] = pandas.to_datetime(frame["date"]).astype("datetime64[us]")
    for name in _COLUMNS[2:7]:
        frame[name] = frame[name].astype("float64")
    # A volume that was not recorded has no place among whole numbers of NumPy.
    frame["volume"] = frame["volume"].astype("int64" if frame["volume"].notna().all() else "Int64")
    return frame
