"""Pause and resume, with who and why, and with a choice about what was missed meanwhile."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from temporalio.api.schedule.v1 import Schedule
from temporalio.client import Client

from trenova_errors import InvalidInputError
from trenova_schedules._previewing._unsaved import fires_of
from trenova_schedules._reading import ScheduleDocument, ScheduleSnapshot
from trenova_schedules._reading._document import WireDocument
from trenova_schedules._reading._memo import action_converter, decoded

_PAUSED_BY: Final = "Paused by "
PAUSED_MEMO: Final = "trenova.paused"
"""Memo key of the action while it is paused: since when, ISO 8601. Only runs started by hand then carry it."""
CATCH_UP_MEMO: Final = "trenova.catch-up"
"""Memo key of the action while a catch-up is under way: what is to be started, JSON."""
MOST_CAUGHT_UP: Final = 1000
"""More ticks than these are a backfill's work, which can be watched and stopped."""

_LONGEST_REASON: Final = 500


class CatchUp(StrEnum):
    """What is done on resume about the ticks that came while a schedule was paused."""

    NONE = "none"
    LAST = "last"
    ALL = "all"


class MissedTicks(WireDocument):
    """The ticks that came while a schedule was paused; camelCase on the wire.

    Attributes:
        schedule_id: Of the schedule.
        since: Since when it counts: when it was paused, or where another tool paused it, its last run.
        until: Until when.
        count: How many ticks; nominal times, without jitter, by the specification that is in force now.
        first: The first; None if there are none.
        last: The last.
        since_known: Whether it is known when it was paused.
    """

    schedule_id: str
    since: datetime
    until: datetime
    count: int
    first: datetime | None = None
    last: datetime | None = None
    since_known: bool = True


class PendingCatchUp(WireDocument):
    """What is still to be started, as the memo has it; the runs it starts carry it too."""

    catch_up: CatchUp
    since: datetime
    until: datetime


def require_reason(reason: str) -> str:
    """Return a reason that a person can read.

    Raises:
        InvalidInputError: It is empty or longer than 500 characters.
    """
    if not (text := " ".join(reason.split())) or len(text) > _LONGEST_REASON:
        raise InvalidInputError(
            f"A reason of 1 to {_LONGEST_REASON} characters is required; this one has {len(text)}. "
            "Say why, for whoever looks at it later."
        )
    return text


def note_of(who: str, reason: str, *, pause: bool) -> str:
    """Return the note of a pause or a resume."""
    return f"{_PAUSED_BY if pause else 'Resumed by '}{who}: {reason}"


def pausing(who: str, reason: str, *, pause: bool) -> Any:
    """Return the change that pauses or resumes and says so in the note."""

    def change(schedule: Schedule) -> None:
        schedule.state.paused = pause
        schedule.state.notes = note_of(who, reason, pause=pause)

    return change


async def missed_ticks(
    client: Client, snapshot: ScheduleSnapshot, since: datetime | None
) -> tuple[MissedTicks, list[datetime]]:
    """Return what was missed since a pause, and the nominal times themselves.

    Args:
        client: Of the namespace.
        snapshot: Of the schedule.
        since: Where the caller knows better; None for what is known.

    Raises:
        InvalidInputError: More than 100,000, or a moment that is to come.
    """
    document = snapshot.document
    noted = since or await paused_since(client, snapshot)
    begin, until = noted or _last_known(document), datetime.now(UTC)
    if begin > until:
        raise InvalidInputError(f"{begin.isoformat()} is still to come. Give a moment that has passed.")
    times = await fires_of(client, snapshot.raw.schedule.spec, begin, until) if begin < until else []
    counted = MissedTicks(
        schedule_id=document.id,
        since=begin,
        until=until,
        count=len(times),
        first=times[0] if times else None,
        last=times[-1] if times else None,
        since_known=noted is not None,
    )
    return counted, times


async def ticks_to_start(
    client: Client, snapshot: ScheduleSnapshot, catch_up: CatchUp, since: datetime | None = None
) -> tuple[MissedTicks, int]:
    """Return what was missed since a pause, and how many of these ticks a resume would start.

    Raises:
        InvalidInputError: More than a resume catches up.
    """
    missed, _ = await missed_ticks(client, snapshot, since)
    count = {CatchUp.NONE: 0, CatchUp.LAST: min(missed.count, 1), CatchUp.ALL: missed.count}[catch_up]
    if count > MOST_CAUGHT_UP:
        raise InvalidInputError(
            f"Schedule {snapshot.document.id!r} has missed {count} ticks; a resume catches up {MOST_CAUGHT_UP} at "
            "most. Resume it without, and start a backfill. Nothing was changed.",
            schedule_id=snapshot.document.id,
        )
    return missed, count


def missed_in_words(count: int) -> str:
    """Return how many missed ticks that is, with the noun."""
    return f"{count} missed {'tick' if count == 1 else 'ticks'}"


async def paused_since(client: Client, snapshot: ScheduleSnapshot) -> datetime | None:
    """Return when one of our pauses was made; None where another tool paused it, or has ended our pause meanwhile.

    Other tools leave the memo where it is, and write a note of their own.
    """
    if not snapshot.raw.schedule.state.notes.startswith(_PAUSED_BY):
        return None
    start = snapshot.raw.schedule.action.start_workflow
    memo = await decoded(action_converter(client, start.workflow_id), start.memo.fields, frozenset({PAUSED_MEMO}))
    text = memo.values.get(PAUSED_MEMO)
    return None if text is None else datetime.fromisoformat(str(text))


async def pending_catch_up(client: Client, snapshot: ScheduleSnapshot) -> PendingCatchUp | None:
    """Return what a resume had still to start when it ended."""
    start = snapshot.raw.schedule.action.start_workflow
    memo = await decoded(action_converter(client, start.workflow_id), start.memo.fields, frozenset({CATCH_UP_MEMO}))
    text = memo.values.get(CATCH_UP_MEMO)
    return None if text is None else PendingCatchUp.model_validate(json.loads(str(text)))


def _last_known(document: ScheduleDocument) -> datetime:
    ran = [run.scheduled_at for run in document.recent_runs if run.scheduled_at is not None]
    known = [moment for moment in (document.created_at, max(ran, default=None)) if moment is not None]
    return max(known, default=datetime.now(UTC)).replace(microsecond=0)
