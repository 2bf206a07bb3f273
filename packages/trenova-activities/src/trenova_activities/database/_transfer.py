"""The activities that move shipments to another customer: the steps, and how each is undone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from temporalio import activity

from trenova_activities._heartbeats import Heartbeats, heartbeats
from trenova_activities._names import (
    TRANSFER_CANCEL_ACTIVITY,
    TRANSFER_COPY_ACTIVITY,
    TRANSFER_RELEASE_ACTIVITY,
    TRANSFER_RESERVE_ACTIVITY,
    TRANSFER_RESTORE_ACTIVITY,
    TRANSFER_SHIPMENTS_JOB,
    TRANSFER_VERIFY_ACTIVITY,
    TRANSFER_WITHDRAW_ACTIVITY,
)
from trenova_activities._saga_contract import StepOutcome
from trenova_activities._transfer_contract import (
    ReservedTransfer,
    TransferCall,
    TransferShipmentsResult,
    TransferStepDone,
)
from trenova_activities.database._catalog import Catalog
from trenova_activities.database._engine import Database
from trenova_activities.database._idempotency import IdempotencyKey
from trenova_activities.database._pro_numbers import ProNumberOptions
from trenova_activities.database._requirements import ready_catalog
from trenova_activities.database._scope import Scope
from trenova_activities.database._tenant import Tenant
from trenova_activities.database._transfer_ledger import TransferBook, TransferLedger
from trenova_activities.database._transfer_steps import TransferSteps
from trenova_activities.database._transfer_undo import TransferUndo, kept_copies, kept_sources
from trenova_errors import AmbiguousOutcomeError, ApplicationError, ConflictError, RetryableError


@dataclass(frozen=True)
class _Work:
    """One transaction of one transfer."""

    scope: Scope
    book: TransferBook
    call: TransferCall
    workflow_id: str
    beats: Heartbeats

    @property
    def undo(self) -> TransferUndo:
        return TransferUndo(self.scope, self.call, self.workflow_id)

    @property
    def is_ours(self) -> bool:
        """Whether no other run of the request has taken over."""
        return self.book.ledger.run_id == self.call.run_id


class TransferActivities:
    """The transfer of shipments to another customer.

    Args:
        database: The TMS's database.
        catalog: Its tables, as reflected when the worker started.
        pro_numbers: How the numbers of each organization look.
    """

    def __init__(self, database: Database, catalog: Catalog, pro_numbers: ProNumberOptions | None = None) -> None:
        self._database = database
        self._catalog = catalog
        self._pro_numbers = pro_numbers or ProNumberOptions()

    @classmethod
    async def open(cls, database: Database, pro_numbers: ProNumberOptions | None = None) -> Self:
        """Read the database and refuse one that lacks something the job needs.

        Raises:
            ConfigurationError: With everything that is lacking.
        """
        return cls(database, await ready_catalog(database, TRANSFER_SHIPMENTS_JOB), pro_numbers)

    @property
    def activities(self) -> list[Callable[..., Awaitable[object]]]:
        """All of them, for a worker."""
        steps: list[Callable[..., Awaitable[object]]] = [self.reserve, self.copy, self.cancel]
        return [*steps, self.verify, self.restore, self.withdraw, self.release]

    @activity.defn(name=TRANSFER_RESERVE_ACTIVITY)
    async def reserve(self, call: TransferCall) -> ReservedTransfer:
        """Take the key, check the request and reserve pro numbers, or return the result that the key has.

        Raises:
            ConflictError: The key was used for another request, by a run that is not finished, or by one that could
                not be undone.
            ResourceNotFoundError: The tenant has no such shipment, customer or user.
            InvalidInputError: A shipment is finished, or belongs to that customer already.
        """
        stuck: ApplicationError | None = None
        async with self._work(call) as work:
            ledger = work.book.ledger
            if ledger.done:
                return ReservedTransfer(count=0, known=ledger.result)
            if not work.is_ours:
                ledger, stuck = await _take_over(work)
            elif ledger.undoing:
                raise ConflictError("This transfer was given up already. Start it again under its key.")
            if stuck is None:
                ledger = await self._steps(work).reserve(ledger)
            await work.book.write(ledger)
        if stuck is not None:
            raise stuck
        return ReservedTransfer(count=len(ledger.numbers))

    @activity.defn(name=TRANSFER_COPY_ACTIVITY)
    async def copy(self, call: TransferCall) -> TransferStepDone:
        """Copy the shipments for the other customer, all of them or none.

        Raises:
            ConflictError: The transfer was given up.
            InvalidInputError: A source was finished meanwhile.
        """
        async with self._work(call) as work:
            ledger = await self._steps(work).copy(work.book.ledger)
            await work.book.write(ledger)
        return TransferStepDone(count=len(ledger.moved))

    @activity.defn(name=TRANSFER_CANCEL_ACTIVITY)
    async def cancel(self, call: TransferCall) -> TransferShipmentsResult:
        """Cancel the sources, all of them or none; the transfer is done then.

        Raises:
            ConflictError: A source was changed since it was copied, or the transfer was given up.
        """
        async with self._work(call) as work:
            ledger = await self._steps(work).cancel(work.book.ledger)
            await work.book.write(ledger)
        if ledger.result is None:  # the step sets it
            raise ConflictError("This transfer was given up already. Start it again under its key.")
        return ledger.result

    @activity.defn(name=TRANSFER_VERIFY_ACTIVITY)
    async def verify(self, call: TransferCall) -> StepOutcome:
        """Say whether a step took effect; afterwards no step of this run does."""
        async with self._work(call) as work:
            if not work.is_ours:
                return StepOutcome(done=False)
            ledger = work.book.ledger.but(undoing=True)
            await work.book.write(ledger.but(closed=ledger.closed or not ledger.numbers))
        return StepOutcome(done=ledger.reached(call.step))

    @activity.defn(name=TRANSFER_RESTORE_ACTIVITY)
    async def restore(self, call: TransferCall) -> TransferStepDone:
        """Put the sources back.

        Raises:
            CompensationConflictError: Somebody changed some of them since; the others are put back.
        """
        ledger = await self._undone(call, lambda work: work.undo.restore(work.book.ledger))
        if (kept := kept_sources(ledger)) is not None:
            raise kept
        return TransferStepDone(count=len(ledger.moved) if ledger.restored else 0)

    @activity.defn(name=TRANSFER_WITHDRAW_ACTIVITY)
    async def withdraw(self, call: TransferCall) -> TransferStepDone:
        """Cancel the copies.

        Raises:
            CompensationConflictError: Somebody changed some of them since; the others are canceled.
        """
        ledger = await self._undone(call, lambda work: work.undo.withdraw(work.book.ledger))
        if (kept := kept_copies(ledger)) is not None:
            raise kept
        return TransferStepDone(count=len(ledger.moved) if ledger.withdrawn else 0)

    @activity.defn(name=TRANSFER_RELEASE_ACTIVITY)
    async def release(self, call: TransferCall) -> TransferStepDone:
        """Set the key free, so that the request can be made again; the reserved numbers stay unused.

        What a late attempt of a step has done although the step was taken for failed is undone here.
        """
        ledger = await self._undone(call, lambda work: work.undo.release(work.book.ledger))
        return TransferStepDone(count=len(ledger.numbers))

    async def _undone(self, call: TransferCall, undo: Callable[[_Work], Awaitable[TransferLedger]]) -> TransferLedger:
        async with self._work(call) as work:
            ledger = work.book.ledger
            if work.is_ours:
                ledger = await undo(work)
                await work.book.write(ledger)
        return ledger

    def _steps(self, work: _Work) -> TransferSteps:
        form = self._pro_numbers.format_of(work.call.organization_id)
        return TransferSteps(work.scope, work.book, work.call, form, work.beats.stage)

    @asynccontextmanager
    async def _work(self, call: TransferCall) -> AsyncIterator[_Work]:
        """Open the transaction of one activity, with the ledger locked.

        Raises:
            RetryableError: The commit's outcome is unknown; the next attempt reads it in the ledger.
        """
        key = _key(call)
        fresh = TransferLedger(workflow_id=key.workflow_id, run_id=call.run_id)
        table = self._database.jobs.idempotency_keys
        async with heartbeats() as beats:
            try:
                async with self._database.write() as connection:
                    at = await self._database.clock(connection)
                    book = await TransferBook.open(connection, table, key, fresh=fresh, at=at)
                    scope = Scope(connection, self._catalog, key.tenant, at)
                    yield _Work(scope, book, call, key.workflow_id, beats)
                    beats.stage("committing")
            except AmbiguousOutcomeError as error:
                raise RetryableError(
                    "The connection was lost during the commit; the next attempt finds out."
                ) from error


def _key(call: TransferCall) -> IdempotencyKey:
    info = activity.info()
    workflow_id = info.workflow_id or info.activity_id
    return IdempotencyKey(
        tenant=Tenant(call.organization_id, call.business_unit_id),
        job_type=TRANSFER_SHIPMENTS_JOB,
        key=call.idempotency_key or workflow_id,
        digest=call.digest(),
        workflow_id=workflow_id,
    )


async def _take_over(work: _Work) -> tuple[TransferLedger, ApplicationError | None]:
    """Go on with what an earlier run of the request left, or begin anew where it was undone.

    Returns:
        The ledger to go on with, and why nothing can go on.

    Raises:
        ConflictError: The other run is not ours to take over.
    """
    ledger = work.book.ledger
    if ledger.workflow_id != work.workflow_id and not ledger.closed:
        raise ConflictError(
            f"The workflow {ledger.workflow_id!r} is at work under this key, or was ended in the middle of it. "
            "Wait for it, or start it again under its own id.",
            workflow_id=ledger.workflow_id,
        )
    if ledger.undoing and not ledger.closed:
        ledger = await work.undo.release(ledger)
        if not ledger.closed:
            return ledger, _stuck(ledger)
    if ledger.closed:
        return TransferLedger(workflow_id=work.workflow_id, run_id=work.call.run_id), None
    return ledger.but(run_id=work.call.run_id), None


def _stuck(ledger: TransferLedger) -> ConflictError:
    kept = [*ledger.kept_sources, *ledger.kept_copies]
    return ConflictError(
        f"An earlier transfer under this key could not be undone: {', '.join(kept[:10])} had been changed meanwhile. "
        "Put these shipments right, and start the transfer under a new key.",
        workflow_id=ledger.workflow_id,
    )
