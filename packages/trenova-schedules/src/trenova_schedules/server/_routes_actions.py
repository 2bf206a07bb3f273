"""Pause, resume and trigger one schedule."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from trenova_schedules._managing._changing import ANY_ETAG
from trenova_schedules._managing._pausing import MissedTicks
from trenova_schedules._managing._results import ScheduleChange
from trenova_schedules._managing._triggering import TriggeredRun
from trenova_schedules.server._api import Reader, Writer
from trenova_schedules.server._bodies import PauseBody, ResumeBody, TriggerBody
from trenova_schedules.server._documented import changes, documented
from trenova_schedules.server._idempotency import IdempotencyKey, once
from trenova_schedules.server._parameters import IfMatch, Moment, ScheduleId
from trenova_schedules.server._roles import OPERATOR, VIEWER

router = APIRouter(prefix="/schedules/{schedule_id}", tags=["schedules"])


@router.post("/pause", operation_id="pauseSchedule", response_model=ScheduleChange, responses=changes(412))
async def pause(
    caller: Writer, schedule_id: ScheduleId, body: PauseBody, if_match: IfMatch = None, key: IdempotencyKey = None
) -> Response:
    """Pause a schedule; role operator. One that is paused stays as it is."""
    labels = (await caller.schedule(schedule_id, OPERATOR)).document.labels
    service, etag, actor = caller.api.service, if_match or ANY_ETAG, caller.actor(labels)

    async def work() -> ScheduleChange:
        return await service.pause(schedule_id, reason=body.reason, actor=actor, etag=etag)

    return await once(caller, key, body, work)


@router.get("/missed", operation_id="missedTicks", responses=documented(404))
async def missed(
    caller: Reader,
    schedule_id: ScheduleId,
    since: Annotated[Moment | None, Query(description="Since when, where the caller knows better.")] = None,
) -> MissedTicks:
    """Count the ticks that a resume with catch-up would start now; role viewer."""
    await caller.schedule(schedule_id, VIEWER)
    return await caller.api.service.missed(schedule_id, since=since)


@router.post("/resume", operation_id="resumeSchedule", response_model=ScheduleChange, responses=changes(412))
async def resume(
    caller: Writer, schedule_id: ScheduleId, body: ResumeBody, if_match: IfMatch = None, key: IdempotencyKey = None
) -> Response:
    """Resume a schedule, and start none, the last or all of the ticks that it has missed; role operator."""
    labels = (await caller.schedule(schedule_id, OPERATOR)).document.labels
    service, etag, actor = caller.api.service, if_match or ANY_ETAG, caller.actor(labels)

    async def work() -> ScheduleChange:
        return await service.resume(
            schedule_id,
            reason=body.reason,
            actor=actor,
            catch_up=body.catch_up,
            confirmed=body.confirmed,
            since=body.since,
            etag=etag,
        )

    return await once(caller, key, body, work)


@router.post("/trigger", operation_id="triggerSchedule", response_model=TriggeredRun, responses=changes())
async def trigger(caller: Writer, schedule_id: ScheduleId, body: TriggerBody, key: IdempotencyKey = None) -> Response:
    """Start a run now, also of a paused schedule, and wait until it is there; role operator."""
    labels = (await caller.schedule(schedule_id, OPERATOR)).document.labels
    service, actor = caller.api.service, caller.actor(labels)

    async def work() -> TriggeredRun:
        return await service.trigger(schedule_id, actor=actor, reason=body.reason, overlap=body.overlap)

    return await once(caller, key, body, work)
