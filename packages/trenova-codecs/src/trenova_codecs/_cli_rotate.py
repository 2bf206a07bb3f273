"""``trenova-codecs keys promote | retire | revoke | restore``: the steps of a rotation."""

from pathlib import Path
from typing import Annotated

import typer

from trenova_codecs._cli_outcome import told
from trenova_codecs._keys import KeyState
from trenova_codecs._ring_archive import archive_key, archived_key
from trenova_codecs._ring_changes import promoted, restored, taken_away
from trenova_codecs._ring_storage import change_ring, read_ring

Id = Annotated[str, typer.Argument(metavar="ID")]
Ring = Annotated[Path, typer.Option("--ring", envvar="TRENOVA_CODECS_RING", help="The key ring file.", dir_okay=False)]
_RING = Path(".trenova/keyring.json")


def promote(key_id: Id, *, ring: Ring = _RING) -> None:
    """Encrypt with this key from now on; the one before decrypts."""
    with told():
        change_ring(ring, lambda document: promoted(document, key_id))
    typer.echo(f"{ring}: key {key_id!r} is active. Distribute the ring once more.")


def retire(
    key_id: Id,
    *,
    ring: Ring = _RING,
    destroy: Annotated[bool, typer.Option(help="Keep no copy: what still needs the key is lost.")] = False,
) -> None:
    """Take a key off the ring that nothing needs any more; its id stays taken.

    The key moves to an archive beside the ring, from which 'keys restore' brings it back.
    """
    _take_away(ring, key_id, KeyState.RETIRED, destroy=destroy)


def revoke(
    key_id: Id,
    *,
    ring: Ring = _RING,
    destroy: Annotated[bool, typer.Option(help="Keep no copy: what still needs the key is lost.")] = False,
) -> None:
    """Refuse a key by name from now on: what it encrypted is not read any more, and runs that need it wait."""
    _take_away(ring, key_id, KeyState.REVOKED, destroy=destroy)


def restore(key_id: Id, *, ring: Ring = _RING) -> None:
    """Bring a retired or revoked key back from the archive, to decrypt what still needs it."""
    with told():
        archived = archived_key(ring, key_id)
        change_ring(ring, lambda document: restored(document, archived))
    typer.echo(f"{ring}: key {key_id!r} decrypts again. Distribute the ring.")


def _take_away(ring: Path, key_id: str, state: KeyState, *, destroy: bool) -> None:
    with told():
        _, entry = taken_away(read_ring(ring), key_id, state)
        kept = None if destroy else archive_key(ring, entry)
        change_ring(ring, lambda document: taken_away(document, key_id, state)[0])
    typer.echo(f"{ring}: key {key_id!r} is {state.value}. Distribute the ring.")
    if kept:
        typer.echo(f"A copy is in {kept}, which is for nobody but you; '--destroy' keeps none.")
