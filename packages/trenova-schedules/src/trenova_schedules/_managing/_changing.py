"""The changes to one schedule, each verified; who asked is told to the server and in the note."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from temporalio.api.schedule.v1 import Schedule
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError
from trenova_schedules._definition import CRON_MEMO, ScheduleDefinition
from trenova_schedules._managing._catching_up import forget_pending, start_missed, when_quiet
from trenova_schedules._managing._checking import compiled
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._managing._pausing import (
    CATCH_UP_MEMO,
    PAUSED_MEMO,
    CatchUp,
    PendingCatchUp,
    pausing,
    pending_catch_up,
    ticks_to_start,
)
from trenova_schedules._managing._results import ScheduleChange
from trenova_schedules._managing._write import write_schedule
from trenova_schedules._reading import ScheduleConflictError, ScheduleSnapshot, cron_text, read_schedule
from trenova_schedules._reconciling._deciding import Decider
from trenova_schedules._reconciling._plan import PlanKind
from trenova_schedules._reconciling._serving import Registrations, Serving
from trenova_schedules._reconciling._writing import create

Model = TypeVar("Model", bound=BaseModel)

ANY_ETAG: Final = "*"
"""In place of an ETag: whatever the schedule is now."""


@dataclass(frozen=True)
class Changer:
    """Changes single schedules.

    Attributes:
        client: Of the namespace.
        identity: Who asks, for the server's records.
        who: Who asks, for notes.
        serves: Whether to refuse what nobody would run.
        registrations: Knows which workflows workers register.
    """

    client: Client
    identity: str
    who: str
    serves: bool = True
    registrations: Registrations | None = None

    async def create(self, definition: ScheduleDefinition) -> ScheduleChange:
        """Create a schedule as the reconciler would, and only if it will ever fire."""
        decision = await Decider(self.client, definition.owner, self._serving(), ()).decide(definition, None)
        if decision.planned.kind is PlanKind.REFUSED:
            raise InvalidInputError(
                f"Schedule {definition.id!r} cannot be created: {decision.planned.reason}. Nothing was changed.",
                schedule_id=definition.id,
            )
        await compiled(self.client, definition.id, decision.target)
        if not await create(self.client, decision, definition.owner):
            raise ConflictError(
                f"A schedule {definition.id!r} exists. Change that one, or choose another id.",
                schedule_id=definition.id,
            )
        after = (await read_schedule(self.client, definition.id)).document
        return ScheduleChange(schedule_id=definition.id, action="create", changed=True, after=after)

    async def patch(self, schedule_id: str, patch: SchedulePatch, etag: str) -> ScheduleChange:
        """Change what the patch names."""
        before = matching(await read_schedule(self.client, schedule_id), etag)
        proposed = await self.check(before, patch)
        memo = _cron_memo(patch, proposed)
        if changes_nothing(before, patch, proposed):
            return _unchanged("update", before)

        def change(schedule: Schedule) -> None:
            patch.apply(schedule)
            if patch.changes_when:
                schedule.spec.CopyFrom(proposed.spec)

        after = await write_schedule(self.client, before, change, identity=self.identity, memo=memo)
        return _changed("update", before, after)

    async def check(self, before: ScheduleSnapshot, patch: SchedulePatch) -> Schedule:
        """Return what a patch would make of a schedule, as the server would compile it; nothing is changed."""
        proposed = Schedule()
        proposed.CopyFrom(before.raw.schedule)
        patch.apply(proposed)
        await self._require_served(before.document.id, patch, proposed)
        if patch.changes_when:
            proposed.spec.CopyFrom(await compiled(self.client, before.document.id, proposed))
        return proposed

    async def pause(self, schedule_id: str, reason: str, etag: str) -> ScheduleChange:
        """Pause, with who and why in the note; one that is paused stays as it is."""
        before = matching(await read_schedule(self.client, schedule_id), etag)
        if before.document.paused:
            return _unchanged("pause", before)
        memo = {PAUSED_MEMO: datetime.now(UTC).isoformat()}
        change = pausing(self.who, reason, pause=True)
        after = await write_schedule(self.client, before, change, identity=self.identity, memo=memo)
        return _changed("pause", before, after)

    async def resume(
        self,
        schedule_id: str,
        reason: str,
        etag: str,
        *,
        catch_up: CatchUp,
        since: datetime | None = None,
        confirmed: int | None = None,
    ) -> ScheduleChange:
        """Resume, and start what was missed as was chosen; one whose catch-up was interrupted goes on with it."""
        before = matching(await read_schedule(self.client, schedule_id), etag)
        if not before.document.paused:
            return await self._go_on(before)
        pending = await self._chosen(before, catch_up, since, confirmed)
        memo = {PAUSED_MEMO: None, CATCH_UP_MEMO: None if pending is None else pending.model_dump_json()}
        change = pausing(self.who, reason, pause=False)
        after = await write_schedule(self.client, before, change, identity=self.identity, memo=memo)
        return await self._caught_up(before, after, pending)

    async def delete(self, schedule_id: str, etag: str) -> ScheduleChange:
        """Delete a schedule; runs under way go on."""
        before = matching(await read_schedule(self.client, schedule_id), etag)
        try:
            await self.client.get_schedule_handle(schedule_id).delete()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            raise ResourceNotFoundError.of("schedule", schedule_id, namespace=self.client.namespace) from error
        return ScheduleChange(schedule_id=schedule_id, action="delete", changed=True, before=before.document)

    async def _go_on(self, before: ScheduleSnapshot) -> ScheduleChange:
        pending = await pending_catch_up(self.client, before)
        if pending is None:
            return _unchanged("resume", before)
        return await self._caught_up(before, await when_quiet(self.client, before, pending), pending)

    async def _chosen(
        self, before: ScheduleSnapshot, catch_up: CatchUp, since: datetime | None, confirmed: int | None
    ) -> PendingCatchUp | None:
        if catch_up is CatchUp.NONE:
            return None
        missed, count = await ticks_to_start(self.client, before, catch_up, since)
        if confirmed is not None and confirmed != count:
            raise ConflictError(
                f"{count} missed ticks of schedule {before.document.id!r} would be started now, not {confirmed}. "
                "Look at them again and confirm that number. Nothing was changed.",
                schedule_id=before.document.id,
            )
        return PendingCatchUp(catch_up=catch_up, since=missed.since, until=missed.until) if count else None

    async def _caught_up(
        self, before: ScheduleSnapshot, after: ScheduleSnapshot, pending: PendingCatchUp | None
    ) -> ScheduleChange:
        if pending is None:
            return _changed("resume", before, after)
        started = await start_missed(self.client, after, pending, self.identity)
        after = await forget_pending(self.client, await read_schedule(self.client, before.document.id), self.identity)
        return _changed("resume", before, after).model_copy(update={"caught_up": started})

    async def _require_served(self, schedule_id: str, patch: SchedulePatch, proposed: Schedule) -> None:
        serving = self._serving()
        if serving is None or not {"workflow", "task_queue"} & patch.model_fields_set:
            return
        start = proposed.action.start_workflow
        if refusal := await serving.refusal(start.workflow_type.name, start.task_queue.name):
            raise InvalidInputError(
                f"Schedule {schedule_id!r} would start nothing: {refusal}. Nothing was changed.",
                schedule_id=schedule_id,
            )

    def _serving(self) -> Serving | None:
        return Serving(self.client, self.registrations) if self.serves else None


def matching(snapshot: ScheduleSnapshot, etag: str) -> ScheduleSnapshot:
    """Return the snapshot if it is what the caller saw.

    Raises:
        InvalidInputError: No ETag.
        ScheduleConflictError: It is not.
    """
    given = etag.removeprefix("W/").strip().strip('"')
    if not given:
        raise InvalidInputError(
            f"A change of schedule {snapshot.document.id!r} needs the ETag of what it was decided on. "
            f"Read the schedule and give its etag, or {ANY_ETAG!r} for whatever it is now."
        )
    if given not in {ANY_ETAG, snapshot.document.etag}:
        raise ScheduleConflictError.of(snapshot.document)
    return snapshot


def changes_nothing(before: ScheduleSnapshot, patch: SchedulePatch, proposed: Schedule) -> bool:
    """Whether a schedule is already what a patch would make of it."""
    return proposed == before.raw.schedule and (patch.cron is None or patch.cron == before.document.cron)


def patch_of(fields: Mapping[str, Any]) -> SchedulePatch:
    """Read a patch.

    Raises:
        InvalidInputError: With everything that is wrong with it.
    """
    return valid(SchedulePatch, fields, "The patch")


def valid(model: type[Model], fields: Mapping[str, Any], what: str) -> Model:
    """Build a model out of what was given, with an error for people."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        known = ", ".join(sorted(field.alias or name for name, field in model.model_fields.items()))
        said = "; ".join(
            ": ".join(
                filter(
                    None,
                    (
                        ".".join(map(str, one["loc"])),
                        f"there is no such field; there are {known}"
                        if one["type"] == "extra_forbidden"
                        else one["msg"].removeprefix("Value error, "),
                    ),
                )
            )
            for one in problems
        )
        raise InvalidInputError(f"{what} is not valid: {said}. Nothing was changed.") from None


def _cron_memo(patch: SchedulePatch, proposed: Schedule) -> dict[str, Any]:
    if patch.cron is not None:
        return {CRON_MEMO: cron_text(patch.cron, proposed.spec)}
    return {CRON_MEMO: None} if patch.forgets_cron else {}


def _unchanged(action: str, snapshot: ScheduleSnapshot) -> ScheduleChange:
    document = snapshot.document
    return ScheduleChange(schedule_id=document.id, action=action, changed=False, before=document, after=document)


def _changed(action: str, before: ScheduleSnapshot, after: ScheduleSnapshot) -> ScheduleChange:
    return ScheduleChange(
        schedule_id=before.document.id, action=action, changed=True, before=before.document, after=after.document
    )
