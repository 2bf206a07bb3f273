"""Ask the workers of every namespace for a key, and show what they said."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from temporalio.client import Client
from temporalio.service import RPCError

from trenova_codecs._attestation_round import Attested, Holding, ask_workers, missing
from trenova_codecs._cli_connect import connect_all, refused
from trenova_codecs._keys import Key
from trenova_codecs._live_workers import live_workers
from trenova_codecs._ring_changes import usable
from trenova_codecs._ring_document import AwsKmsMaterial
from trenova_codecs._ring_storage import read_ring

Answered = TypeVar("Answered")

_UNBOUNDED: Final = 10_000
"""Columns, more than any table has."""


@dataclass(frozen=True)
class Asked:
    """Where to ask, and how long.

    Attributes:
        environ: Where ``temporalio.envconfig`` finds the server.
        namespaces: Those whose workers use the ring; none for that of the profile.
        ignored: Identities and instance keys of workers that need not answer.
        patience: In place of three heartbeats.
    """

    environ: Mapping[str, str]
    namespaces: Sequence[str] = ()
    ignored: Sequence[str] = ()
    patience: timedelta | None = None

    async def of(self, key: Key) -> dict[str, list[Attested]]:
        """Ask, and return what was said by namespace.

        Raises:
            ConfigurationError: The server cannot list workers, or has no such namespace.
            UnavailableError: It does not answer.
        """
        clients = await connect_all(self.environ, self.namespaces)
        listed = [await self._answered(client, live_workers(client)) for client in clients]
        rounds = await asyncio.gather(
            *(
                self._answered(client, ask_workers(client, key, patience=self.patience, workers=workers))
                for client, workers in zip(clients, listed, strict=True)
            )
        )
        return {client.namespace: said for client, said in zip(clients, rounds, strict=True)}

    async def _answered(self, client: Client, question: Awaitable[Answered]) -> Answered:
        try:
            return await question
        except RPCError as error:
            raise refused(client, error, "does not answer", then="Nothing was changed.") from None

    def unknown(self, said: Mapping[str, Sequence[Attested]]) -> list[str]:
        """Say which names are of no worker. That ignores nobody: one whose name was misspelt still has to answer."""
        workers = [one.worker for attested in said.values() for one in attested]
        names = ", ".join(repr(worker.name) for worker in workers) or "none"
        return [
            f"--ignore-worker {name!r}: no live worker is called so, any more or at all; there are {names}."
            for name in self.ignored
            if not any(worker.is_named([name]) for worker in workers)
        ]

    def missing(self, said: Mapping[str, Sequence[Attested]]) -> list[Attested]:
        """Return those that have not proved to hold the key and are not ignored."""
        return [one for attested in said.values() for one in missing(attested, ignored=self.ignored)]


def key_to_ask_for(ring: Path, key_id: str, *, aws_endpoint_url: str | None) -> Key:
    """Return a key of the ring, opened by AWS KMS where it has to be.

    Raises:
        ResourceNotFoundError: There is no such key.
        ConflictError: It is retired or revoked.
        CodecError: KMS does not open it.
    """
    entry = usable(read_ring(ring), key_id)
    if isinstance(entry.material, AwsKmsMaterial):
        from trenova_codecs._aws_kms import AwsKms
        from trenova_codecs._key_text import read_base64

        kms = AwsKms(endpoint_url=aws_endpoint_url)
        wrapped = read_base64(key_id, entry.material.wrapped)
        secret = kms.open(key_id, wrapped, entry.material.kms_key, region=entry.material.region)
        return Key(key_id, secret, state=entry.state)
    key = entry.to_key()
    assert key is not None  # only sealed and taken-away keys are none
    return key


def show_attested(said: Mapping[str, Sequence[Attested]], ignored: Sequence[str]) -> None:
    """Print who holds the key, wider than the terminal if it has to be: identities are copied from here."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    style = {Holding.HOLDS: "green", Holding.LACKS: "bold red", Holding.LOST: "red", Holding.WITHOUT_CODEC: "red"}
    names = ("namespace", "worker", "queues", "the key", "encrypts with", "last heartbeat")
    table = Table(*(Column(name, overflow="fold") for name in names))
    for namespace, attested in said.items():
        for one in attested:
            holding = Text(one.holding.value, style=style[one.holding])
            if one.holding is not Holding.HOLDS and one.worker.is_named(ignored):
                holding = Text(f"{one.holding.value}, ignored", style="yellow")
            queues = ", ".join(sorted(one.worker.task_queues))
            table.add_row(namespace, Text(one.worker.name), queues, holding, one.active or "-", _age(one))
    if table.row_count:
        width = Console(width=_UNBOUNDED).measure(table).maximum
        Console(soft_wrap=True, width=max(width, Console().width)).print(table)


def nobody(said: Mapping[str, Sequence[Attested]], *, none_yet: str) -> list[str]:
    """Say which namespaces have no worker: more likely the wrong namespace than one without any."""
    return [
        f"Namespace {namespace!r} has no live worker. Name the right one with --namespace; if there is none "
        f"yet, {none_yet}."
        for namespace, attested in said.items()
        if not attested
    ]


def sentence(one: Attested, key_id: str) -> str:
    """Say what is wrong with one worker and what to do."""
    match one.holding:
        case Holding.LACKS:
            return f"{one.worker.name} lacks key {key_id!r}: give it the ring."
        case Holding.LOST:
            return (
                f"{one.worker.name} did not answer within {one.waited.total_seconds():.0f} s: if it is dead, "
                f"say so with --ignore-worker '{one.worker.name}'."
            )
    return (
        f"{one.worker.name} ({one.worker.sdk}) has no CodecPlugin to ask: make sure by other means, and say so with "
        f"--ignore-worker '{one.worker.name}'."
    )


def _age(one: Attested) -> str:
    if one.worker.seen is None:
        return "-"
    return f"{max(0.0, (one.worker.listed - one.worker.seen).total_seconds()):.0f} s ago"
