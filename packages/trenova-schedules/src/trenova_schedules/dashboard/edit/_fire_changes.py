"""Which of the next fires a change adds, takes away, moves and keeps, as a list in order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from temporalio.api.schedule.v1 import ScheduleSpec
from temporalio.client import Client

from trenova_schedules._previewing import FireDiff, fire_diff
from trenova_schedules.dashboard._words import plural

_WEEK: Final = 7
_YEAR: Final = 366
SHOWN: Final = 15
"""Rows of the list."""


@dataclass(frozen=True)
class FireRow:
    """One fire.

    Attributes:
        at: When; of one that is moved, when it will be.
        what: What becomes of it.
        before: Of one that is moved, when it was.
    """

    at: datetime
    what: Literal["kept", "added", "removed", "moved"]
    before: datetime | None = None


@dataclass(frozen=True)
class FireChanges:
    """What a change of times changes.

    Attributes:
        diff: Between both.
        rows: The first fires of both, in order of time.
        more: How many are not among the rows.
    """

    diff: FireDiff
    rows: Sequence[FireRow]
    more: int

    @property
    def span(self) -> str:
        """How far both are compared, in words."""
        days = max(round((self.diff.end - self.diff.start) / timedelta(days=1)), 1)
        return {_YEAR: "next year"}.get(days, f"next {plural(days, 'day')}")

    @property
    def sentence(self) -> str:
        """How many of each there are."""
        diff = self.diff
        counts = ((len(diff.moved), "moved"), (len(diff.added), "added"), (len(diff.removed), "removed"))
        told = [f"{count:,} {word}" for count, word in counts if count]
        return ", ".join([*told, f"{diff.unchanged:,} kept" if diff.unchanged else "none kept"]) if told else ""


async def fire_changes(
    client: Client, before: ScheduleSpec, after: ScheduleSpec, fires: Sequence[datetime]
) -> FireChanges:
    """Compare the next 7 days, or the next year where neither fires in these.

    Args:
        client: Of the namespace.
        before: As it is.
        after: As it would be.
        fires: The next fires of ``after``, at least as many as are shown.

    Raises:
        InvalidInputError: The server refuses one of them.
        temporalio.service.RPCError: The server could not be asked.
    """
    diff = await fire_diff(client, before, after, days=_WEEK)
    if not diff.days:
        diff = await fire_diff(client, before, after, days=_YEAR)
    moved = {pair.after: FireRow(pair.after, "moved", pair.before) for pair in diff.moved}
    new = moved.keys() | set(diff.added)
    rows = [*moved.values(), *(FireRow(at, "added") for at in diff.added)]
    rows += [FireRow(at, "removed") for at in diff.removed]
    rows += [FireRow(at, "kept") for at in fires if diff.start <= at < diff.end and at not in new]
    whole = len(new) + len(diff.removed) + diff.unchanged
    shown = sorted(rows, key=lambda row: row.at)[:SHOWN]
    return FireChanges(diff, shown, whole - len(shown))
