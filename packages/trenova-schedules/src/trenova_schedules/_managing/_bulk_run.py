"""A bulk action from its filter to its receipt."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError
from trenova_schedules._managing._audit import Actor, AuditSink
from trenova_schedules._managing._auditing import audited, entry_of
from trenova_schedules._managing._bulk import UNDOABLE, Heard, done, expected_of, item_of, states_of
from trenova_schedules._managing._bulk_plan import BulkPlan
from trenova_schedules._managing._changing import ANY_ETAG, Changer, matching
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._managing._pausing import CatchUp, note_of
from trenova_schedules._managing._receipts import Receipt, ReceiptStore
from trenova_schedules._managing._results import BulkAction, BulkItem, BulkOutcome, BulkResult, ScheduleChange
from trenova_schedules._managing._triggering import trigger_run
from trenova_schedules._managing._undoing import Undoing
from trenova_schedules._reading import read_schedule


@dataclass(frozen=True, kw_only=True)
class BulkRun:
    """Does one action to many schedules.

    Attributes:
        changer: Does it to one.
        actor: Who asks.
        reason: Why.
        at_once: How many at a time.
        audit: Is told of each.
        receipts: Keeps what was changed.
        etags: Of what it was decided on, by id; one that has another by now is left alone. Those without count as they
            are.
        heard: Is told of each as soon as its outcome is known.
    """

    changer: Changer
    actor: Actor
    reason: str
    at_once: int
    audit: AuditSink | None
    receipts: ReceiptStore | None
    etags: Mapping[str, str] = field(default_factory=dict)
    heard: Heard | None = None

    async def plan(
        self, action: BulkAction, ids: Sequence[str], patch: SchedulePatch | None, catch_up: CatchUp
    ) -> BulkResult:
        """Say what would be done."""
        plan = BulkPlan(changer=self.changer, action=action, patch=patch, catch_up=catch_up, etags=self.etags)
        return BulkResult.of(action, await plan.of(ids, self.at_once, self.heard), dry_run=True)

    async def do(
        self, action: BulkAction, ids: Sequence[str], patch: SchedulePatch | None, catch_up: CatchUp
    ) -> BulkResult:
        """Do it. The receipt is kept before anything is done, and completed afterwards."""
        if action not in UNDOABLE:
            return BulkResult.of(action, await self._each(action, ids, patch, catch_up))
        whole = action is BulkAction.UPDATE
        before = await states_of(self.changer, ids, whole=whole, at_once=self.at_once)
        expected = await self._expected(action, list(before), patch)
        receipt = Receipt(
            action=action.value,
            actor=self.actor.told,
            reason=self.reason,
            items=tuple(item_of(one, state, expected.get(one)) for one, state in sorted(before.items())),
        )
        await self._keep(receipt)
        items = await self._each(action, ids, patch, catch_up)
        outcomes = {item.schedule_id: item.outcome for item in items}
        changed = [one for one in before if outcomes[one] is BulkOutcome.DONE]
        after = await states_of(self.changer, changed, whole=whole, at_once=self.at_once)
        # What failed has changed nothing, but for an outcome that nobody knows; an undo looks at it.
        touched = [one for one in before if outcomes[one] in {BulkOutcome.DONE, BulkOutcome.FAILED}]
        own = tuple(item_of(one, before[one], after.get(one)) for one in sorted(touched))
        receipt = receipt.model_copy(update={"items": own})
        await self._keep(receipt)
        return BulkResult.of(action, items, receipt=receipt if own else None)

    async def _expected(
        self, action: BulkAction, ids: Sequence[str], patch: SchedulePatch | None
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return what the action will make of each, so that one that was killed can be undone; not known: left out."""
        if action is BulkAction.UPDATE:
            return {} if patch is None else await expected_of(self.changer, ids, patch, self.at_once)
        pause = action is BulkAction.PAUSE
        state = {"paused": pause, "note": note_of(self.changer.who, self.reason, pause=pause)}
        return {one: state for one in ids}  # noqa: C420  # nobody changes it

    async def undo(self, receipt: Receipt, catch_up: CatchUp, *, dry_run: bool = False) -> BulkResult:
        """Make each schedule of a receipt what it was, unless somebody has changed it since; or say what would be."""
        undoing = Undoing(changer=self.changer, receipt=receipt, reason=self.reason, catch_up=catch_up)
        if dry_run:
            return BulkResult.of(BulkAction(receipt.action), await undoing.plan(self.at_once, self.heard), dry_run=True)

        async def tell(schedule_id: str, work: Callable[[], Awaitable[ScheduleChange]]) -> ScheduleChange:
            return await audited(self.audit, entry_of("undo", schedule_id, self.actor, self.reason), work)

        items = await undoing.do(tell, self.at_once, self.heard)
        result = BulkResult.of(BulkAction(receipt.action), items)
        complete = not {BulkOutcome.FAILED.value} & result.counts.keys()
        if self.receipts is not None and complete:
            await self.receipts.undone(receipt.id, actor=self.actor.told)
        return result

    async def _each(
        self, action: BulkAction, ids: Sequence[str], patch: SchedulePatch | None, catch_up: CatchUp
    ) -> list[BulkItem]:
        async def one(schedule_id: str) -> ScheduleChange:
            async def work() -> ScheduleChange:
                return await self._one(action, schedule_id, patch, catch_up)

            return await audited(self.audit, entry_of(action.value, schedule_id, self.actor, self.reason), work)

        return await done(ids, one, self.at_once, self.heard)

    async def _one(
        self, action: BulkAction, schedule_id: str, patch: SchedulePatch | None, catch_up: CatchUp
    ) -> ScheduleChange:
        etag = self.etags.get(schedule_id, ANY_ETAG)
        match action:
            case BulkAction.PAUSE:
                return await self.changer.pause(schedule_id, self.reason, etag)
            case BulkAction.RESUME:
                return await self.changer.resume(schedule_id, self.reason, etag, catch_up=catch_up)
            case BulkAction.DELETE:
                return await self.changer.delete(schedule_id, etag)
            case BulkAction.TRIGGER:
                if etag != ANY_ETAG:
                    matching(await read_schedule(self.changer.client, schedule_id), etag)
                await trigger_run(self.changer.client, schedule_id, overlap=None, identity=self.changer.identity)
                return ScheduleChange(schedule_id=schedule_id, action=action.value, changed=True)
            case BulkAction.UPDATE:
                if patch is None:
                    raise InvalidInputError("An update of many needs a patch. Give the fields to change.")
                return await self.changer.patch(schedule_id, patch, etag)

    async def _keep(self, receipt: Receipt) -> None:
        if self.receipts is not None:
            await self.receipts.keep(receipt)


async def found_receipt(receipts: ReceiptStore | None, receipt: Receipt | Mapping[str, Any] | str) -> Receipt:
    """Return a receipt, of which the id may be given where they are kept.

    Raises:
        ResourceNotFoundError: It is not kept.
        ConflictError: It was undone before.
    """
    if isinstance(receipt, Receipt):
        found: Receipt | None = receipt
    elif isinstance(receipt, str):
        found = None if receipts is None else await receipts.find(receipt)
    else:
        found = Receipt.model_validate(receipt)
    if found is None:
        raise ResourceNotFoundError.of("receipt", str(receipt))
    kept = found if receipts is None else await receipts.find(found.id) or found
    if kept.undone_at is not None:
        raise ConflictError(
            f"Receipt {found.id!r} was undone at {kept.undone_at.isoformat()} by {kept.undone_by}. There is no more.",
            receipt_id=found.id,
        )
    return found
