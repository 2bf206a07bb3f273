"""``trenova-codecs keys init | add | list``: make keys and look at them."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from trenova_codecs._cli_outcome import told
from trenova_codecs._cli_rotate import attest, promote, reencrypt_schedules, report, restore, retire, revoke
from trenova_codecs._key_text import new_secret, read_key, write_base64
from trenova_codecs._keys import KeyState
from trenova_codecs._ring_archive import read_archive, require_no_archive, require_not_archived
from trenova_codecs._ring_changes import added, adopting, ended, next_id, promoted
from trenova_codecs._ring_document import AesMaterial, AwsKmsMaterial, LegacyMaterial, Material, RingDocument
from trenova_codecs._ring_storage import change_ring, create_ring, read_ring
from trenova_errors import InvalidInputError

keys = typer.Typer(
    help="Make, rotate and retire the keys of a ring.",
    no_args_is_help=True,
)

DEFAULT_RING = Path(".trenova/keyring.json")
_FIRST = "k1"
ADOPTION_DAYS = 90
"""Days for which a ring that is adopted accepts what was written before it, unless told otherwise."""

Ring = Annotated[Path, typer.Option("--ring", envvar="TRENOVA_CODECS_RING", help="The key ring file.", dir_okay=False)]
AwsKey = Annotated[
    str | None,
    typer.Option("--aws-kms", metavar="KEY", help="Let this AWS KMS key (id, ARN, alias) make and seal it."),
]
Region = Annotated[str | None, typer.Option("--aws-region", help="Of AWS KMS.", show_default="boto3's own")]
Endpoint = Annotated[
    str | None, typer.Option("--aws-endpoint-url", help="Another address of AWS KMS.", envvar="AWS_ENDPOINT_URL_KMS")
]


@keys.callback()
def _keys() -> None:
    """Make, rotate and retire the keys of a ring."""


@keys.command("init")
def init(
    *,
    ring: Ring = DEFAULT_RING,
    key_id: Annotated[
        str | None, typer.Option("--id", help="Id of the first key, which is active at once.", show_default=_FIRST)
    ] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Accept for a while what was stored before there was encryption.")
    ] = False,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="With --adopt: the last day (UTC) on which it is accepted."),
    ] = None,
    aws_kms: AwsKey = None,
    aws_region: Region = None,
    aws_endpoint_url: Endpoint = None,
) -> None:
    """Make a ring with one active key. A file that is there already is never touched.

    Beside the archive of a lost ring it wants an --id that was never used: payloads name keys by their ids.

    Use --adopt where a Temporal server has histories already: what is stored in clear stays readable until
    the day given (90 days from now unless told otherwise), and is written encrypted from now on.
    """
    with told():
        if key_id is None and not ring.exists():
            require_no_archive(ring)
        wanted = key_id or _FIRST
        document = _adopted(RingDocument(revision=1), until) if adopt or until else RingDocument(revision=1)
        material = _sealed(wanted, aws_kms, aws_region, aws_endpoint_url) if aws_kms else AesMaterial.of(new_secret())
        require_not_archived(ring, wanted, material)
        first = promoted(added(document, wanted, material), wanted).model_copy(update={"revision": 1})
        create_ring(ring, first)
    typer.echo(f"{ring}: key {wanted!r} is active. Back the file up where you keep secrets: without it nothing")
    typer.echo("that it encrypts can be read again.")
    if first.plaintext_until:
        _tell_exemption(first)


@keys.command("add")
def add(
    *,
    key_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default="the next number")] = None,
    ring: Ring = DEFAULT_RING,
    from_stdin: Annotated[bool, typer.Option(help="Take a key that exists, in base64, from stdin.")] = False,
    legacy: Annotated[
        bool, typer.Option(help="Take the text that the replaced system used as a key from stdin; it only decrypts.")
    ] = False,
    aws_kms: AwsKey = None,
    aws_region: Region = None,
    aws_endpoint_url: Endpoint = None,
) -> None:
    """Add a key that only decrypts until it is promoted. Then distribute the ring.

    A key is never an argument: the process list and the shell's history would keep it.
    """
    with told():
        if sum((from_stdin, legacy, aws_kms is not None)) > 1:
            raise InvalidInputError("--from-stdin, --legacy and --aws-kms are three ways to one key. Give one.")
        if legacy and key_id is None:
            raise InvalidInputError("--legacy needs the id that old payloads name. Give it as the argument.")
        wanted = key_id or next_id(read_ring(ring), read_archive(ring))
        if aws_kms:
            material: Material = _sealed(wanted, aws_kms, aws_region, aws_endpoint_url)
        else:
            material = _given(wanted, legacy=legacy) if from_stdin or legacy else AesMaterial.of(new_secret())
        require_not_archived(ring, wanted, material)
        change_ring(ring, lambda document: added(document, wanted, material, used=from_stdin or legacy))
    typer.echo(f"{ring}: key {wanted!r} decrypts.")
    if not legacy:
        typer.echo("Distribute the ring to every worker and client, then run:")
        typer.echo(f"  trenova-codecs keys promote {wanted} --ring {ring} --i-have-updated")


@keys.command("adopt")
def adopt(
    *,
    ring: Ring = DEFAULT_RING,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day (UTC) on which plain payloads are accepted."),
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="Accept none any more, from now on.")] = False,
) -> None:
    """Move the day up to which payloads that are not encrypted are accepted, or end that at once."""
    with told():
        if (until is None) != end:
            raise InvalidInputError("Give either --until DATE or --end.")
        document = change_ring(ring, lambda there: ended(there) if end else _adopted(there, until))
    _tell_exemption(document)


@keys.command("list")
def list_keys(
    *,
    ring: Ring = DEFAULT_RING,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the keys of a ring, never what they are."""
    with told():
        document = read_ring(ring)
    rows = [
        {
            "id": key.id,
            "state": key.state.value,
            "since": key.since.strftime("%Y-%m-%d %H:%M:%SZ"),
            "created": key.created.strftime("%Y-%m-%d %H:%M:%SZ"),
            "kind": key.material.kind if key.material else None,
        }
        for key in document.keys
    ]
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
        return
    _show(rows)
    if document.plaintext_until:
        _tell_exemption(document)


