"""What is typed into the form of a schedule, judged as the server and its workers would take it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from temporalio.api.schedule.v1 import Schedule

from trenova_errors import InvalidInputError
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._previewing._times import times_of
from trenova_schedules._reading import ScheduleSnapshot
from trenova_schedules._reconciling._serving import Serving
from trenova_schedules.dashboard.edit._draft import WHEN, Began, Draft
from trenova_schedules.dashboard.edit._draft_reading import changed_fields, read_change, read_fields, said, validated
from trenova_schedules.dashboard.edit._times import TimesView, times_view
from trenova_schedules.server._api import Api

NEXT: Final = 10
"""Fires of a live preview."""
MOST_COMPARED: Final = 2_000
"""Fires that a schedule may have now while those of the preview go by."""
TIMES: Final = frozenset({*WHEN.values(), "time_zone", "start", "end"})
"""Fields of the form that say when it fires."""
NEVER: Final = "It would never fire: Temporal knows no time to come that fits."


@dataclass(frozen=True)
class Judged:
    """What would become of it.

    Attributes:
        patch: The change; None where nothing is changed, or something is wrong.
        errors: What is wrong, by the name of the field of the form; empty name for what concerns several.
        times: When it would fire; None where that is not known.
        proposed: The server's message with the times that were typed.
        new: Fires among the next that the schedule does not have now.
    """

    patch: SchedulePatch | None
    errors: Mapping[str, str]
    times: TimesView | None
    proposed: Schedule
    new: frozenset[datetime] = frozenset()


async def judged(api: Api, snapshot: ScheduleSnapshot, draft: Draft, began: Began, *, n: int = NEXT) -> Judged:
    """Judge what was typed; nothing is changed.

    Args:
        api: Of the application.
        snapshot: The schedule as it is.
        draft: What was typed.
        began: What the form was filled with.
        n: How many fires to find.

    Raises:
        temporalio.service.RPCError: The server could not be asked.
    """
    patch, found = read_change(draft, began)
    errors = dict(found)
    proposed = Schedule()
    proposed.CopyFrom(snapshot.raw.schedule)
    changed = set(changed_fields(draft, began.draft))
    times = None
    if not errors.keys() & TIMES:
        fields = read_fields(draft, changed & TIMES, began.zone).fields
        moved: SchedulePatch | None = validated(SchedulePatch, fields)[0] if fields else None
        if moved is not None:
            moved.apply(proposed)
        times, wrong = await _times(api, proposed, draft, n)
        if wrong and moved is not None:
            errors[WHEN[draft.when]], times = wrong, None
    if {"workflow", "task_queue"} & changed and (wrong := await unserved(api, draft.workflow, draft.task_queue)):
        errors.setdefault("task_queue", wrong)
    new = await _new(api, snapshot, times) if changed & TIMES else frozenset[datetime]()
    return Judged(None if errors else patch, in_order(errors), times, proposed, new)


def in_order(errors: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong in the order of the form."""
    names = list(Draft.model_fields)
    return dict(sorted(errors.items(), key=lambda one: names.index(one[0]) if one[0] in names else len(names)))


async def unserved(api: Api, workflow: str, task_queue: str) -> str:
    """Say why runs of a workflow would wait for ever; empty where they would not, or nobody asks for that."""
    if not (api.service.serves and workflow and task_queue):
        return ""
    found = await Serving(api.client, api.service.registrations).refusal(workflow, task_queue)
    return said(found) if found else ""


async def _new(api: Api, snapshot: ScheduleSnapshot, times: TimesView | None) -> frozenset[datetime]:
    """Compare with when the schedule fires now; none where jitter moves that, or it fires far more often."""
    spec = snapshot.raw.schedule.spec
    if times is None or not times.fires or snapshot.document.jitter:
        return frozenset()
    now: set[datetime] = set()
    until = times.fires[-1] + timedelta(seconds=1)
    async for at in times_of(api.client, snapshot.document.id, spec, times.fires[0], until):
        now.add(at)
        if len(now) > MOST_COMPARED:
            return frozenset()
    return frozenset(times.fires) - now


async def _times(api: Api, proposed: Schedule, draft: Draft, n: int) -> tuple[TimesView | None, str]:
    try:
        view = await times_view(api.client, proposed.spec, draft.cron if draft.when == "cron" else None, n=n)
    except InvalidInputError as error:
        return None, said(error.message)
    return view, "" if view.fires else NEVER
