"""The option ``--ring`` of every command that works on a ring file."""

import os
from pathlib import Path
from typing import Annotated

import typer

from trenova_codecs._cli_outcome import told
from trenova_codecs._key_ring import KeyRing
from trenova_codecs._ring_place import RING_ORDER, RING_VARIABLE, ring_file
from trenova_codecs._ring_storage import read_ring


def _default() -> Path:
    with told():
        return ring_file(os.environ)


Ring = Annotated[
    Path,
    typer.Option(
        "--ring",
        envvar=RING_VARIABLE,
        show_envvar=False,
        default_factory=_default,
        show_default=RING_ORDER,
        help="The key ring file.",
        dir_okay=False,
    ),
]


def open_ring(path: Path, *, aws_endpoint_url: str | None = None) -> KeyRing:
    """Open a ring file, with AWS KMS where it has sealed keys.

    Raises:
        CodecError: It cannot be read, or KMS does not open it.
    """
    sealed = any(key.material and key.material.kind == "aws-kms" for key in read_ring(path).keys)
    return KeyRing.from_aws_kms(path, endpoint_url=aws_endpoint_url) if sealed else KeyRing.from_file(path)
