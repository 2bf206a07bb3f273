"""One SDK worker per queue, started together and drained together."""

import asyncio
from collections.abc import Sequence

from temporalio.client import Client
from temporalio.worker import Worker

from trenova_errors import ConfigurationError
from trenova_workers._behaviors import behaviors_plugins
from trenova_workers._deployment import deployment_config
from trenova_workers._drain import Drain, DrainReport
from trenova_workers._history import HistoryMonitor
from trenova_workers._interruption import Interruption
from trenova_workers._options import WorkerOptions
from trenova_workers._running import RunningActivities
from trenova_workers._service import Work
from trenova_workers._tuning._arguments import worker_arguments
from trenova_workers._tuning._checks import LEAST_GRACE_S
from trenova_workers._tuning._executors import Executors, more_slots_than_processes
from trenova_workers._tuning._slots import ResizableSlots, SlotKind
from trenova_workers._tuning._tuner import make_tuning, most_activities, slot_key, slots_of


class Workers:
    """The workers of one process.

    Each needs a client of its own: the SDK reports the first worker's identity for all that share one.
    """

    def __init__(
        self, clients: Sequence[tuple[str, Client]], work: Work, options: WorkerOptions, *, service: str = "worker"
    ) -> None:
        """Make one worker per queue.

        Args:
            clients: A queue and its client, each.
            work: What every worker registers.
            options: Grace and build as they are to be; without them the least grace, and no build of our own.
            service: The server's name for the deployment that the build is of, unless the options name it.

        Raises:
            ConfigurationError: A versioned worker lacks its build, or a workflow does not say how its runs move.
        """
        grace_s = LEAST_GRACE_S if options.graceful_shutdown_s is None else options.graceful_shutdown_s
        self._most = most_activities(options)
        activities = RunningActivities(work.goes_on)
        self._drain = Drain(activities, grace_s)
        self._executors = Executors(options.activity_executor, self._most * len(clients))
        self._tunings = [make_tuning(options) for _ in clients]
        deployment = deployment_config(options.deployment, service, options.build_id)
        behaviors = behaviors_plugins(work.workflows, versioned=options.deployment.versioned)
        watching = [HistoryMonitor(options.history)] if options.history.measure else []
        with more_slots_than_processes():
            self.workers = [
                Worker(
                    client,
                    task_queue=queue,
                    workflows=list(work.workflows),
                    activities=list(work.activities),
                    interceptors=[activities, *watching],
                    tuner=tuning.tuner,
                    deployment_config=deployment,
                    plugins=behaviors,
                    **self._executors.arguments(),
                    **worker_arguments(options, grace_s),
                )
                for (queue, client), tuning in zip(clients, self._tunings, strict=True)
            ]
        self._running: set[asyncio.Task[None]] = set()

    @property
    def resizable(self) -> set[SlotKind]:
        """The kinds of slots that `resize` changes."""
        return set(self._tunings[0].resizable)

    def resize(self, options: WorkerOptions) -> dict[str, int]:
        """Give every worker as many slots as ``options`` say, of those kinds that are resizable here and there.

        Returns:
            The new number of each kind that changed.

        Raises:
            ConfigurationError: There are no threads for so many activities; nothing has changed then.
        """
        wanted = {
            kind: slots.slots
            for kind, slots in slots_of(options).items()
            if kind in self.resizable and isinstance(slots, ResizableSlots)
        }
        if (activities := wanted.get("activities", 0)) > self._most:
            raise ConfigurationError(
                f"'worker.{slot_key(options, 'activities')}': {activities} is above worker.tuner.ceiling "
                f"({self._most}) with which this process started. Set it to at most {self._most}, or restart."
            )
        changed: dict[str, int] = {}
        for tuning in self._tunings:
            for kind, size in wanted.items():
                if tuning.resizable[kind].size != size:
                    tuning.resizable[kind].resize(size)
                    changed[kind] = size
        return changed

    def start(self) -> None:
        """Begin to poll."""
        self._running = {asyncio.create_task(w.run(), name=f"worker {w.task_queue}") for w in self.workers}

    async def wait(self, interruption: Interruption) -> None:
        """Return when a stop is asked for or a worker has failed."""
        asked = asyncio.create_task(interruption.first.wait())
        await asyncio.wait({asked, *self._running}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()

    def drain_report(self) -> DrainReport:
        """Return how many activities run, and how long they may once the drain has begun."""
        return self._drain.report()

    async def drain(self, interruption: Interruption, reason: str) -> None:
        """Stop polling and let activities finish within the grace; a second request cuts them off.

        Args:
            interruption: Who asks.
            reason: Why, for the log.

        Raises:
            ForcedShutdownError: Activities were cut off.
            Exception: The first failure of a worker.
        """
        self._drain.begin(reason)
        stopping = asyncio.gather(*(w.shutdown() for w in self.workers))
        ended = asyncio.gather(*self._running, return_exceptions=True)
        forced = await self._drain.follow(interruption, ended)
        self._executors.shutdown(wait=forced is None)
        stopping.cancel()
        ended.cancel()
        if forced:
            raise forced
        for result in ended.result():
            if isinstance(result, BaseException):
                raise result
