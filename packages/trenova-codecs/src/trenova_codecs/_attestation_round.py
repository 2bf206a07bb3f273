"""Ask every live worker of a namespace whether it holds a key."""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from trenova_codecs._attestation import ATTEST_WORKFLOW, QUEUE_PREFIX, Answer, Challenge
from trenova_codecs._keys import Key
from trenova_codecs._live_workers import WorkerProcess, live_workers

_AT_ONCE: Final = 50
"""Questions in flight."""


class Holding(StrEnum):
    """What is known about a process and a key."""

    HOLDS = "holds it"
    LACKS = "lacks it"
    LOST = "no answer"
    WITHOUT_CODEC = "cannot be asked"


@dataclass(frozen=True)
class Attested:
    """What one process said.

    Attributes:
        worker: Who was asked.
        holding: Whether it has proved that it holds the key.
        active: What it says it encrypts with, where it answered.
        waited: How long it had for an answer.
    """

    worker: WorkerProcess
    holding: Holding
    active: str | None = None
    waited: timedelta = timedelta(0)


async def ask_workers(
    client: Client, key: Key, *, patience: timedelta | None = None, workers: Sequence[WorkerProcess] | None = None
) -> list[Attested]:
    """Ask all at once; the round takes as long as the slowest answer, three heartbeats at most.

    Args:
        client: Of the namespace; its plugins and converters are not used.
        key: The key that each has to hold.
        patience: How long to wait for an answer, in place of three heartbeats of each worker.
        workers: Those to ask; None for all live ones.

    Raises:
        ConfigurationError: The server cannot list workers.
        RPCError: The server does not answer.
    """
    plain = Client(client.service_client, namespace=client.namespace, data_converter=pydantic_data_converter)
    asked = await live_workers(plain) if workers is None else workers
    limit = asyncio.Semaphore(_AT_ONCE)

    async def ask(worker: WorkerProcess) -> Attested:
        async with limit:
            return await _ask(plain, worker, key, patience or worker.patience)

    return list(await asyncio.gather(*(ask(worker) for worker in asked)))


def missing(attested: Sequence[Attested], *, ignored: Sequence[str]) -> list[Attested]:
    """Return those that have not proved to hold the key and are not ignored by name."""
    return [one for one in attested if one.holding is not Holding.HOLDS and not one.worker.is_named(ignored)]


async def _ask(client: Client, worker: WorkerProcess, key: Key, patience: timedelta) -> Attested:
    if worker.instance is None:
        return Attested(worker, Holding.WITHOUT_CODEC)
    challenge = Challenge(key, worker.instance)
    handle = await client.start_workflow(
        ATTEST_WORKFLOW,
        challenge.question,
        id=f"{QUEUE_PREFIX}{worker.instance}/{secrets.token_hex(8)}",
        task_queue=f"{QUEUE_PREFIX}{worker.instance}",
        result_type=Answer,
        execution_timeout=patience,
    )
    try:
        # The server ends the run after its patience; ours is only for a server that went away meanwhile.
        answer = await asyncio.wait_for(handle.result(), (patience + timedelta(seconds=10)).total_seconds())
    except (WorkflowFailureError, TimeoutError):
        return Attested(worker, Holding.LOST, waited=patience)
    except asyncio.CancelledError:
        with suppress(RPCError):
            await handle.terminate("nobody waits for the answer any more")
        raise
    holding = Holding.HOLDS if challenge.is_met_by(answer) else Holding.LACKS
    return Attested(worker, holding, answer.active, patience)
