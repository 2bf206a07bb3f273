"""The management service: what the command line and the REST API share."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio.service import RPCError

from trenova_errors import ApplicationError, InvalidInputError
from trenova_schedules._definition import ScheduleDefinition
from trenova_schedules._managing._audit import Actor, AuditSink
from trenova_schedules._managing._auditing import audited, entry_of
from trenova_schedules._managing._bulk import Heard
from trenova_schedules._managing._bulk_run import BulkRun, found_receipt
from trenova_schedules._managing._changing import ANY_ETAG, Changer, patch_of
from trenova_schedules._managing._exporting import documents_of, imported
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listing import (
    bounded,
    find_schedules,
)
from trenova_schedules._managing._looking import ScheduleReader
from trenova_schedules._managing._patch import SchedulePatch, known_overlap
from trenova_schedules._managing._pausing import CatchUp, note_of, require_reason
from trenova_schedules._managing._receipts import Receipt, ReceiptStore
from trenova_schedules._managing._results import BulkAction, BulkItem, BulkOutcome, BulkResult, ScheduleChange
from trenova_schedules._managing._triggering import TriggeredRun, trigger_run
from trenova_schedules._reconciling._serving import Registrations


@dataclass(frozen=True, kw_only=True)
class ScheduleService(ScheduleReader):
    """Looks at schedules and changes them, so that no change of anybody is lost.

    A change that failed has changed nothing, unless the error is an ``AmbiguousOutcomeError``. Every change is
    verified on the server before it counts; see :class:`ScheduleConflictError` for who was second.

    Attributes:
        client: Of the namespace. Its data converter reads and writes memos.
        audit: Keeps who did what, also what was refused; None: nobody does.
        receipts: Keeps what bulk actions changed; None: only the result does.
        registry: Knows schedules without the server; for labels and queues in lists, and for 10,000 of them.
        registrations: Knows which workflows workers register.
        serves: Whether to refuse a schedule whose runs nobody would take.
        at_once: How many requests are under way at most, in lists with details and in bulk actions.
    """

    audit: AuditSink | None = None
    receipts: ReceiptStore | None = None
    registrations: Registrations | None = None
    serves: bool = True

    async def create(
        self, definition: ScheduleDefinition, *, actor: Actor, reason: str | None = None
    ) -> ScheduleChange:
        """Create a schedule, with the marks that the reconciler leaves.

        Raises:
            InvalidInputError: The server refuses it, it would never fire, or nobody would run it.
            ConflictError: There is one with this id.
        """

        async def work() -> ScheduleChange:
            return await self._changer(actor).create(definition)

        return await self._told("create", definition.id, actor, reason, work)

    async def patch(
        self,
        schedule_id: str,
        patch: SchedulePatch | Mapping[str, Any],
        *,
        etag: str,
        actor: Actor,
        reason: str | None = None,
    ) -> ScheduleChange:
        """Change what the patch names and leave the rest.

        Args:
            schedule_id: Of the schedule.
            patch: The fields, as a model or as they come off the wire.
            etag: Of what the change was decided on; ``*`` for whatever it is now.
            actor: Who asks.
            reason: Why.

        Raises:
            InvalidInputError: The patch is not valid, the server refuses it, or the schedule would never fire.
            ScheduleConflictError: Somebody else has changed it since; the error carries what it is now.
            ResourceNotFoundError: There is none with this id.
        """

        async def work() -> ScheduleChange:
            fields = patch if isinstance(patch, SchedulePatch) else patch_of(patch)
            return await self._changer(actor).patch(schedule_id, fields, etag)

        return await self._told("update", schedule_id, actor, reason, work)

    async def pause(self, schedule_id: str, *, reason: str, actor: Actor, etag: str = ANY_ETAG) -> ScheduleChange:
        """Pause a schedule; the note says who and why. One that is paused stays as it is.

        Raises:
            InvalidInputError: No reason.
            ScheduleConflictError: Somebody else has changed it since, or at the same time.
            ResourceNotFoundError: There is none with this id.
        """

        async def work() -> ScheduleChange:
            return await self._changer(actor).pause(schedule_id, require_reason(reason), etag)

        return await self._told("pause", schedule_id, actor, reason, work)

    async def resume(
        self,
        schedule_id: str,
        *,
        reason: str,
        actor: Actor,
        catch_up: CatchUp = CatchUp.NONE,
        confirmed: int | None = None,
        since: datetime | None = None,
        etag: str = ANY_ETAG,
    ) -> ScheduleChange:
        """Resume a schedule and start none, the last or all of the ticks that it has missed; each of them once.

        Killed in the middle, it goes on where it stopped when it is called again. Runs of a schedule that does not
        allow overlaps start one after another.

        Args:
            schedule_id: Of the schedule.
            reason: Why.
            actor: Who asks.
            catch_up: What to start.
            confirmed: How many runs the caller was shown; another number by now is a conflict.
            since: Where the caller knows better since when it has been paused.
            etag: Of what the change was decided on; ``*`` for whatever it is now.

        Raises:
            InvalidInputError: No reason, or more than 1,000 ticks to start.
            ConflictError: Another number of ticks than was confirmed, or somebody else has changed the schedule.
            ResourceNotFoundError: There is none with this id.
        """

        async def work() -> ScheduleChange:
            return await self._changer(actor).resume(
                schedule_id, require_reason(reason), etag, catch_up=catch_up, since=since, confirmed=confirmed
            )

        return await self._told("resume", schedule_id, actor, reason, work)

    async def trigger(
        self, schedule_id: str, *, actor: Actor, reason: str | None = None, overlap: str | None = None
    ) -> TriggeredRun:
        """Start a run now, of a paused schedule too, and wait until it is there. As many triggers, as many runs.

        Every trigger gets a second of its own, so that those of the same moment start a second apart.

        Args:
            schedule_id: Of the schedule.
            actor: Who asks.
            reason: Why.
            overlap: Another policy than the schedule's, for this run.

        Raises:
            InvalidInputError: No such policy.
            ResourceNotFoundError: There is none with this id.
            ThrottledError: It fires every second, or too many triggers wait.
        """

        async def work() -> TriggeredRun:
            policy = None if overlap is None else _overlap(overlap)
            return await trigger_run(self.client, schedule_id, overlap=policy, identity=_identity(actor))

        return await audited(self.audit, entry_of("trigger", schedule_id, actor, reason), work)

    async def delete(self, schedule_id: str, *, reason: str, actor: Actor, etag: str = ANY_ETAG) -> ScheduleChange:
        """Delete a schedule; runs under way go on. The result carries what it was.

        Raises:
            InvalidInputError: No reason.
            ScheduleConflictError: Somebody else has changed it since.
            ResourceNotFoundError: There is none with this id.
        """

        async def work() -> ScheduleChange:
            require_reason(reason)
            return await self._changer(actor).delete(schedule_id, etag)

        return await self._told("delete", schedule_id, actor, reason, work)

    async def bulk(
        self,
        action: BulkAction,
        wanted: ScheduleFilter,
        *,
        reason: str,
        actor: Actor,
        patch: SchedulePatch | Mapping[str, Any] | None = None,
        catch_up: CatchUp = CatchUp.NONE,
        dry_run: bool = False,
        everything: bool = False,
        most: int = 1000,
        etags: Mapping[str, str] | None = None,
        heard: Heard | None = None,
    ) -> BulkResult:
        """Do the same to every schedule that matches; what fails fails alone.

        Args:
            action: What.
            wanted: Which schedules. One that matches all of them needs ``everything``.
            reason: Why; a dry run needs none.
            actor: Who asks.
            patch: Of an update.
            catch_up: Of a resume.
            dry_run: Only say what would be done.
            everything: Let an empty filter stand.
            most: Refuse to touch more than these.
            etags: Of what it was decided on, by id, as the items of a dry run have them; one that has another by now
                is a conflict and is left alone.
            heard: Is told of each schedule as soon as its outcome is known.

        Returns:
            What became of each, and a receipt for :meth:`undo` where a pause, a resume or an update changed something.

        Raises:
            InvalidInputError: No reason, no patch, an empty filter, or more than ``most`` match; nothing was changed.
        """
        if wanted.is_empty and not everything:
            raise InvalidInputError(
                "The filter matches every schedule. Say that all are meant (--all), or narrow it. Nothing was changed."
            )
        if action is BulkAction.UPDATE and patch is None:
            raise InvalidInputError("An update of many needs a patch. Give the fields to change. Nothing was changed.")
        run = self._bulk_run(actor, reason if dry_run else require_reason(reason), etags, heard)
        fields = patch if patch is None or isinstance(patch, SchedulePatch) else patch_of(patch)
        lines = await find_schedules(self.client, wanted, registry=self.registry, live=True, at_once=self.at_once)
        ids = sorted(line.id for line in lines)
        if len(ids) > most:
            raise InvalidInputError(
                f"{len(ids)} schedules match; at most {most} may be changed at once. Narrow the filter or raise the "
                "limit. Nothing was changed."
            )
        return await (run.plan if dry_run else run.do)(action, ids, fields, catch_up)

    async def undo(
        self,
        receipt: Receipt | Mapping[str, Any] | str,
        *,
        reason: str,
        actor: Actor,
        catch_up: CatchUp = CatchUp.NONE,
        dry_run: bool = False,
        heard: Heard | None = None,
    ) -> BulkResult:
        """Make each schedule of a receipt what it was before; one that somebody has changed since is left as it is.

        Args:
            receipt: Of a bulk action, or its id where receipts are kept.
            reason: Why; a dry run needs none.
            actor: Who asks.
            catch_up: What to start of the ticks that a pause, which is undone, has missed.
            dry_run: Only say what would become of each.
            heard: Is told of each schedule as soon as its outcome is known.

        Raises:
            ResourceNotFoundError: The receipt is not kept.
            ConflictError: It was undone before.
        """
        run = self._bulk_run(actor, reason if dry_run else require_reason(reason), heard=heard)
        return await run.undo(await found_receipt(self.receipts, receipt), catch_up, dry_run=dry_run)

    async def import_(
        self, exchanged: Any, *, actor: Actor, reason: str, active: bool = False, dry_run: bool = False
    ) -> tuple[BulkItem, ...]:
        """Create the schedules of an export; those that exist are left as they are, and what fails fails alone.

        Args:
            exchanged: The export.
            actor: Who asks.
            reason: Why.
            active: Let those fire that fired when they were exported. Otherwise all are created paused: where the
                first ones still fire, every job would run twice.
            dry_run: Only say what would be done.

        Raises:
            InvalidInputError: It is no export, or there is no reason; nothing was changed.
        """
        told, documents = require_reason(reason), documents_of(exchanged)
        note = None if active else note_of(actor.told, told, pause=True)

        async def one(document: Mapping[str, Any]) -> BulkItem:
            schedule_id = str(document.get("id", ""))[:1000]

            async def work() -> BulkItem:
                return await imported(self.client, document, _identity(actor), note=note, dry_run=dry_run)

            sink = None if dry_run else self.audit
            try:
                return await audited(sink, entry_of("import", schedule_id, actor, told), work)
            except (ApplicationError, RPCError) as error:
                return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.FAILED, reason=error.message)

        return tuple(await bounded(self.at_once, documents, one))

    def _changer(self, actor: Actor) -> Changer:
        return Changer(self.client, _identity(actor), actor.told, self.serves, self.registrations)

    def _bulk_run(
        self, actor: Actor, reason: str, etags: Mapping[str, str] | None = None, heard: Heard | None = None
    ) -> BulkRun:
        return BulkRun(
            changer=self._changer(actor),
            actor=actor,
            reason=reason,
            at_once=self.at_once,
            audit=self.audit,
            receipts=self.receipts,
            etags=etags or {},
            heard=heard,
        )

    async def _told(
        self,
        action: str,
        schedule_id: str,
        actor: Actor,
        reason: str | None,
        work: Callable[[], Awaitable[ScheduleChange]],
    ) -> ScheduleChange:
        return await audited(self.audit, entry_of(action, schedule_id, actor, reason), work)


def _identity(actor: Actor) -> str:
    return f"{actor.told} via trenova-schedules"


def _overlap(name: str) -> str:
    try:
        return known_overlap(name)
    except ValueError as error:
        raise InvalidInputError(f"{error}. Nothing was changed.") from None