keys.command("attest")(attest)
keys.command("promote")(promote)
keys.command("report")(report)
keys.command("retire")(retire)
keys.command("revoke")(revoke)
keys.command("reencrypt-schedules")(reencrypt_schedules)
keys.command("restore")(restore)


def _adopted(document: RingDocument, until: datetime | None) -> RingDocument:
    today = datetime.now(UTC).date()
    return adopting(document, until.date() if until else today + timedelta(days=ADOPTION_DAYS), today=today)


def _tell_exemption(document: RingDocument) -> None:
    day = document.plaintext_until
    typer.echo(f"What is not encrypted is accepted {f'to the end of {day} (UTC)' if day else 'no more'}.")


def _sealed(key_id: str, kms_key: str, region: str | None, endpoint_url: str | None) -> AwsKmsMaterial:
    from trenova_codecs._aws_kms import AwsKms

    wrapped = AwsKms(region=region, endpoint_url=endpoint_url).generate(key_id, kms_key)
    return AwsKmsMaterial(wrapped=write_base64(wrapped), kms_key=kms_key, region=region)


def _given(key_id: str, *, legacy: bool) -> Material:
    """Read a key from stdin, without echo where somebody types it."""
    what = "text of the legacy key" if legacy else "key (base64)"
    text = typer.prompt(f"The {what}", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.read()
    text = text.removesuffix("\n").removesuffix("\r")
    if legacy:
        if not text:
            raise InvalidInputError("stdin is empty. Send the text of the legacy key.")
        return LegacyMaterial(text=SecretStr(text))
    return AesMaterial.of(read_key(key_id, text, state=KeyState.DECRYPT_ONLY).reveal())


def _show(rows: list[dict[str, str | None]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    style = {"active": "bold green", "retired": "dim", "revoked": "red"}
    table = Table("key", "state", "since", "created", "kind")
    for row in rows:
        state = str(row["state"])
        table.add_row(
            Text(str(row["id"])),
            Text(state, style=style.get(state, "")),
            row["since"],
            row["created"],
            row["kind"] or "gone",
        )
    Console(soft_wrap=True).print(table)
