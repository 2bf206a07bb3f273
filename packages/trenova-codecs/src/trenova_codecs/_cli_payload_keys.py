"""The keys of ``trenova-codecs inspect | encode | decode``: found as every tool of this package finds them."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from trenova_codecs._cli_ring import open_ring
from trenova_codecs._codec_variables import PREFIX
from trenova_codecs._key_ring import KeyRing
from trenova_codecs._ring_place import (
    DATA_VARIABLE,
    KEY_VARIABLES,
    RING_VARIABLE,
    SOURCE_VARIABLE,
    default_ring,
    ring_of,
    services_codec,
    why_there,
)
from trenova_errors import ConfigurationError, InvalidInputError

Ring = Annotated[
    Path | None,
    typer.Option(
        "--ring",
        dir_okay=False,
        show_default=f"{RING_VARIABLE}, else {PREFIX}__ENCRYPTION__KEYS__..., else keyring.json in {DATA_VARIABLE}, or "
        f"in .trenova, else {KEY_VARIABLES}...",
        help="The key ring file.",
    ),
]
FromEnvironment = Annotated[
    bool, typer.Option("--keys-from-environment", help="Take the keys TEMPORAL_ENCRYPTION_KEY_<id> instead of a ring.")
]


@dataclass(frozen=True)
class Keys:
    """The keys at hand.

    Attributes:
        ring: They; None where none were found and none are needed.
        file: The ring file that they are from; None for those of the environment, and for none.
        why: Why that file, in a sentence; empty where the command line says so.
        variables: How the variables begin that give or name the keys where no ring file does.
    """

    ring: KeyRing | None
    file: Path | None = None
    why: str = ""
    variables: str = KEY_VARIABLES

    def __str__(self) -> str:
        if self.ring is None:
            return "no keys"
        return f"the keys of {str(self.file)!r}" if self.file else f"the keys in {self.variables}..."


def find_keys(ring: Path | None, environ: Mapping[str, str], *, from_environment: bool, needed: bool) -> Keys:
    """Take the ring that is named, what the services are told of, the data folder's, or the environment's keys.

    Args:
        ring: What ``--ring`` names.
        environ: The environment of the process.
        from_environment: Look for no ring.
        needed: Refuse to go on without keys.

    Raises:
        InvalidInputError: A ring is named, and the keys are to come from the environment.
        ConfigurationError: There are no keys, or those in the environment are none.
        CodecError: The ring cannot be read.
    """
    if from_environment:
        if ring is not None:
            raise InvalidInputError("--ring and --keys-from-environment are two sources of keys. Give one.")
        return Keys(KeyRing.from_environ(environ))
    named = ring or (Path(environ[RING_VARIABLE]) if environ.get(RING_VARIABLE) else None)
    if named is None and (of_services := _of_services(environ)):
        return of_services
    file = named or default_ring(environ)
    if named is not None or os.path.lexists(file):
        return Keys(open_ring(file), file, "" if ring is not None else why_there(file, environ))
    if any(name.startswith(KEY_VARIABLES) for name in environ):
        return Keys(KeyRing.from_environ(environ))
    if needed:
        raise ConfigurationError(
            f"There are no keys: {RING_VARIABLE} is not set, {SOURCE_VARIABLE} neither, there is no "
            f"{str(file)!r} (the ring in {DATA_VARIABLE}), and no {KEY_VARIABLES}... variable. Name the ring of the "
            "workers with --ring or with one of them."
        )
    return Keys(None)


def _of_services(environ: Mapping[str, str]) -> Keys | None:
    codec = services_codec(environ)
    ring = codec.open_ring(environ) if codec else None
    if codec is None or not isinstance(ring, KeyRing):
        return None
    file = ring_of(codec)
    return Keys(ring, file, why_there(file, environ) if file else "", variables=f"{PREFIX}__ENCRYPTION__KEYS__")


def looked_for(ring: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the ring file that is meant, whether it is there or not; None where the keys are from none."""
    if ring is not None or environ.get(RING_VARIABLE):
        return ring or Path(environ[RING_VARIABLE])
    with suppress(ConfigurationError):  # whoever looks for the keys says what is wrong
        codec = services_codec(environ)
        return ring_of(codec) if codec else default_ring(environ)
    return None
