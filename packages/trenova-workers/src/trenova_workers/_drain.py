"""The end of the workers of a process: no new work, a grace for what runs, then cancellation, then a cut."""

import asyncio
import logging
import time
from typing import Any, TypedDict

from trenova_workers._interruption import Interruption
from trenova_workers._running import RunningActivities
from trenova_workers._tuning._checks import AFTER_GRACE_S

_log = logging.getLogger(__name__)

# How long activities may take to report their end after they were cut off.
_AFTER_CUT_S = 3.0
# What a process needs beside to close connections and end. Cancelled activities have the rest of AFTER_GRACE_S.
_CLOSING_S = 1.0
_SAY_EVERY_S = 10.0
# Without a server the SDK's last polls never end. Results that it has to deliver it gives up after about 5 s.
_UNANSWERED_S = 12.0
_LOOK_EVERY_S = 0.5

Ends = asyncio.Future[list[BaseException | None]]


class ForcedShutdownError(RuntimeError):
    """Activities were cut off (a second signal came, or they outlived grace and cancellation), or no server answered.

    ``exit_code`` is 128 + the signal, or 1 without one. Threads of activities may still run.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class DrainReport(TypedDict):
    """Where a drain stands: activities that still run, and the seconds until they are cancelled."""

    activities: int
    seconds_left: float


class Drain:
    """One drain from the request to the last activity.

    Args:
        running: The activities of the process.
        grace_s: Seconds after which the SDK cancels them.
    """

    def __init__(self, running: RunningActivities, grace_s: float) -> None:
        self._running = running
        self._grace_s = grace_s
        self._begun = time.monotonic()

    def report(self) -> DrainReport:
        """Return where it stands."""
        left = self._grace_s - (time.monotonic() - self._begun)
        return DrainReport(activities=len(self._running), seconds_left=round(max(0.0, left), 1))

    def begin(self, reason: str) -> None:
        """The workers stop polling now: count how activities end, and say so."""
        self._begun = time.monotonic()
        self._running.count_anew()
        _log.info("draining", extra={"reason": reason, "activities": len(self._running), "grace_s": self._grace_s})

    async def follow(self, interruption: Interruption, ended: Ends) -> ForcedShutdownError | None:
        """Return when the workers have ended, or the activities were cut off, or the server does not answer.

        Args:
            interruption: Its second request cuts them off at once.
            ended: Done when all workers have ended.
        """
        patience = self._grace_s + AFTER_GRACE_S - _AFTER_CUT_S - _CLOSING_S
        second = asyncio.create_task(interruption.second.wait())
        unanswered = asyncio.create_task(self._nothing_runs())
        saying = asyncio.create_task(self._say())
        either: set[asyncio.Future[Any]] = {ended, second, unanswered}
        await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        forced = None if ended.done() else await self._cut_off(interruption, ended)
        for task in (second, unanswered, saying):
            task.cancel()
        took = round(time.monotonic() - self._begun, 2)
        _log.info("drained", extra={**self._running.ended.facts(), "seconds": took})
        return forced

    async def _nothing_runs(self) -> None:
        """Return when nothing has run for so long that only the server can be what is waited for."""
        since = time.monotonic()
        while time.monotonic() - since < _UNANSWERED_S:
            await asyncio.sleep(_LOOK_EVERY_S)
            if len(self._running):
                since = time.monotonic()

    async def _say(self) -> None:
        while True:
            await asyncio.sleep(_SAY_EVERY_S)
            _log.info("still draining", extra={**self.report(), **self._running.ended.facts()})

    async def _cut_off(self, interruption: Interruption, ended: Ends) -> ForcedShutdownError:
        second = interruption.second.is_set()
        code = 128 + interruption.number if second else 1
        count = self._running.cut()
        if not count and not second:
            _log.warning("the server does not answer", extra={"waited_s": _UNANSWERED_S})
            return ForcedShutdownError(
                "Ended without the server, which did not answer: it tries again what it has not heard of.", code
            )
        why = f"second {interruption.reason}" if second else "activities outlived grace and cancellation"
        _log.warning("activities are cut off", extra={"reason": why, "activities": count})
        await asyncio.wait({ended}, timeout=_AFTER_CUT_S)
        return ForcedShutdownError(f"{count} activities were cut off: {why}.", code)
