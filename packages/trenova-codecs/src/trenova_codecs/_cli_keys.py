"""``trenova-codecs keys init | add | list``: make keys and look at them."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from trenova_codecs._cli_exemption import Until, adopt, adopted, tell_exemption
from trenova_codecs._cli_outcome import told
from trenova_codecs._cli_ring import Ring
from trenova_codecs._cli_rotate import attest, promote, reencrypt_schedules, report, restore, retire, revoke
from trenova_codecs._key_ring import without_active
from trenova_codecs._key_text import new_secret, read_key, write_base64
from trenova_codecs._keys import KeyState
from trenova_codecs._ring_archive import read_archive, require_no_archive, require_not_archived
from trenova_codecs._ring_beside import archive_path
from trenova_codecs._ring_changes import added, next_id, promoted, require_id
from trenova_codecs._ring_document import AesMaterial, AwsKmsMaterial, LegacyMaterial, Material, RingDocument
from trenova_codecs._ring_place import require_no_database
from trenova_codecs._ring_storage import change_ring, create_ring, read_ring
from trenova_errors import InvalidInputError

keys = typer.Typer(
    help="Make, rotate and retire the keys of a ring.",
    no_args_is_help=True,
)

_FIRST = "k1"

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
    ring: Ring,
    key_id: Annotated[
        str | None, typer.Option("--id", help="Id of the first key, which is active at once.", show_default=_FIRST)
    ] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Accept for a while what was stored before there was encryption.")
    ] = False,
    until: Until = None,
    aws_kms: AwsKey = None,
    aws_region: Region = None,
    aws_endpoint_url: Endpoint = None,
) -> None:
    """Make a ring with one active key. A file that is there already is never touched.

    Beside the archive of a lost ring it wants an --id that was never used: payloads name keys by their ids.

    Use --adopt where a Temporal server has histories already, without which it refuses beside its database: what is
    stored in clear stays readable until the day given (90 days from now unless told otherwise), and is written
    encrypted from now on.
    """
    with told(ring):
        if until and not adopt:
            raise InvalidInputError("--until is how long --adopt accepts what is not encrypted. Give both, or neither.")
        wanted = _FIRST if key_id is None else key_id
        require_id(wanted)
        _require_beginning(ring, named=key_id is not None, adopt=adopt)
        document = adopted(RingDocument(revision=1), until) if adopt else RingDocument(revision=1)
        material = (
            _sealed(wanted, aws_kms, aws_region, aws_endpoint_url)
            if aws_kms is not None
            else AesMaterial.of(new_secret())
        )
        require_not_archived(ring, wanted, material)
        first = promoted(added(document, wanted, material), wanted).model_copy(update={"revision": 1})
        create_ring(ring, first)
    typer.echo(f"{ring}: key {wanted!r} is active. Back the file up where you keep secrets: without it nothing")
    typer.echo("that it encrypts can be read again.")
    tell_exemption(first)


@keys.command("add")
def add(
    *,
    key_id: Annotated[str | None, typer.Argument(metavar="[ID]", show_default="the next number")] = None,
    ring: Ring,
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
    with told(ring):
        if sum((from_stdin, legacy, aws_kms is not None)) > 1:
            raise InvalidInputError("--from-stdin, --legacy and --aws-kms are three ways to one key. Give one.")
        if legacy and key_id is None:
            raise InvalidInputError("--legacy needs the id that old payloads name. Give it as the argument.")
        if key_id is not None:
            require_id(key_id, legacy=legacy)
        there = read_ring(ring)
        given = _given(key_id or next_id(there), legacy=legacy) if from_stdin or legacy else None
        wanted = ""

        def adding(document: RingDocument) -> RingDocument:
            # Under the lock: another 'keys add' at this moment takes the number after this one.
            nonlocal wanted
            wanted = key_id or next_id(document, read_archive(ring))
            material = given or (
                _sealed(wanted, aws_kms, aws_region, aws_endpoint_url)
                if aws_kms is not None
                else AesMaterial.of(new_secret())
            )
            require_not_archived(ring, wanted, material)
            return added(document, wanted, material, used=given is not None)

        change_ring(ring, adding)
    typer.echo(f"{ring}: key {wanted!r} decrypts.")
    if not legacy:
        typer.echo("Distribute the ring to every worker and client, then run:")
        typer.echo(f"  trenova-codecs keys promote {wanted} --ring {ring} --i-have-updated")


@keys.command("list")
def list_keys(
    *,
    ring: Ring,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the keys of a ring, never what they are."""
    with told(ring):
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
    if document.active is None:
        held = [key.id for key in document.keys if key.state is KeyState.DECRYPT_ONLY]
        revoked = [key.id for key in document.keys if key.state is KeyState.REVOKED]
        typer.secho(f"{ring}: {without_active(held, revoked)}", fg="red", err=True)
    tell_exemption(document)


keys.command("adopt")(adopt)
keys.command("attest")(attest)
keys.command("promote")(promote)
keys.command("report")(report)
keys.command("retire")(retire)
keys.command("revoke")(revoke)
keys.command("reencrypt-schedules")(reencrypt_schedules)
keys.command("restore")(restore)


def _require_beginning(ring: Path, *, named: bool, adopt: bool) -> None:
    """Refuse a new ring where one was, or where something is stored; an id beside an archive says: I know."""
    if os.path.lexists(ring):
        return  # which is refused when it is written
    archived = os.path.lexists(archive_path(ring))
    if not named:
        require_no_archive(ring)
    if not adopt and not (archived and named):
        require_no_database(ring, os.environ)


def _sealed(key_id: str, kms_key: str, region: str | None, endpoint_url: str | None) -> AwsKmsMaterial:
    if not kms_key:
        raise InvalidInputError("--aws-kms is empty. Give the id, ARN or alias of a KMS key.")
    from trenova_codecs._aws_kms import AwsKms

    wrapped = AwsKms(region=region, endpoint_url=endpoint_url).generate(key_id, kms_key)
    return AwsKmsMaterial(wrapped=write_base64(wrapped), kms_key=kms_key, region=region)


def _given(key_id: str, *, legacy: bool) -> Material:
    """Read a key from stdin, without echo where somebody types it."""
    what = "text of the legacy key" if legacy else "key (base64)"
    try:
        text = typer.prompt(f"The {what}", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.read()
        text.encode()
    except UnicodeError:
        # The cause would carry the text.
        raise InvalidInputError(f"stdin is no UTF-8 text. Send the {what} as text.") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text if legacy else not text.strip():
        raise InvalidInputError(f"stdin is empty. Send the {what}.")
    if legacy:
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
