"""The write transactions of an engine, watched from outside: how long each took, and with what."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

_KEY = "watched"


@dataclass
class Batch:
    """One transaction, in seconds of this process's clock.

    Attributes:
        begun: When its connection was given out.
        ended: When the connection came back, committed.
        change: In the statement that changes the rows.
        others: In all other statements.
        commit: In the commit.
        statements: How many there were.
        marked: It changed rows of the kind that is watched for.
    """

    begun: float
    ended: float = 0.0
    change: float = 0.0
    others: float = 0.0
    commit: float = 0.0
    statements: int = 0
    marked: bool = False
    _since: float = field(default=0.0, repr=False)

    @property
    def took(self) -> float:
        """From the beginning to the end."""
        return self.ended - self.begun

    @property
    def client(self) -> float:
        """In Python, between the statements."""
        return self.took - self.change - self.others - self.commit


class Batches:
    """Keeps the transactions in which a statement has one of the marks.

    Args:
        engine: Whose.
        marks: Parts of the SQL of the statements that change the rows.
    """

    def __init__(self, engine: AsyncEngine, *marks: str) -> None:
        self._marks = marks
        self.seen: list[Batch] = []
        sync = engine.sync_engine
        event.listen(sync, "begin", self._begin)
        event.listen(sync, "before_cursor_execute", self._before)
        event.listen(sync, "after_cursor_execute", self._after)
        event.listen(sync, "commit", self._commit)
        event.listen(sync.pool, "checkin", self._checkin)

    def _begin(self, connection: Connection) -> None:
        connection.info[_KEY] = Batch(time.perf_counter())

    def _before(self, connection: Connection, *_: Any) -> None:
        if batch := connection.info.get(_KEY):
            batch._since = time.perf_counter()  # noqa: SLF001 - ours

    def _after(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if batch := connection.info.get(_KEY):
            took = time.perf_counter() - batch._since  # noqa: SLF001 - ours
            batch.statements += 1
            if any(mark in statement for mark in self._marks):
                batch.change += took
                batch.marked = True
            else:
                batch.others += took

    def _commit(self, connection: Connection) -> None:
        if batch := connection.info.get(_KEY):
            batch._since = time.perf_counter()  # noqa: SLF001 - ours
            batch.commit = -1.0

    def _checkin(self, _raw: Any, record: Any) -> None:
        batch: Batch | None = record.info.pop(_KEY, None)
        if batch and batch.marked and batch.commit:
            batch.ended = time.perf_counter()
            batch.commit = batch.ended - batch._since  # noqa: SLF001 - ours
            self.seen.append(batch)


@dataclass(frozen=True)
class Shares:
    """Where the time of a whole run went, in parts of 1.

    Attributes:
        change: The statements that change the rows.
        others: The other statements of their transactions.
        commit: The commits.
        client: Python within those transactions.
        between: Everything outside them: looks at the clock, heartbeats, pages of tenants.
    """

    change: float
    others: float
    commit: float
    client: float
    between: float

    def __str__(self) -> str:
        return (
            f"changing {self.change:.0%}, other statements {self.others:.0%}, commits {self.commit:.0%}, "
            f"Python in batches {self.client:.0%}, between batches {self.between:.0%}"
        )


def shares(batches: Sequence[Batch], seconds: float) -> Shares:
    """Sum up."""

    def part(name: str) -> float:
        return sum(float(getattr(batch, name)) for batch in batches) / seconds

    return Shares(
        change=part("change"),
        others=part("others"),
        commit=part("commit"),
        client=part("client"),
        between=1 - part("took"),
    )
