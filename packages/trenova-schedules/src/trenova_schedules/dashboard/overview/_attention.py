"""What somebody has to look at now, the worst first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from temporalio.service import RPCError

from trenova_errors import ApplicationError
from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules.backfill import BackfillEntry, list_backfills
from trenova_schedules.dashboard.overview._concern import Concern, Kind, Severity
from trenova_schedules.dashboard.overview._described import Known
from trenova_schedules.dashboard.overview._fleet import Fleet
from trenova_schedules.dashboard.overview._ledger_concerns import ledger_concerns
from trenova_schedules.dashboard.overview._server_concerns import pause_concerns, server_concerns, worker_concerns
from trenova_schedules.server._api import Api
from trenova_schedules.store import AlertState, PauseInterval

_BEHIND: Final = timedelta(hours=1)
_PATIENCE: Final = 0.5
_BACKFILLS: Final = 200


@dataclass(frozen=True, kw_only=True)
class Attention:
    """What needs attention, and what it rests on.

    Attributes:
        concerns: The worst first.
        failing: Schedules that miss their objective, by id.
        known: The looks at schedules that it rests on.
        observed: When the ledger was filled last; None if never, or without a database.
        ledger: Whether there is a database.
        backfills: The newest backfill of a schedule that missed ticks, begun after the last of them, by id.
        trouble: Why the ledger could not be asked, in words; empty where it could.
    """

    concerns: Sequence[Concern]
    failing: Mapping[str, AlertState]
    known: Known
    observed: datetime | None
    ledger: bool
    backfills: Mapping[str, BackfillEntry] = field(default_factory=dict)
    trouble: str = ""

    @property
    def behind(self) -> bool:
        """Whether the ledger has not been filled for longer than it should take."""
        return self.ledger and (self.observed is None or datetime.now(UTC) - self.observed > _BEHIND)

    @property
    def ids(self) -> frozenset[str]:
        """The schedules that are broken or slipping; what is only held is not among them."""
        urgent = (one for one in self.concerns if one.level is not Severity.HELD)
        return frozenset(name for one in urgent for name in one.ids)

    def ids_of(self, kind: Kind) -> frozenset[str]:
        """The schedules of which one thing is wrong."""
        return frozenset(name for one in self.concerns if one.kind is kind for name in one.ids)

    @cached_property
    def kinds_by_id(self) -> Mapping[str, list[Kind]]:
        """What is wrong with each schedule, the worst first."""
        found: dict[str, list[Kind]] = {}
        for one in self.concerns:
            for name in one.ids:
                found.setdefault(name, []).append(one.kind)
        return found

    @property
    def levels(self) -> list[tuple[Severity, list[Concern]]]:
        """What there is of each severity, the worst first; those of which there is nothing are left out."""
        found = [(level, [one for one in self.concerns if one.level is level]) for level in Severity]
        return [(level, concerns) for level, concerns in found if concerns]

    @property
    def kinds(self) -> list[tuple[Kind, int]]:
        """How many schedules there are of each kind, in the order of the kinds."""
        found = Counter({kind: len(self.ids_of(kind)) for kind in Kind})
        return [(kind, found[kind]) for kind in Kind if found[kind]]


async def attention_of(api: Api, fleet: Fleet, lines: Sequence[ListedSchedule], known: Known) -> Attention:
    """Find what needs attention among schedules; a database that does not answer takes only its part away.

    Args:
        api: With the ledger, where there is one.
        fleet: What the process knows.
        lines: Those that the caller may look at.
        known: Looks at them.
    """
    store, now = api.store, datetime.now(UTC)
    ids = [line.id for line in lines]
    found: list[Concern] = []
    failing: dict[str, AlertState] = {}
    pauses: Mapping[str, PauseInterval] = {}
    observed, trouble = None, ""
    if store is not None:
        try:
            found, failing = await ledger_concerns(store, ids, now)
            observed = await store.ticks.observed()
            pauses = await store.versions.open_pauses()
        except ApplicationError as error:
            trouble = error.message
    found += worker_concerns(await fleet.workers.unserved(known.looks, within=_PATIENCE))
    found += server_concerns(lines, known.looks, failing, now)
    found += pause_concerns(lines, known.looks, pauses)
    return Attention(
        concerns=sorted(found, key=lambda one: one.rank),
        failing=failing,
        known=known,
        observed=observed,
        ledger=store is not None,
        backfills=await _backfills(api, [one for one in found if one.kind is Kind.MISSED]),
        trouble=trouble,
    )


async def _backfills(api: Api, missed: Sequence[Concern]) -> dict[str, BackfillEntry]:
    """Return what is being mended already: the ledger learns of it with its next harvest only."""
    found: dict[str, BackfillEntry] = {}
    until = {one.schedule_id: one.end for one in missed}
    if not until:
        return found
    try:
        async for one in list_backfills(api.client, limit=_BACKFILLS):
            end = until.get(one.schedule_id)
            if end is not None and one.started_at >= end:
                found.setdefault(one.schedule_id, one)
    except RPCError:  # then they are offered a second time, and a backfill passes over what has run
        return {}
    return found
