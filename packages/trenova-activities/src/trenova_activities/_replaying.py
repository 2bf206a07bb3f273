"""Replay histories with the workflows of today: which replay, which do not, and which cannot be read."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Plugin, Replayer

from trenova_activities._replay_codec import NotingPlugin, Unread

_RUN_BY_WORKERS: Final = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
_MESSAGES: Final = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
_UNKNOWN_ENCODING: Final = re.compile(r"Unknown payload encoding [\w./+-]+")


class Verdict(StrEnum):
    """What came of one history."""

    REPLAYS = "replays"
    DIFFERS = "DIFFERS"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Recorded:
    """A history and where it is from."""

    source: str
    """A file, or workflow id and run id."""
    history: WorkflowHistory | None
    problem: str = ""
    """Why there is no history."""

    @property
    def workflow_type(self) -> str:
        """The wire name of the workflow; empty without a history."""
        if self.history is None:
            return ""
        return self.history.events[0].workflow_execution_started_event_attributes.workflow_type.name


Fetch = Callable[[], Awaitable[Recorded | None]]


@dataclass(frozen=True)
class Replayed:
    """What came of one history, and why."""

    recorded: Recorded
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class Replaying:
    """How histories are replayed.

    Args:
        workflows: The classes by their wire names.
        plugins: As on the workers, e.g. for the codec.
        namespace: Of the histories; codecs may bind payloads to it.
    """

    workflows: Mapping[str, type]
    plugins: Sequence[Plugin]
    namespace: str

    async def replay(self, found: AsyncIterator[Fetch], tell: Callable[[Replayed], None], *, lanes: int) -> None:
        """Replay in as many lanes at once; each fetches and holds one history at a time.

        Args:
            found: What fetches a history; None where it is gone since.
            tell: Called with what came of each; with one lane in their order.
            lanes: How many.

        Raises:
            Exception: What fetching raised, the first.
        """
        source = _Shared(found)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(lanes):
                    group.create_task(self._lane(source, tell))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _lane(self, source: "_Shared", tell: Callable[[Replayed], None]) -> None:
        unread = Unread()
        current = await self._next(source, tell)
        if current is None:  # a replayer is made only where it has work; it imports every workflow anew
            return

        async def histories() -> AsyncIterator[WorkflowHistory]:
            nonlocal current
            while current is not None and current.history is not None:
                unread.reason = ""
                yield current.history
                current = await self._next(source, tell)

        async with self._replayer(unread).workflow_replay_iterator(histories()) as results:
            async for result in results:
                tell(_verdict(current, result.replay_failure, unread.reason))

    async def _next(self, source: "_Shared", tell: Callable[[Replayed], None]) -> Recorded | None:
        """Return the next history that has to be replayed, and tell of those before it that need not."""
        while (one := await source.next()) is not None:
            if (known := self._without_replay(one)) is None:
                return one
            tell(known)
        return None

    def _without_replay(self, one: Recorded) -> Replayed | None:
        """Say what is known without looking: there is nothing to replay, or nothing to replay it with."""
        if one.history is None:
            return Replayed(one, Verdict.UNREADABLE, one.problem)
        if one.workflow_type not in self.workflows:
            return Replayed(one, Verdict.DIFFERS, "There is no workflow of this type in the code that was looked at.")
        # The SDK compares nothing before the first task that was done, and waits for ever at a start alone (delayed).
        if all(event.event_type != _RUN_BY_WORKERS for event in one.history.events):
            return Replayed(one, Verdict.REPLAYS, "no worker has run it yet")
        return None

    def _replayer(self, unread: Unread) -> Replayer:
        return Replayer(
            workflows=list(self.workflows.values()),
            namespace=self.namespace,
            plugins=[*self.plugins, NotingPlugin(unread)],
            runtime=Runtime(telemetry=TelemetryConfig(logging=None)),
        )


class _Shared:
    """One list of histories for several lanes: they take turns at the list, and fetch at the same time."""

    def __init__(self, found: AsyncIterator[Fetch]) -> None:
        self._found, self._lock = found, asyncio.Lock()

    async def next(self) -> Recorded | None:
        while True:
            async with self._lock:
                fetch = await anext(self._found, None)
            if fetch is None:
                return None
            if (one := await fetch()) is not None:
                return one


def _verdict(recorded: Recorded, failure: Exception | None, unread: str) -> Replayed:
    if failure is None and not unread:
        return Replayed(recorded, Verdict.REPLAYS)
    reason = _reason(str(failure))
    if not unread and (unknown := _UNKNOWN_ENCODING.search(reason)) is not None:
        unread = unknown[0]
    if unread:
        return Replayed(recorded, Verdict.UNREADABLE, unread)
    return Replayed(recorded, Verdict.DIFFERS, reason)


def _reason(said: str) -> str:
    """Take the messages out of the dump of a failure, which the SDK gives for all but non-determinism."""
    found = _MESSAGES.findall(said)
    return ": ".join(found) if found else said
