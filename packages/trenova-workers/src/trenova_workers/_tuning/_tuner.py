"""Makes the SDK's tuner from options, and keeps hold of what can be resized."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.worker import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    WorkerTuner,
)

from trenova_workers._tuning._resizable import ResizableSupplier
from trenova_workers._tuning._slots import (
    CompositeTuner,
    FixedSlots,
    ResizableSlots,
    ResizableTuner,
    ResourceSlots,
    ResourceTuner,
    SlotKind,
)

if TYPE_CHECKING:
    from trenova_workers._options import WorkerOptions

SlotSupplier = FixedSizeSlotSupplier | ResourceBasedSlotSupplier | CustomSlotSupplier
AnySlots = FixedSlots | ResizableSlots | ResourceSlots

# No worker of ours serves Nexus; the SDK's own default.
_NEXUS_SLOTS = 100


@dataclass(frozen=True)
class Tuning:
    """The tuner of one worker and those of its slots that can be resized."""

    tuner: WorkerTuner
    resizable: Mapping[SlotKind, ResizableSupplier] = field(default_factory=dict)


def slots_of(options: "WorkerOptions") -> dict[SlotKind, AnySlots]:
    """Return how many slots of each kind one worker has, whichever way they are told."""
    tuner = options.tuner
    if isinstance(tuner, ResourceTuner | CompositeTuner):
        return {
            "activities": tuner.activities,
            "workflow_tasks": tuner.workflow_tasks,
            "local_activities": tuner.local_activities,
        }
    numbers: dict[SlotKind, int] = {
        "activities": options.max_activities,
        "workflow_tasks": options.max_workflow_tasks,
        "local_activities": options.max_local_activities,
    }
    if isinstance(tuner, ResizableTuner):
        return {kind: ResizableSlots(kind="resizable", slots=number) for kind, number in numbers.items()}
    return {kind: FixedSlots(slots=number) for kind, number in numbers.items()}


def most_slots(slots: AnySlots) -> int:
    """Return the most slots that can be given at once, as told now."""
    return slots.maximum if isinstance(slots, ResourceSlots) else slots.slots


def slot_key(options: "WorkerOptions", kind: SlotKind) -> str:
    """Return the key below ``worker`` that decides the most slots of a kind."""
    if not isinstance(options.tuner, ResourceTuner | CompositeTuner):
        return f"max_{kind}"
    last = "maximum" if isinstance(slots_of(options)[kind], ResourceSlots) else "slots"
    return f"tuner.{kind}.{last}"


def most_activities(options: "WorkerOptions") -> int:
    """Return for how many activities at once one worker needs threads, resized ones included."""
    slots = slots_of(options)["activities"]
    if isinstance(slots, ResizableSlots) and isinstance(options.tuner, ResizableTuner | CompositeTuner):
        return max(slots.slots, options.tuner.ceiling)
    return most_slots(slots)


def make_tuning(options: "WorkerOptions") -> Tuning:
    """Return a tuner of one worker; each worker needs its own."""
    suppliers = {kind: _supplier(slots, options) for kind, slots in slots_of(options).items()}
    tuner = WorkerTuner.create_composite(
        workflow_supplier=suppliers["workflow_tasks"],
        activity_supplier=suppliers["activities"],
        local_activity_supplier=suppliers["local_activities"],
        nexus_supplier=FixedSizeSlotSupplier(_NEXUS_SLOTS),
    )
    resizable = {kind: made for kind, made in suppliers.items() if isinstance(made, ResizableSupplier)}
    return Tuning(tuner, resizable)


def _supplier(slots: AnySlots, options: "WorkerOptions") -> SlotSupplier:
    if isinstance(slots, FixedSlots):
        return FixedSizeSlotSupplier(slots.slots)
    if isinstance(slots, ResizableSlots):
        return ResizableSupplier(slots.slots)
    tuner = options.tuner
    assert isinstance(tuner, ResourceTuner | CompositeTuner)
    return ResourceBasedSlotSupplier(
        ResourceBasedSlotConfig(slots.minimum, slots.maximum, timedelta(milliseconds=slots.ramp_ms)),
        ResourceBasedTunerConfig(tuner.target_memory, tuner.target_cpu),
    )
