"""Since when a schedule is paused, by whoever knows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from trenova_errors import ApplicationError
from trenova_schedules._managing._pausing import paused_since
from trenova_schedules._reading import ScheduleSnapshot
from trenova_schedules.store import ScheduleStore


@dataclass(frozen=True)
class PausedSince:
    """When it was paused.

    Attributes:
        since: The moment, or the earliest at which it can have been; None where nobody knows.
        until: The latest, where it is not known to the second.
    """

    since: datetime | None = None
    until: datetime | None = None


async def pause_of(client: Client, store: ScheduleStore | None, snapshot: ScheduleSnapshot) -> PausedSince:
    """Return since when it is paused: what our pauses say, and of those of other tools what harvests saw.

    Args:
        client: Of the namespace.
        store: Of the ledger; None where there is no database.
        snapshot: Of the schedule; nothing is asked of one that is not paused.
    """
    if not snapshot.document.paused:
        return PausedSince()
    if (told := await paused_since(client, snapshot)) is not None:
        return PausedSince(told)
    if store is None:
        return PausedSince()
    now = datetime.now(UTC)
    try:
        found = await store.versions.pauses(snapshot.document.id, now, now + timedelta(seconds=1))
    except ApplicationError:  # the page says elsewhere that the database does not answer
        return PausedSince()
    if not found:
        return PausedSince()
    one = found[-1]
    return PausedSince(one.from_at, one.certain_from if one.certain_from > one.from_at else None)
