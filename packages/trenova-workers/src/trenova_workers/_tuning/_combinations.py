"""Options of a worker that contradict each other, whatever the work and the machine."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from trenova_workers._tuning._impossible import impossible
from trenova_workers._tuning._pollers import FixedPollers
from trenova_workers._tuning._slots import CompositeTuner, ResizableTuner, ResourceSlots, ResourceTuner
from trenova_workers._tuning._tuner import most_slots, slot_key, slots_of

if TYPE_CHECKING:
    from trenova_workers._options import WorkerOptions

_STICKY = ("sticky_schedule_to_start_timeout_s", "nonsticky_poll_ratio")
# The SDK keeps one place for workflows that it has cached and one for others.
_LEAST_FOR_CACHE = 2


def contradictions(options: "WorkerOptions") -> Iterator[PydanticCustomError]:
    """Yield what cannot go together. Only what was told is held against anyone, never a default."""
    yield from _slots_told_twice(options)
    yield from _ceiling(options)
    yield from _cache(options)
    yield from _without_effect(options)


def _told(options: "WorkerOptions", *keys: str) -> Iterator[tuple[str, Any]]:
    for key in keys:
        value = getattr(options, key)
        if key in options.model_fields_set and value is not None:
            yield key, value


def _slots_told_twice(options: "WorkerOptions") -> Iterator[PydanticCustomError]:
    tuner = options.tuner
    if isinstance(tuner, ResourceTuner | CompositeTuner):
        for key, value in _told(options, "max_activities", "max_workflow_tasks", "max_local_activities"):
            instead = f"tuner.{key.removeprefix('max_')}"
            said = f"is not used by tuner.kind {tuner.kind!r}, which decides the slots itself"
            yield impossible(key, value, said, f"Remove it and set {instead}, or set tuner.kind to 'fixed'")


def _ceiling(options: "WorkerOptions") -> Iterator[PydanticCustomError]:
    tuner = options.tuner
    if isinstance(tuner, ResizableTuner | CompositeTuner):
        slots = slots_of(options)["activities"]
        if slots.kind == "resizable" and most_slots(slots) > tuner.ceiling:
            said = f"is above tuner.ceiling ({tuner.ceiling})"
            fix = f"Set it to at most {tuner.ceiling}, or raise tuner.ceiling"
            yield impossible(slot_key(options, "activities"), most_slots(slots), said, fix)


def _cache(options: "WorkerOptions") -> Iterator[PydanticCustomError]:
    cached = options.max_cached_workflows
    if not cached:
        for key, value in _told(options, *_STICKY):
            said = "has no effect while max_cached_workflows is 0"
            yield impossible(key, value, said, "Remove it, or set max_cached_workflows above 0")
        return
    pollers = options.workflow_pollers
    if isinstance(pollers, FixedPollers) and pollers.count < _LEAST_FOR_CACHE:
        said = f"leaves no poll for workflows that are not cached (max_cached_workflows is {cached})"
        yield impossible("workflow_pollers.count", pollers.count, said, "Set it to at least 2")
    slots = slots_of(options)["workflow_tasks"]
    if not isinstance(slots, ResourceSlots) and slots.slots < _LEAST_FOR_CACHE:
        said = f"leaves no slot for workflows that are not cached (max_cached_workflows is {cached})"
        yield impossible(slot_key(options, "workflow_tasks"), slots.slots, said, "Set it to at least 2")


def _without_effect(options: "WorkerOptions") -> Iterator[PydanticCustomError]:
    if not isinstance(options.workflow_pollers, FixedPollers) and options.max_cached_workflows:
        for key, value in _told(options, "nonsticky_poll_ratio"):
            said = "has no effect while workflow_pollers.kind is 'autoscaling'"
            yield impossible(key, value, said, "Remove it, or set workflow_pollers.kind to 'fixed'")
    if not options.eager_activities:
        for key, value in _told(options, "eager_activities_per_task"):
            said = "has no effect while eager_activities is false"
            yield impossible(key, value, said, "Remove it, or set eager_activities to true")
    highest = options.max_heartbeat_throttle_s
    for key, value in _told(options, "default_heartbeat_throttle_s"):
        if highest is not None and value > highest:
            said = f"is above max_heartbeat_throttle_s ({highest:g}), which caps it"
            yield impossible(key, value, said, f"Set it to at most {highest:g}, or raise max_heartbeat_throttle_s")
