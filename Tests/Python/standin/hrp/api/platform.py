"""The questions of the guide's last snippet, put to DuckDB itself."""

import os
import pathlib

import duckdb


class PlatformAPI:
    def __init__(self):
        data = pathlib.Path(os.environ.get("HRP_DATA_DIR") or pathlib.Path.home() / "hrp-data")
        self.connection = duckdb.connect(str(data / "hrp.duckdb"), read_only=True)

    def health_check(self):
        tables = [name for (name,) in self.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {"status": "ok", "database": "ok", "tables": tables}

    def get_prices(self, symbols, start, end):
        return self.connection.execute(
            "SELECT * FROM prices WHERE symbol IN (SELECT unnest(?)) AND date BETWEEN ? AND ?", [symbols, start, end]
        ).fetchall()
