"""What a schedule was, so far as an undo needs it, and making it that again.

Wire contract of an item of a receipt: ``scheduleId``, ``before`` and ``after``. Both hold ``paused`` and ``note``;
after an update also ``spec``, ``policies`` (the server's messages, base64), ``remaining``, ``workflow``,
``taskQueue`` and ``cron``.
"""

import base64
from collections.abc import Mapping
from typing import Any

from temporalio.api.schedule.v1 import Schedule, SchedulePolicies, ScheduleSpec

from trenova_schedules._reading import ScheduleSnapshot, cron_text


def saved(snapshot: ScheduleSnapshot, *, whole: bool) -> dict[str, Any]:
    """Return what may be changed of a schedule, or only whether it is paused and its note."""
    schedule = snapshot.raw.schedule
    if whole:
        return whole_state(schedule, snapshot.document.cron)
    return {"paused": schedule.state.paused, "note": schedule.state.notes}


def whole_state(schedule: Schedule, cron: str | None) -> dict[str, Any]:
    """Return the same of a schedule as it is, or as a change would make it."""
    return {
        "paused": schedule.state.paused,
        "note": schedule.state.notes,
        "spec": _text(schedule.spec.SerializeToString(deterministic=True)),
        "policies": _text(schedule.policies.SerializeToString(deterministic=True)),
        "remaining": schedule.state.remaining_actions if schedule.state.limited_actions else None,
        "workflow": schedule.action.start_workflow.workflow_type.name,
        "taskQueue": schedule.action.start_workflow.task_queue.name,
        "cron": cron,
    }


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two of them are the same, apart from how many actions remain."""
    names = (one.keys() | other.keys()) - {"remaining"}
    return all(one.get(name) == other.get(name) for name in names)


def restore(schedule: Schedule, state: Mapping[str, Any]) -> None:
    """Make a schedule what it was, in place."""
    schedule.state.paused, schedule.state.notes = state["paused"], state["note"]
    if "spec" not in state:
        return
    schedule.spec.CopyFrom(ScheduleSpec.FromString(base64.b64decode(state["spec"])))
    schedule.policies.CopyFrom(SchedulePolicies.FromString(base64.b64decode(state["policies"])))
    remaining = state["remaining"]
    schedule.state.limited_actions, schedule.state.remaining_actions = remaining is not None, remaining or 0
    start = schedule.action.start_workflow
    start.workflow_type.name, start.task_queue.name = state["workflow"], state["taskQueue"]


def cron_memo(state: Mapping[str, Any]) -> str | None:
    """Return the text of the memo ``trenova.cron`` that goes with a state that was saved whole."""
    if state["cron"] is None:
        return None
    return cron_text(state["cron"], ScheduleSpec.FromString(base64.b64decode(state["spec"])))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
