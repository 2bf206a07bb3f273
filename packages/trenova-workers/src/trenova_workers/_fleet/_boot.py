"""What a worker looks at once it polls. Nothing here can stop it, or hold it up."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from trenova_errors import ConfigurationError
from trenova_workers._fleet._differences import SUBJECT, Member, differences, members_of
from trenova_workers._fleet._fleet import Fleet
from trenova_workers._fleet._registrations import Registrations
from trenova_workers._fleet._remark import Remark
from trenova_workers._fleet._schedules import SUBJECT as SCHEDULES
from trenova_workers._fleet._schedules import actions_unserved, remarks_on
from trenova_workers._fleet._status import WorkerStatus
from trenova_workers._identity import Identity

# The others' first heartbeats take a moment; a whole fleet that starts at once does not ask at once.
_NOT_BEFORE_S, _SPREAD_S = 1.0, 2.0
# On a busy machine heartbeats are late, and whoever is taken for lost is not compared.
_AGAIN_S: Final = 20.0
_WITHIN_S: Final = 120.0


@asynccontextmanager
async def looking_around(client: Client, own: Identity, registered: Mapping[str, Registrations]) -> AsyncIterator[None]:
    """Look around twice, in the background, and log what is found.

    Args:
        client: One of the worker's.
        own: Who we are.
        registered: What we register, by queue.
    """
    task = asyncio.create_task(_look(client, own, registered), name="look around")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _look(client: Client, own: Identity, registered: Mapping[str, Registrations]) -> None:
    told: list[Remark] = []
    for pause in (_NOT_BEFORE_S + random.random() * _SPREAD_S, _AGAIN_S):  # noqa: S311 (no secret)
        await asyncio.sleep(pause)
        for remark in await _seen(client, own, registered):
            if remark not in told:
                told.append(remark)
                remark.log()


async def _seen(client: Client, own: Identity, registered: Mapping[str, Registrations]) -> list[Remark]:
    try:
        async with asyncio.timeout(_WITHIN_S):
            return await remarks_of(client, own, registered)
    except Exception as error:  # noqa: BLE001 (whatever it is, the worker works)
        return [_could_not(SUBJECT, "other workers and schedules", error)]


async def remarks_of(client: Client, own: Identity, registered: Mapping[str, Registrations]) -> list[Remark]:
    """Compare ourselves with the other workers of our queues, and look for schedules that nobody serves."""
    try:
        workers: Sequence[WorkerStatus] = await Fleet(client, queues=registered.keys()).look_twice()
    except (RPCError, ConfigurationError) as error:
        return [_could_not(SUBJECT, "other workers and schedules", error)]
    found: list[Remark] = []
    served: dict[str, list[Registrations | None]] = {}
    for queue, mine in registered.items():
        others = [one for one in members_of(workers, queue) if one.identity != own.text]
        found += differences(Member(queue, own.text, own.service, own.build_id, mine), others)
        served[queue] = [mine, *(one.registrations for one in others)]
    return [*found, *await schedule_remarks(client, served)]


async def schedule_remarks(client: Client, served: Mapping[str, Sequence[Registrations | None]]) -> list[Remark]:
    """Return what is to be said about schedules, or that they cannot be seen."""
    try:
        return remarks_on(*await actions_unserved(client, served))
    except RPCError as error:
        return [_could_not(SCHEDULES, "schedules", error)]


def _could_not(subject: str, what: str, error: Exception) -> Remark:
    reason = error.message if isinstance(error, RPCError | ConfigurationError) else type(error).__name__
    text = f"This worker could not look at {what}: {reason.rstrip('.')}. It works all the same."
    return Remark(subject, "could not look around", text, wrong=False)
