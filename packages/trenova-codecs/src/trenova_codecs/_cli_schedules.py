"""``trenova-codecs keys reencrypt-schedules``."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_codecs._cli_connect import connect_all, refused
from trenova_codecs._cli_ring import open_ring
from trenova_codecs._key_census import Pace
from trenova_codecs._key_ring import KeyRing
from trenova_codecs._schedule_recreation import ScheduleRecreation
from trenova_codecs._schedule_reencryption import Reencrypted, ScheduleReencryption
from trenova_codecs._sealing import Format
from trenova_errors import ResourceNotFoundError


@dataclass(frozen=True)
class Rewriting:
    """Which schedules to rewrite, and how.

    Attributes:
        environ: Where ``temporalio.envconfig`` finds the server.
        ring: The ring file.
        namespaces: None for that of the profile.
        schedules: Ids; none for all.
        per_second: Schedules.
        new_format: Of payloads that were not encrypted.
        dry_run: Change nothing.
        recreate: Where schedules that have to be made again are kept meanwhile; None to leave those.
        aws_endpoint_url: Of KMS, for rings with sealed keys.
    """

    environ: Mapping[str, str]
    ring: Path
    namespaces: Sequence[str]
    schedules: Sequence[str]
    per_second: float
    new_format: Format
    dry_run: bool
    recreate: Path | None = None
    aws_endpoint_url: str | None = None

    async def run(self) -> bool:
        """Rewrite, print a line for each schedule and one for all, and return whether nothing was left.

        Raises:
            CodecError: The ring cannot be read, or has no active key.
            ResourceNotFoundError: None of the schedules that were named is there.
            UnavailableError: The server does not answer.
        """
        ring = open_ring(self.ring, aws_endpoint_url=self.aws_endpoint_url)
        active = ring.active().id
        done: list[Reencrypted] = []
        for client in await connect_all(self.environ, self.namespaces):
            async for one in self._namespace(client, ring):
                done.append(one)
                _tell(client.namespace, one, active, dry_run=self.dry_run)
        typer.echo(_summary(done, active, dry_run=self.dry_run))
        if missing := [name for name in self.schedules if name not in {one.schedule_id for one in done}]:
            said = (
                f"There is no schedule {', '.join(repr(name) for name in missing)}. `temporal schedule list` shows "
                "what there is; name its namespace with --namespace."
            )
            if not done:
                raise ResourceNotFoundError(said)
            typer.secho(said, fg="red", err=True)
            return False
        return not any(one.left for one in done)

    async def _namespace(self, client: Client, ring: KeyRing) -> AsyncIterator[Reencrypted]:
        pace = Pace(self.per_second)
        again = ScheduleRecreation(client, self.recreate) if self.recreate and not self.dry_run else None
        work = ScheduleReencryption(client, ring, new_format=self.new_format, dry_run=self.dry_run, recreation=again)
        try:
            for made in await again.resume() if again else ():
                typer.echo(f"{client.namespace}/{made}: made again after an interruption.")
            for schedule_id in self.schedules or await work.schedule_ids():
                await pace.turn()
                if done := await work.reencrypt(schedule_id):
                    yield done
        except RPCError as error:
            then = "Run the command again: what was rewritten stays, and the rest follows."
            raise refused(client, error, "refuses", then=then) from None


def _tell(namespace: str, done: Reencrypted, active: str, *, dry_run: bool) -> None:
    was = (
        f" from {', '.join(sorted(repr(key) if key else 'plain' for key in done.was))}"
        if done.was and done.rewritten
        else ""
    )
    typer.echo(f"{namespace}/{done.schedule_id}: {_counts([done], active, was, dry_run=dry_run)}.")
    if done.left:
        typer.secho(f"{namespace}/{done.schedule_id}: {done.skipped} skipped: {done.left}.", fg="red", err=True)


def _summary(done: Sequence[Reencrypted], active: str, *, dry_run: bool) -> str:
    changed = sum(bool(one.rewritten or one.memo) for one in done)
    would = "would be " if dry_run else ""
    looked = f"Schedules: {len(done)} looked at, {changed} {would}changed."
    return f"{looked} Payloads: {_counts(done, active, dry_run=dry_run)}."


def _counts(done: Sequence[Reencrypted], active: str, was: str = "", *, dry_run: bool) -> str:
    rewritten, memo = sum(one.rewritten for one in done), sum(one.memo for one in done)
    parts = [f"{rewritten} {'would be ' if dry_run else ''}rewritten under {active!r}{was}"]
    if memo:
        parts.append(f"{memo} of schedules' own memos where the server allows it, or with --recreate")
    parts.append(f"{sum(one.current for one in done)} already under it")
    return ", ".join([*parts, f"{sum(one.skipped for one in done)} skipped"])
