"""Plan, apply, and both at once."""

import asyncio
import copy
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Final, TypeVar

from temporalio.api.schedule.v1 import Schedule
from temporalio.api.workflowservice.v1 import DescribeScheduleResponse
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_errors import ApplicationError, ConfigurationError
from trenova_schedules._definition import ScheduleDefinition
from trenova_schedules._distinct import require_distinct
from trenova_schedules._previewing import fire_diff
from trenova_schedules._reconciling._deciding import Decider, Decision
from trenova_schedules._reconciling._found import describe, marks_of, owned_ids
from trenova_schedules._reconciling._plan import (
    AppliedReport,
    AppliedSchedule,
    Outcome,
    Plan,
    PlanKind,
    PlannedSchedule,
)
from trenova_schedules._reconciling._serving import Registrations, Serving
from trenova_schedules._reconciling._writing import apply_changes, create, delete, update

T = TypeVar("T")
R = TypeVar("R")
_AT_ONCE: Final = 8
_TRIES: Final = 20
_LONGEST_WAIT_S: Final = 0.5
_TIMES: Final = frozenset({"when", "timeZone", "startAt", "endAt"})


class Reconciler:
    """Makes the schedules of one owner what their definitions say, and touches no other.

    Any number of processes may do this at once, and any of them may be killed: each write is verified, one that lost
    against another is decided anew, and what is not done is done the next time.

    Args:
        client: Of the namespace in which the schedules belong.
        definitions: All of this owner's; what carries its mark and is not among them is orphaned.
        owner: As in every definition.
        registrations: Knows which workflows workers register; without it only queues are looked at.
        unserved: Take also schedules whose runs nobody would take, as when workers are deployed afterwards.
        overwrite: Ids of schedules of which the definition wins over whoever changed something.
        at_once: How many requests are under way.

    Raises:
        ConfigurationError: Two definitions share an id, or one has another owner.
    """

    def __init__(
        self,
        client: Client,
        definitions: Sequence[ScheduleDefinition],
        *,
        owner: str,
        registrations: Registrations | None = None,
        unserved: bool = False,
        overwrite: Collection[str] = (),
        at_once: int = _AT_ONCE,
    ) -> None:
        require_distinct(definitions)
        _require_owner(definitions, owner)
        self._client, self._owner, self._at_once = client, owner, at_once
        self._definitions = {one.id: one for one in definitions}
        serving = None if unserved else Serving(client, registrations)
        self._decider = Decider(client, owner, serving, overwrite)

    async def plan(self, *, days: int = 0) -> Plan:
        """Say what :meth:`apply` would do; nothing is changed.

        Args:
            days: For how many days ticks are compared where their times change; 0 for none.

        Raises:
            temporalio.service.RPCError: The server could not be asked.
        """

        async def one(definition: ScheduleDefinition) -> PlannedSchedule:
            return await self._planned(definition, days)

        planned = await self._each(self._definitions.values(), one)
        owned = await owned_ids(self._client, self._owner)
        orphaned = [PlannedSchedule(id=one, kind=PlanKind.ORPHANED) for one in owned if one not in self._definitions]
        return Plan(owner=self._owner, namespace=self._client.namespace, schedules=(*planned, *orphaned))

    async def apply(self, plan: Plan, *, prune: bool = False) -> AppliedReport:
        """Do what a plan says. Each schedule is looked at again first, so an old plan does no harm.

        Args:
            plan: Of the same definitions. What it leaves alone is not looked at.
            prune: Delete the orphaned schedules that still carry this owner's mark.

        Raises:
            ConfigurationError: The plan is another owner's, or of another namespace; nothing has been done.
        """
        if (plan.owner, plan.namespace) != (self._owner, self._client.namespace):
            raise ConfigurationError(
                f"The plan is that of {plan.owner!r} in namespace {plan.namespace!r}; this is {self._owner!r} in "
                f"{self._client.namespace!r}. Plan again.",
                owner=plan.owner,
            )

        async def one(planned: PlannedSchedule) -> AppliedSchedule:
            return await self._safely(planned, prune=prune)

        return AppliedReport(owner=self._owner, schedules=tuple(await self._each(plan.schedules, one)))

    async def reconcile(self) -> AppliedReport:
        """Plan and apply, without deleting anything."""
        return await self.apply(await self.plan())

    async def _planned(self, definition: ScheduleDefinition, days: int) -> PlannedSchedule:
        found = await describe(self._client, definition.id)
        decision = await self._decider.decide(definition, found)
        if not days or not _TIMES.intersection(change.field for change in decision.planned.changes):
            return decision.planned
        return await self._compared(decision, found, days)

    async def _compared(self, decision: Decision, found: DescribeScheduleResponse | None, days: int) -> PlannedSchedule:
        """Add how the ticks change."""
        after = Schedule() if found is None else copy.deepcopy(found.schedule)
        apply_changes(decision, after)
        try:
            before = None if found is None else found.schedule.spec
            fires = await fire_diff(self._client, before, after.spec, days=days)
        except ApplicationError as error:
            reason = f"{decision.planned.reason} How its ticks change is not known: {error.message}".strip()
            return decision.planned.model_copy(update={"reason": reason})
        return decision.planned.model_copy(update={"fires": None if fires.empty else fires})

    async def _safely(self, planned: PlannedSchedule, *, prune: bool) -> AppliedSchedule:
        """Apply one; what fails fails alone."""
        try:
            return await self._applied(planned, prune=prune)
        except (RPCError, ApplicationError) as error:
            return AppliedSchedule(id=planned.id, outcome=Outcome.FAILED, reason=error.message)

    async def _applied(self, planned: PlannedSchedule, *, prune: bool) -> AppliedSchedule:
        if planned.kind is PlanKind.ORPHANED:
            return await self._pruned(planned) if prune else _outcome(planned, Outcome.KEPT)
        if planned.kind not in {PlanKind.CREATE, PlanKind.UPDATE} or planned.id not in self._definitions:
            return _outcome(planned, _LEFT.get(planned.kind, Outcome.CURRENT))
        return await self._converged(self._definitions[planned.id])

    async def _converged(self, definition: ScheduleDefinition) -> AppliedSchedule:
        for attempt in range(_TRIES):
            found = await describe(self._client, definition.id)
            decision = await self._decider.decide(definition, found)
            if decision.planned.kind not in {PlanKind.CREATE, PlanKind.UPDATE}:
                return _outcome(decision.planned, _LEFT.get(decision.planned.kind, Outcome.CURRENT))
            if found is None and await create(self._client, decision, self._owner):
                return await self._looked_at(decision.planned, Outcome.CREATED)
            if found is not None and await update(self._client, decision, found):
                return await self._looked_at(decision.planned, Outcome.UPDATED)
            await asyncio.sleep(random.uniform(0, _LONGEST_WAIT_S) * attempt / _TRIES)  # noqa: S311 - no secret
        reason = f"others wrote it {_TRIES} times meanwhile; reconcile again"
        return AppliedSchedule(id=definition.id, outcome=Outcome.FAILED, reason=reason)

    async def _looked_at(self, planned: PlannedSchedule, outcome: Outcome) -> AppliedSchedule:
        found = await describe(self._client, planned.id)
        applied = _outcome(planned, outcome)
        never = found is not None and not found.info.future_action_times
        return applied.model_copy(update={"never_fires": never, "changes": planned.changes})

    async def _pruned(self, planned: PlannedSchedule) -> AppliedSchedule:
        found = await describe(self._client, planned.id)
        if found is not None and (await marks_of(self._client, found)).owner != self._owner:
            return _outcome(planned, Outcome.FOREIGN)
        await delete(self._client, planned.id)
        return _outcome(planned, Outcome.DELETED)

    async def _each(self, items: Iterable[T], do: Callable[[T], Awaitable[R]]) -> list[R]:
        limit = asyncio.Semaphore(self._at_once)

        async def one(item: T) -> R:
            async with limit:
                return await do(item)

        return list(await asyncio.gather(*(one(item) for item in items)))


_LEFT: Final = {PlanKind.FOREIGN: Outcome.FOREIGN, PlanKind.REFUSED: Outcome.REFUSED, PlanKind.ORPHANED: Outcome.KEPT}


def _require_owner(definitions: Sequence[ScheduleDefinition], owner: str) -> None:
    for one in definitions:
        if one.owner != owner:
            raise ConfigurationError(
                f"Schedule {one.id!r} belongs to {one.owner!r} and not to {owner!r}. Reconcile each owner by itself.",
                schedule_id=one.id,
            )


def _outcome(planned: PlannedSchedule, outcome: Outcome) -> AppliedSchedule:
    return AppliedSchedule(id=planned.id, outcome=outcome, overrides=planned.overrides, reason=planned.reason)
