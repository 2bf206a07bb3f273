"""The workers of a namespace: heartbeats, and pollers for those without, aged by our own rule."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.client import Client

from trenova_workers._fleet._reading import (
    POLL_S,
    heard,
    interval_of,
    is_leaving,
    key_of,
    patience_of,
    queue_of,
    queue_polled,
    worker_of,
    worker_polling,
)
from trenova_workers._fleet._server import Poller, heartbeats, pollers
from trenova_workers._fleet._sightings import Sightings
from trenova_workers._fleet._status import QueueStatus, WorkerStatus

SDK_HEARTBEAT_S: Final = 60.0
"""Seconds between two heartbeats of a worker that is not told otherwise."""

# Queues on which libraries of ours let one process answer; nobody's work.
_INTERNAL: Final = re.compile(r"trenova-[a-z]+/")
_TOLERANCE_S: Final = 2.0
_LONGEST_DOUBT_S: Final = 20.0

Polled: TypeAlias = Mapping[tuple[str, str], Poller]
"""By queue and identity."""


class Fleet:
    """Looks at the workers of a client's namespace, again and again.

    One that is kept knows more with every look: how old a heartbeat is by its own observation, whatever the workers'
    clocks say.

    Args:
        client: Needs permission to list workers and to describe task queues.
        queues: Only workers of these queues, and among them those without heartbeats. Without it, all queues that any
            worker with heartbeats polls; no request tells the others.
        service: Only processes of this service.
        heartbeat_s: Assumed between heartbeats of a worker that has sent one only. The SDK's default unless told.
    """

    def __init__(
        self,
        client: Client,
        *,
        queues: Collection[str] = (),
        service: str | None = None,
        heartbeat_s: float = SDK_HEARTBEAT_S,
    ) -> None:
        self._client, self._queues, self._service = client, frozenset(queues), service
        self._heartbeat_s = heartbeat_s
        self._sightings = Sightings()

    async def look(self) -> Sequence[WorkerStatus]:
        """Return all processes that the server remembers, by service and identity; stopped and lost ones too.

        Raises:
            ConfigurationError: The server does not tell us, or does not have the namespace.
            RPCError: The server cannot be asked.
        """
        return self._joined(*await self._ask())

    async def look_twice(self) -> Sequence[WorkerStatus]:
        """Look, and once more, some heartbeats later, where the clocks disagree about whether a worker is lost.

        That takes 20 s at most, and happens for workers that were lost within the last minute or have a wrong clock.

        Raises:
            ConfigurationError: As `look`.
            RPCError: As `look`.
        """
        beats, polled = await self._ask()
        doubts = [self._doubt_s(beat, polled) for beat in beats]
        found = self._joined(beats, polled)
        if not any(doubts):
            return found
        await asyncio.sleep(min(max(doubts), _LONGEST_DOUBT_S))
        return await self.look()

    async def _ask(self) -> tuple[list[WorkerHeartbeat], Polled]:
        told = await heartbeats(self._client, self._queues)
        beats = [beat for beat in told if self._queues or not _INTERNAL.match(beat.task_queue)]
        queues = self._queues or {beat.task_queue for beat in beats}
        polled = {(one.queue, one.identity): one for one in await pollers(self._client, sorted(queues))}
        for poller in polled.values():
            self._sightings.correct(poller.accessed)
        return beats, polled

    def _doubt_s(self, beat: WorkerHeartbeat, polled: Polled) -> float:
        """Return how long to wait for certainty; 0 if there is none to gain."""
        if is_leaving(beat):
            return 0.0
        interval, patience = interval_of(beat) or self._heartbeat_s, patience_of(beat, self._heartbeat_s)
        told = self._sightings.told(heard(beat))
        if told < -_TOLERANCE_S:
            return patience + 1
        poller = polled.get((beat.task_queue, beat.worker_identity))
        polls = poller is not None and self._sightings.told(poller.accessed) < POLL_S
        return interval + 1 if told > patience and polls else 0.0

    def _joined(self, beats: Sequence[WorkerHeartbeat], polled: Polled) -> Sequence[WorkerStatus]:
        keys = {key_of(beat) for beat in beats} | {_key(poller) for poller in polled.values()}
        self._sightings.forget_others(keys)
        workers = [*self._beating(beats), *self._polling(beats, polled)]
        wanted = [worker for worker in workers if self._service in {None, worker.service}]
        return sorted(wanted, key=lambda worker: (worker.service or "", worker.identity))

    def _beating(self, beats: Sequence[WorkerHeartbeat]) -> Iterator[WorkerStatus]:
        processes: dict[tuple[str, ...], list[WorkerHeartbeat]] = defaultdict(list)
        for beat in beats:
            host = beat.host_info
            processes[beat.worker_identity, host.host_name, host.process_id].append(beat)
        for own in processes.values():
            yield worker_of(own[0], [self._queue(beat) for beat in own])

    def _queue(self, beat: WorkerHeartbeat) -> QueueStatus:
        # Polls are no sign of life: the server stamps one that runs out too, a minute after who opened it hung.
        return queue_of(beat, self._sightings.age(key_of(beat), heard(beat)), self._heartbeat_s)

    def _polling(self, beats: Sequence[WorkerHeartbeat], polled: Polled) -> Iterator[WorkerStatus]:
        beating = {(beat.task_queue, beat.worker_identity) for beat in beats}
        processes: dict[str, list[Poller]] = defaultdict(list)
        for where, poller in polled.items():
            if where not in beating:
                processes[poller.identity].append(poller)
        for own in processes.values():
            ages = [self._sightings.age(_key(poller), poller.accessed) for poller in own]
            yield worker_polling(own[0], [queue_polled(*one) for one in zip(own, ages, strict=True)])


def _key(poller: Poller) -> str:
    return f"{poller.queue}\n{poller.identity}"


async def list_workers(
    client: Client,
    *,
    queues: Collection[str] = (),
    service: str | None = None,
    heartbeat_s: float = SDK_HEARTBEAT_S,
) -> Sequence[WorkerStatus]:
    """Return every worker process of the client's namespace, and what it is doing; see `Fleet` for the arguments.

    Takes as long as a few requests, and up to 20 s more where clocks disagree (`Fleet.look_twice`).

    Raises:
        ConfigurationError: The server does not tell us, or does not have the namespace.
        RPCError: The server cannot be asked.
    """
    fleet = Fleet(client, queues=queues, service=service, heartbeat_s=heartbeat_s)
    return await fleet.look_twice()
