"""``trenova-codecs keys reencrypt-schedules``."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_codecs._cli_connect import connect_all
from trenova_codecs._key_census import Pace
from trenova_codecs._key_ring import KeyRing
from trenova_codecs._ring_storage import read_ring
from trenova_codecs._schedule_recreation import ScheduleRecreation
from trenova_codecs._schedule_reencryption import Reencrypted, ScheduleReencryption
from trenova_codecs._sealing import Format
from trenova_errors import UnavailableError


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
        """Rewrite, print a line for each schedule, and return whether nothing was left.

        Raises:
            CodecError: The ring cannot be read.
            UnavailableError: The server does not answer.
        """
        ring = open_ring(self.ring, aws_endpoint_url=self.aws_endpoint_url)
        total = left = 0
        for client in await connect_all(self.environ, self.namespaces):
            async for done in self._namespace(client, ring):
                total += 1
                left += bool(done.left)
                _tell(client.namespace, done, ring.active().id, dry_run=self.dry_run)
        typer.echo(f"{total} schedules {'would be rewritten' if self.dry_run else 'were looked at'}, {left} left over.")
        return not left

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
            raise UnavailableError(
                f"Namespace {client.namespace!r} refuses: {error.message}. Run the command again: what was rewritten "
                "stays, and the rest follows."
            ) from None


def open_ring(path: Path, *, aws_endpoint_url: str | None) -> KeyRing:
    """Open a ring file, with AWS KMS where it has sealed keys.

    Raises:
        CodecError: It cannot be read, or KMS does not open it.
    """
    sealed = any(key.material and key.material.kind == "aws-kms" for key in read_ring(path).keys)
    return KeyRing.from_aws_kms(path, endpoint_url=aws_endpoint_url) if sealed else KeyRing.from_file(path)


def _tell(namespace: str, done: Reencrypted, active: str, *, dry_run: bool) -> None:
    was = ", ".join(sorted(repr(key) if key else "plain" for key in done.was)) or "nothing"
    verb = "would be rewritten" if dry_run else "rewritten"
    typer.echo(f"{namespace}/{done.schedule_id}: {done.payloads} payloads {verb} from {was} to {active!r}.")
    if done.left:
        typer.secho(f"{namespace}/{done.schedule_id}: {done.left}.", fg="red", err=True)
