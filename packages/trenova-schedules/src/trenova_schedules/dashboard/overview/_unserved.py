"""Schedules whose runs nobody would take: no worker polls their queue, or none registers their workflow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.client import Client

from trenova_schedules._reconciling._serving import Registrations, Serving
from trenova_schedules.dashboard.overview._backlog import Backlog
from trenova_schedules.dashboard.overview._described import Described

_FRESH: Final = timedelta(minutes=1)
_AT_ONCE: Final = 4


@dataclass(frozen=True, kw_only=True)
class Unserved:
    """Schedules of one queue that have no worker.

    Attributes:
        queue: The task queue.
        why: What is missing, and what mends it.
        ids: Of the schedules, sorted; only of those that are not paused.
    """

    queue: str
    why: str
    ids: tuple[str, ...]


class Workers:
    """What is known of workers, kept for a minute.

    Args:
        client: Of the namespace.
        registrations: Knows which workflows are registered; None where nobody does.
    """

    def __init__(self, client: Client, registrations: Registrations | None) -> None:
        self._client, self._registrations = client, registrations
        self._refusals: dict[tuple[str, str], tuple[datetime, str | None]] = {}
        self._backlog = Backlog(self._ask, at_once=_AT_ONCE)

    async def unserved(self, looks: Mapping[str, Described], *, within: float) -> list[Unserved]:
        """Return who has no worker, by queue; a queue that is not known yet is asked about meanwhile.

        Args:
            looks: Of the schedules, by id.
            within: How many seconds to wait for queues that nobody has asked about.
        """
        now = datetime.now(UTC)
        active = {name: look.document for name, look in looks.items() if not look.document.paused}
        pairs = {(one.task_queue, one.workflow) for one in active.values()}
        new = [pair for pair in pairs if pair not in self._refusals]
        self._backlog.add([*new, *self._old(pairs, now)])
        if new:
            await self._backlog.settle(within)
        found: dict[tuple[str, str], list[str]] = {}
        for name, document in active.items():
            _, why = self._refusals.get((document.task_queue, document.workflow), (now, None))
            if why is not None:
                found.setdefault((document.task_queue, why), []).append(name)
        return [Unserved(queue=queue, why=why, ids=tuple(sorted(ids))) for (queue, why), ids in sorted(found.items())]

    def _old(self, pairs: Iterable[tuple[str, str]], now: datetime) -> list[tuple[str, str]]:
        return [pair for pair in pairs if pair in self._refusals and now - self._refusals[pair][0] > _FRESH]

    async def _ask(self, pair: tuple[str, str]) -> None:
        queue, workflow = pair
        why = await Serving(self._client, self._registrations).refusal(workflow, queue)
        self._refusals[pair] = datetime.now(UTC), why
