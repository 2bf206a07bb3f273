"""``trenova-codecs keys report``: what still needs each key."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import typer
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_codecs._census_checkpoint import Checkpoint
from trenova_codecs._cli_connect import connect_all, refused
from trenova_codecs._counted import counted
from trenova_codecs._key_census import KeyCensus, Pace
from trenova_codecs._key_needs import Needs, Verdict, verdicts
from trenova_codecs._payload_keys import PLAIN
from trenova_codecs._ring_document import RingDocument


@dataclass(frozen=True)
class Report:
    """How to count.

    Attributes:
        environ: Where ``temporalio.envconfig`` finds the server.
        namespaces: Those whose workers use the ring; none for that of the profile.
        scan: Whether closed runs are looked into instead of being counted by the time at which they began.
        per_second: Requests.
        checkpoint: Where a scan remembers what it has seen.
    """

    environ: Mapping[str, str]
    namespaces: Sequence[str] = ()
    scan: bool = False
    per_second: float = 20.0
    checkpoint: Path | None = None

    async def of(self, document: RingDocument) -> tuple[Sequence[Verdict], Needs]:
        """Count in all namespaces; return a verdict on every key, and what is not encrypted.

        Raises:
            UnavailableError: The server does not answer.
            ConfigurationError: The checkpoint cannot be used.
        """
        clients = await connect_all(self.environ, self.namespaces)
        needs: dict[str, Needs] = {}
        pace = Pace(self.per_second)
        with self._checkpointed(clients) as checkpoint:
            retention = max([await self._count(client, pace, checkpoint, document, needs) for client in clients])
        plain = needs.pop(PLAIN, Needs())
        return verdicts(document, needs, retention=retention, now=datetime.now(UTC)), plain

    async def _count(
        self, client: Client, pace: Pace, checkpoint: Checkpoint, document: RingDocument, needs: dict[str, Needs]
    ) -> timedelta:
        census = KeyCensus(client, pace, checkpoint=checkpoint, progress=_progress)
        try:
            await census.schedules(needs)
            await census.open_runs(needs)
            if self.scan:
                await census.closed_runs(needs)
            else:
                await census.closed_runs_at_most(needs, document)
            return await census.retention()
        except RPCError as error:
            again = "Run the command again: it goes on where it was." if self.checkpoint else ""
            raise refused(client, error, "stopped answering", then=again) from None

    @contextmanager
    def _checkpointed(self, clients: Sequence[Client]) -> Iterator[Checkpoint]:
        if self.checkpoint is None:
            yield Checkpoint.nowhere()
            return
        scope = ",".join(f"{client.service_client.config.target_host}/{client.namespace}" for client in clients)
        checkpoint = Checkpoint.at(self.checkpoint, scope=scope)
        try:
            yield checkpoint
        finally:
            checkpoint.close()


def show_report(found: Sequence[Verdict], plain: Needs, *, as_json: bool) -> None:
    """Print the verdicts, as a table or as JSON lines."""
    if as_json:
        for verdict in found:
            typer.echo(json.dumps(_row(verdict)))
        typer.echo(json.dumps({"key": None, **_counts(plain)}))
        return
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    names = ("key", "state", "open runs", "schedules", "closed runs", "retire from", "why")
    table = Table(*(Column(name, overflow="fold") for name in names))
    for verdict in found:
        needs, day = verdict.needs, verdict.safe_from
        closed = f"{'' if needs.exact or not needs.closed_runs else 'at most '}{needs.closed_runs}"
        table.add_row(
            *(Text(verdict.key_id), verdict.state.value if verdict.state else Text("not on the ring", style="red")),
            *(str(len(needs.open_runs)), str(len(needs.schedules)), closed),
            *(f"{day:%Y-%m-%d %H:%MZ}" if day else "-", Text(verdict.why)),
        )
    Console(soft_wrap=True).print(table)
    if plain.open_runs or plain.schedules or plain.closed_runs:
        closed = f" and {counted(plain.closed_runs, 'closed one')}" if plain.exact else ""
        typer.echo(
            f"Not encrypted: something in {counted(len(plain.open_runs), 'open run')}{closed} and in "
            f"{counted(len(plain.schedules), 'schedule')}."
        )


def _row(verdict: Verdict) -> dict[str, Any]:
    return {
        "key": verdict.key_id,
        "state": verdict.state.value if verdict.state else None,
        **_counts(verdict.needs),
        "retire_from": verdict.safe_from.isoformat() if verdict.safe_from else None,
        "why": verdict.why,
    }


def _counts(needs: Needs) -> dict[str, Any]:
    return {
        "open_runs": len(needs.open_runs),
        "schedules": sorted(needs.schedules),
        "closed_runs": needs.closed_runs,
        "exact": needs.exact,
    }


def _progress(looked: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{counted(looked, 'run')}", end="", file=sys.stderr, flush=True)  # noqa: T201 - progress is no result
