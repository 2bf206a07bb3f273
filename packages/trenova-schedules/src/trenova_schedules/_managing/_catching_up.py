"""Start what a pause has missed, each tick once, also after a process was killed in the middle.

What is to be started is kept in the memo of the action until the server has it. Ticks of which a run is there are
left out, so that going on starts nothing twice.
"""

import asyncio
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import BackfillRequest, Schedule, SchedulePatch
from temporalio.api.workflowservice.v1 import PatchScheduleRequest
from temporalio.client import Client

from trenova_errors import AmbiguousOutcomeError, UnavailableError
from trenova_schedules._managing._listing import bounded
from trenova_schedules._managing._pausing import CATCH_UP_MEMO, CatchUp, PendingCatchUp
from trenova_schedules._managing._runs import latest_run, run_id_of
from trenova_schedules._managing._write import write_schedule
from trenova_schedules._previewing._unsaved import fires_of
from trenova_schedules._reading import ScheduleConflictError, ScheduleSnapshot, read_schedule

_WITHIN: Final = timedelta(seconds=30)
_AT_ONCE: Final = 20
_PATIENCE_S: Final = 20.0
_SEND_AGAIN_S: Final = 4.0
_LOOK_S: Final = 0.1
_QUIET_S: Final = 2.5
_JUST_BEFORE: Final = timedelta(milliseconds=500)  # ticks are whole seconds; whether the start counts is not said
_TRIES: Final = 10


async def start_missed(client: Client, snapshot: ScheduleSnapshot, pending: PendingCatchUp, identity: str) -> int:
    """Hand the server the ticks that have no run, and return how many those were.

    Raises:
        AmbiguousOutcomeError: The server took them and shows no trace; what is to be started stays noted.
    """
    times = await _times(client, snapshot, pending)
    missing = await _missing(client, snapshot.raw.schedule, times)
    if missing:
        await _handed_over(client, snapshot, times, missing, identity)
    return len(missing)


async def when_quiet(client: Client, snapshot: ScheduleSnapshot, pending: PendingCatchUp) -> ScheduleSnapshot:
    """Wait until the server starts nothing more of what it was handed before, and return the schedule then.

    Raises:
        UnavailableError: It was still starting runs, or keeping some for later, after 20 seconds.
    """
    deadline = time.monotonic() + _PATIENCE_S
    times = await _times(client, snapshot, pending)
    before = await _missing(client, snapshot.raw.schedule, times)
    while time.monotonic() < deadline:
        await asyncio.sleep(_QUIET_S)
        current = await read_schedule(client, snapshot.document.id)
        missing = await _missing(client, snapshot.raw.schedule, times)
        if missing == before and not current.document.counts.buffer_size:
            return current
        before = missing
    raise UnavailableError(
        f"Schedule {snapshot.document.id!r} is still starting what an earlier resume handed over. "
        "Try again in a while.",
        schedule_id=snapshot.document.id,
    )


async def _times(client: Client, snapshot: ScheduleSnapshot, pending: PendingCatchUp) -> list[datetime]:
    times = await fires_of(client, snapshot.raw.schedule.spec, pending.since, pending.until)
    return times[-1:] if pending.catch_up is CatchUp.LAST else times


async def forget_pending(client: Client, snapshot: ScheduleSnapshot, identity: str) -> ScheduleSnapshot:
    """Note that a catch-up is done, whoever else changes the schedule meanwhile."""
    for _ in range(_TRIES):
        try:
            return await write_schedule(client, snapshot, lambda _: None, identity=identity, memo={CATCH_UP_MEMO: None})
        except ScheduleConflictError:
            snapshot = await read_schedule(client, snapshot.document.id)
    raise UnavailableError(
        f"Schedule {snapshot.document.id!r} was changed by others {_TRIES} times while the end of its catch-up was "
        "to be noted. Resume it again; nothing is started twice.",
        schedule_id=snapshot.document.id,
    )


async def _missing(client: Client, schedule: Schedule, times: Sequence[datetime]) -> list[datetime]:
    async def one(at: datetime) -> datetime | None:
        return at if await latest_run(client, run_id_of(schedule, at)) is None else None

    return [at for at in await bounded(_AT_ONCE, times, one) if at is not None]


async def _handed_over(
    client: Client, snapshot: ScheduleSnapshot, times: Sequence[datetime], missing: list[datetime], identity: str
) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while (now := time.monotonic()) < deadline:
        await _send(client, snapshot, _stretches(times, missing), identity)
        while time.monotonic() < min(now + _SEND_AGAIN_S, deadline):
            if await _arrived(client, snapshot, missing):
                return
            await asyncio.sleep(_LOOK_S)
        # The default scheduler forgets a request when another one follows before it has looked.
    raise AmbiguousOutcomeError(
        f"Schedule {snapshot.document.id!r} was resumed, but shows none of the {len(missing)} missed ticks that were "
        "handed over. Resume it again to go on; nothing is started twice.",
        schedule_id=snapshot.document.id,
    )


async def _arrived(client: Client, snapshot: ScheduleSnapshot, missing: Sequence[datetime]) -> bool:
    current = await read_schedule(client, snapshot.document.id)
    if current.document.counts.buffer_size:
        return True
    return await latest_run(client, run_id_of(snapshot.raw.schedule, missing[0])) is not None


async def _send(
    client: Client, snapshot: ScheduleSnapshot, stretches: list[tuple[datetime, datetime]], identity: str
) -> None:
    at_once = snapshot.document.overlap == "allow_all"
    policy = (
        ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL
        if at_once
        else ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL
    )
    patch = SchedulePatch()
    for first, last in stretches:
        request = BackfillRequest(overlap_policy=policy)
        request.start_time.FromDatetime(first - _JUST_BEFORE)
        request.end_time.FromDatetime(last)
        patch.backfill_request.append(request)
    await client.workflow_service.patch_schedule(
        PatchScheduleRequest(
            namespace=client.namespace,
            schedule_id=snapshot.document.id,
            patch=patch,
            identity=identity,
            request_id=str(uuid.uuid4()),
        ),
        retry=True,
        timeout=_WITHIN,
    )


def _stretches(times: Sequence[datetime], missing: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    """Return first and last of each stretch of ticks without a hole."""
    wanted, found = set(missing), list[tuple[datetime, datetime]]()
    going_on = False
    for at in times:
        if at not in wanted:
            going_on = False
        elif going_on:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
            going_on = True
    return found
