"""What to do about one schedule: what is defined against what is there."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from temporalio.api.schedule.v1 import Schedule
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse
from temporalio.client import Client

from trenova_errors import ApplicationError
from trenova_schedules._definition import ScheduleDefinition
from trenova_schedules._reading import cron_of, cron_text
from trenova_schedules._reconciling._compiling import Compiler
from trenova_schedules._reconciling._fields import fields_of
from trenova_schedules._reconciling._found import Marks, marks_of
from trenova_schedules._reconciling._merge import FieldChange, Merged, merge
from trenova_schedules._reconciling._plan import PlanKind, PlannedSchedule
from trenova_schedules._reconciling._record import as_recorded, kept_fields
from trenova_schedules._reconciling._serving import Serving
from trenova_schedules._reconciling._target import target_of
from trenova_schedules._reconciling._when import when_of

_NOTE = "note"


@dataclass(frozen=True)
class Decision:
    """What to do, and what is needed to do it.

    Attributes:
        planned: As it is shown.
        target: The definition as a message; its cron string is compiled where something is to be written.
        record: What is then to be remembered as applied.
        cron: The text that then belongs into the memo ``trenova.cron``; None where nothing is to be said of it.
    """

    planned: PlannedSchedule
    target: Schedule
    record: dict[str, Any]
    cron: str | None = None


class Decider:
    """Decides for one owner.

    Args:
        client: Of the namespace.
        owner: Whose mark a schedule has to carry.
        serving: Knows which runs would wait for ever; None: nobody asks.
        overwrite: Ids of schedules of which the definition wins over whoever changed something.
    """

    def __init__(self, client: Client, owner: str, serving: Serving | None, overwrite: Collection[str]) -> None:
        self.client, self._owner, self._serving, self._overwrite = client, owner, serving, overwrite
        self._compiler = Compiler(client)

    async def decide(self, definition: ScheduleDefinition, found: DescribeScheduleResponse | None) -> Decision:
        """Compare a definition with what is there, or with nothing.

        Raises:
            temporalio.service.RPCError: The server could not be asked.
        """
        target = await target_of(self.client, definition)
        if found is None:
            return await self._checked(definition, await self._creation(definition, target))
        try:
            marks = await marks_of(self.client, found)
            if marks.owner != self._owner:
                return _not_ours(definition, target, found, marks.owner)
            decision = await self._comparison(definition, target, found.schedule, marks)
        except ApplicationError as error:
            return _stopped(PlanKind.REFUSED, definition, target, f"it cannot be compared: {error.message}")
        return await self._checked(definition, decision)

    async def creation(self, definition: ScheduleDefinition) -> Decision:
        """Return what to write where nothing is there, with the cron string left for the server to compile."""
        return await self._creation(definition, await target_of(self.client, definition))

    async def _creation(self, definition: ScheduleDefinition, target: Schedule) -> Decision:
        fields = {**await fields_of(self.client, target, cron=definition.cron), **kept_fields(definition)}
        changes = tuple(FieldChange(field=name, old=None, new=value) for name, value in fields.items() if value)
        planned = PlannedSchedule(id=definition.id, kind=PlanKind.CREATE, changes=changes, paused=definition.paused)
        return Decision(planned, target, _record(definition, fields))

    async def _comparison(
        self, definition: ScheduleDefinition, target: Schedule, there: Schedule, marks: Marks
    ) -> Decision:
        cron = cron_of(marks.cron, there.spec)
        found = await fields_of(self.client, there, cron=cron)
        defined = {**await fields_of(self.client, target, cron=definition.cron), **kept_fields(definition)}
        if defined["when"] != found["when"] and await self._same_calendars(target, there):
            found["when"] = defined["when"]
        overwrite = definition.id in self._overwrite
        merged = _with_note(merge(defined, marks.applied, found, overwrite=overwrite), definition, there, marks)
        says_cron = definition.cron is None or cron is not None or found["when"] != defined["when"]
        written = bool(merged.changes) or merged.record != marks.applied or not says_cron
        planned = PlannedSchedule(
            id=definition.id,
            kind=_kind(merged, written=written),
            changes=merged.changes,
            overrides=merged.overrides,
            paused=there.state.paused,
            reason=_why(merged, marks) if written else "",
        )
        return Decision(planned, target, dict(merged.record))

    async def _same_calendars(self, target: Schedule, there: Schedule) -> bool:
        """Whether the calendars are those of the definition's cron, though no string that fits them is kept."""
        if not target.spec.cron_string:
            return False
        compiled = await self._compiler.compiled(target.spec)
        return when_of(compiled, None) == when_of(there.spec, None)

    async def _checked(self, definition: ScheduleDefinition, decision: Decision) -> Decision:
        """Refuse what the server or the workers would not take; compile what will be written."""
        if decision.planned.kind not in {PlanKind.CREATE, PlanKind.UPDATE}:
            return decision
        refusal = None
        if self._serving is not None:
            start = decision.target.action.start_workflow
            refusal = await self._serving.refusal(start.workflow_type.name, start.task_queue.name)
        try:
            compiled = await self._compiler.compiled(decision.target.spec)
        except ApplicationError as error:
            refusal = error.message
        if refusal is not None:
            planned = decision.planned.model_copy(update={"kind": PlanKind.REFUSED, "reason": refusal})
            return replace(decision, planned=planned)
        decision.target.spec.CopyFrom(compiled)
        kept = any(one.field == "when" for one in decision.planned.overrides)
        cron = None if kept or definition.cron is None else cron_text(definition.cron, compiled)
        return replace(decision, cron=cron)


def _record(definition: ScheduleDefinition, fields: dict[str, Any]) -> dict[str, Any]:
    return {**{name: as_recorded(name, value) for name, value in fields.items()}, _NOTE: definition.note}


def _with_note(merged: Merged, definition: ScheduleDefinition, there: Schedule, marks: Marks) -> Merged:
    """Write a new note only over the one that was applied before, and never over that of a pause."""
    record = {**merged.record, _NOTE: definition.note}
    before, found = (marks.applied or {}).get(_NOTE), there.state.notes
    if definition.note in {before, found} or found != before or there.state.paused:
        return replace(merged, record=record)
    change = FieldChange(field=_NOTE, old=found, new=definition.note)
    return replace(merged, record=record, changes=(*merged.changes, change))


def _kind(merged: Merged, *, written: bool) -> PlanKind:
    if written:
        return PlanKind.UPDATE
    return PlanKind.OVERRIDDEN if merged.overrides else PlanKind.UNCHANGED


def _why(merged: Merged, marks: Marks) -> str:
    if marks.applied is None:
        return "what is applied was not recorded yet"
    return "" if merged.changes else "only the record of what is applied is written"


def _not_ours(
    definition: ScheduleDefinition, target: Schedule, found: DescribeScheduleResponse, owner: str | None
) -> Decision:
    mark = f"it belongs to {owner!r}" if owner else "it carries no owner that can be read here"
    reason = f"a schedule with this id is there and {mark}; rename the definition, or delete that schedule yourself"
    decision = _stopped(PlanKind.FOREIGN, definition, target, reason)
    planned = decision.planned.model_copy(update={"paused": found.schedule.state.paused})
    return replace(decision, planned=planned)


def _stopped(kind: PlanKind, definition: ScheduleDefinition, target: Schedule, reason: str) -> Decision:
    return Decision(PlannedSchedule(id=definition.id, kind=kind, reason=reason), target, {})
