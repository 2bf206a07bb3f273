"""What the managers' database says: decisions, audit trail, workers; read as it is, without the code that wrote it."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PREFIX = "trenova_jobs_worker_pool_"


@dataclass(frozen=True)
class Row:
    """One decision or one entry of the audit trail, whole."""

    number: int
    at: float
    fence: int | None
    told: dict[str, Any]


@dataclass(frozen=True)
class Worker:
    """One worker that was started; times are seconds since the epoch."""

    pid: int
    fence: int
    started: float
    ready: float | None
    ended: float | None
    how: str | None

    def seconds(self, until: float) -> float:
        """For how long it was there."""
        return (until if self.ended is None else self.ended) - self.started


class Records:
    """The database of the managers of a site.

    Args:
        path: Of the SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def decisions(self, after: int = 0) -> list[Row]:
        """Return decisions in the order in which they were kept."""
        return self._rows("decisions", after)

    def audit(self, after: int = 0) -> list[Row]:
        """Return the audit trail in the order in which it was written."""
        return self._rows("audit", after)

    def workers(self) -> list[Worker]:
        """Return all workers that ever were."""

        def at(ms: int | None) -> float | None:
            return None if ms is None else ms / 1000

        return [
            Worker(
                one["pid"],
                one["fence"],
                one["started_ms"] / 1000,
                at(one["ready_ms"]),
                at(one["ended_ms"]),
                one["ended"],
            )
            for one in self._query("SELECT * FROM {}workers ORDER BY started_ms")
        ]

    def state(self) -> dict[str, Any] | None:
        """Return the state of the pool as its manager wrote it last; None before."""
        if not self._path.exists() or not self._query("SELECT 1 FROM sqlite_master WHERE name = '{}states'"):
            return None
        found = self._query("SELECT * FROM {}states")
        if not found:
            return None
        document = found[0]["document"]
        return {**found[0], "document": json.loads(document) if isinstance(document, str) else document}

    def holder(self) -> str:
        """Return the identity of the manager that has the lease or had it last; empty if none had."""
        found = self._query("SELECT holder FROM {}leases")
        return str(found[0]["holder"]) if found else ""

    def _rows(self, table: str, after: int) -> list[Row]:
        found = self._query(f"SELECT * FROM {{}}{table} WHERE number > ? ORDER BY number", after)
        return [Row(one["number"], one["at_ms"] / 1000, one["fence"], one) for one in found]

    def _query(self, sql: str, *arguments: Any) -> Sequence[dict[str, Any]]:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql.format(_PREFIX), arguments)]
