"""How the work of one version goes: runs that ended, workflow tasks and activities, each counted good and bad.

Runs come from visibility (``TemporalWorkerDeploymentVersion`` and ``ExecutionStatus``): completed and continued ones
are good, failed and timed out ones bad; cancelled and terminated ones are somebody's wish. A run whose workflow tasks
fail does not end, and one whose first task fails is on no version yet, so visibility shows neither; the workers
themselves count workflow tasks, and attempts of activities, in their heartbeats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.client import Client

from trenova_workers._fleet._server import heartbeats
from trenova_workers.deploy._reading import on_version

RUNS: Final = "runs"
WORKFLOW_TASKS: Final = "workflow tasks"
ACTIVITIES: Final = "activity attempts"
SIGNALS: Final = (RUNS, WORKFLOW_TASKS, ACTIVITIES)

_GOOD: Final = frozenset({"Completed", "ContinuedAsNew"})
_BAD: Final = frozenset({"Failed", "TimedOut"})


@dataclass(frozen=True)
class Counts:
    """What ended, and how much of it badly."""

    total: int = 0
    bad: int = 0

    @property
    def share(self) -> float:
        """Of bad ones, 0 to 1; 0 of none."""
        return self.bad / self.total if self.total else 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.total + other.total, self.bad + other.bad)

    def since(self, before: "Counts") -> "Counts":
        """Return what came since; what the server has forgotten meanwhile does not count below 0."""
        total = max(0, self.total - before.total)
        return Counts(total, min(total, max(0, self.bad - before.bad)))


Outcomes = Mapping[str, Counts]
"""By signal, of one version."""


@dataclass
class OutcomeWatch:
    """Counts what comes of the work of some versions from the first look on.

    Args:
        client: Of the namespace.
        deployment: Name of the deployment.
        builds: Of the versions.
        queues: That their workers poll.
    """

    client: Client
    deployment: str
    builds: tuple[str, ...]
    queues: frozenset[str]
    _runs: dict[str, Counts] = field(default_factory=dict)
    _first: dict[tuple[str, str], Counts] = field(default_factory=dict)
    _last: dict[tuple[str, str], tuple[str, Counts]] = field(default_factory=dict)
    _ended_ever: dict[str, Counts] = field(default_factory=dict)
    _began: bool = False

    async def look(self) -> dict[str, dict[str, Counts]]:
        """Return, by build and signal, what ended since the first look; nothing in the first.

        Raises:
            ConfigurationError: The server does not tell us.
            RPCError: The server cannot be asked.
        """
        runs = {build: await self._ended(build) for build in self.builds}
        self._count_tasks(await heartbeats(self.client, self.queues))
        self._ended_ever = runs
        for build in self.builds:
            self._runs.setdefault(build, runs[build])
        self._began = True
        return {build: {RUNS: runs[build].since(self._runs[build]), **self._tasks(build)} for build in self.builds}

    def ever(self, build: str) -> dict[str, Counts]:
        """Return what ended on a version before and since the first look, as far as server and workers remember."""
        return {RUNS: self._ended_ever.get(build, Counts()), **self._tasks(build, whole=True)}

    async def _ended(self, build: str) -> Counts:
        answer = await self.client.count_workflows(f"{on_version(self.deployment, build)} GROUP BY ExecutionStatus")
        counts = {str(group.group_values[0]): group.count for group in answer.groups}
        bad = sum(count for status, count in counts.items() if status in _BAD)
        return Counts(bad + sum(count for status, count in counts.items() if status in _GOOD), bad)

    def _count_tasks(self, beats: list[WorkerHeartbeat]) -> None:
        """Keep the last totals of each worker: one that has ended meanwhile did what it did."""
        for beat in beats:
            version = beat.deployment_version
            if version.deployment_name != self.deployment or version.build_id not in self.builds:
                continue
            infos = {WORKFLOW_TASKS: beat.workflow_task_slots_info, ACTIVITIES: beat.activity_task_slots_info}
            for signal, info in infos.items():
                key = (beat.worker_instance_key, signal)
                counts = Counts(info.total_processed_tasks, info.total_failed_tasks)
                self._last[key] = version.build_id, counts
                self._first.setdefault(key, Counts() if self._began else counts)  # a worker that came later began at 0

    def _tasks(self, build: str, *, whole: bool = False) -> dict[str, Counts]:
        found = {WORKFLOW_TASKS: Counts(), ACTIVITIES: Counts()}
        for key, (own, counts) in self._last.items():
            if own == build:
                found[key[1]] = found[key[1]] + (counts if whole else counts.since(self._first[key]))
        return found
