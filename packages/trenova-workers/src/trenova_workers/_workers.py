"""One SDK worker per queue, started together and drained together."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.worker import Worker

from trenova_workers._cut import Cut
from trenova_workers._interruption import Interruption
from trenova_workers._options import WorkerOptions
from trenova_workers._service import Work

_log = logging.getLogger(__name__)

# After the grace the SDK cancels activities; one that ignores this must not keep the process.
_AFTER_GRACE_S = 10.0
# How long activities may take to report their end after the second signal.
_AFTER_CUT_S = 5.0


class ForcedShutdownError(RuntimeError):
    """Activities were cut off: a second signal came, or they outlived grace and cancellation.

    ``exit_code`` is 128 + the signal, or 1 without one. Threads of activities may still run.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def make_runtime(options: WorkerOptions) -> Runtime:
    """Return the SDK's runtime: heartbeats as told, its log to Python's (its own goes to stdout)."""
    forwarding = LogForwardingConfig(
        logger=logging.getLogger("temporalio.core"),
        append_target_to_name=False,
        prepend_target_on_message=False,
        # Among them is the whole failure of a workflow task, with the message of an exception.
        append_log_fields_to_message=False,
    )
    levels = TelemetryFilter(core_level="WARN", other_level="ERROR")
    return Runtime(
        telemetry=TelemetryConfig(logging=LoggingConfig(filter=levels, forwarding=forwarding)),
        worker_heartbeat_interval=timedelta(seconds=options.heartbeat_interval_s),
    )


class Workers:
    """The workers of one process.

    Each needs a client of its own: the SDK reports the first worker's identity for all that share one.
    """

    def __init__(self, clients: Sequence[tuple[str, Client]], work: Work, options: WorkerOptions) -> None:
        self._options = options
        self._cut = Cut()
        self._executor = ThreadPoolExecutor(
            max_workers=options.max_activities * len(clients), thread_name_prefix="activity"
        )
        self.workers = [
            Worker(
                client,
                task_queue=queue,
                workflows=list(work.workflows),
                activities=list(work.activities),
                activity_executor=self._executor,
                interceptors=[self._cut],
                **options.worker_arguments(),
            )
            for queue, client in clients
        ]
        self._running: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to poll."""
        self._running = {asyncio.create_task(w.run(), name=f"worker {w.task_queue}") for w in self.workers}

    async def wait(self, interruption: Interruption) -> None:
        """Return when a stop is asked for or a worker has failed."""
        asked = asyncio.create_task(interruption.first.wait())
        await asyncio.wait({asked, *self._running}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()

    async def drain(self, interruption: Interruption) -> None:
        """Stop polling and let activities finish within the grace; a second request cuts them off.

        Raises:
            ForcedShutdownError: Activities were cut off.
            Exception: The first failure of a worker.
        """
        stopping = asyncio.gather(*(w.shutdown() for w in self.workers))
        second = asyncio.create_task(interruption.second.wait())
        ended = asyncio.gather(*self._running, return_exceptions=True)
        patience = self._options.graceful_shutdown_s + _AFTER_GRACE_S
        either: set[asyncio.Future[Any]] = {ended, second}
        await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        forced: ForcedShutdownError | None = None
        if not ended.done():
            forced = await self._force(interruption, ended)
        self._executor.shutdown(wait=forced is None, cancel_futures=True)
        second.cancel()
        stopping.cancel()
        ended.cancel()
        if forced:
            raise forced
        for result in ended.result():
            if isinstance(result, BaseException):
                raise result

    async def _force(
        self, interruption: Interruption, ended: asyncio.Future[list[BaseException | None]]
    ) -> ForcedShutdownError:
        count = self._cut.now()
        second = interruption.second.is_set()
        why = f"second {interruption.reason}" if second else "activities outlived grace and cancellation"
        _log.warning("activities are cut off", extra={"reason": why, "activities": count})
        await asyncio.wait({ended}, timeout=_AFTER_CUT_S)
        return ForcedShutdownError(
            f"{count} activities were cut off: {why}.", 128 + interruption.number if second else 1
        )
