"""The codec of ``trenova-codecs encode | decode``: the services' own, as far as variables tell it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trenova_codecs._chain import CodecChain
from trenova_codecs._codec_variables import PREFIX, Tree, options, told
from trenova_codecs._key_ring import KeyRing
from trenova_codecs._ring_place import ENV_VARIABLE, RING_VARIABLE
from trenova_codecs._sealing import Format
from trenova_errors import InvalidInputError

NOT_ENCRYPTED: Final = f"What was written is not encrypted: {PREFIX}__ENCRYPTION is null, as for the services."
_DEVELOPMENT: Final = "dev"


def encrypting(environ: Mapping[str, str], keys: KeyRing | None, layout: Format | None = None) -> CodecChain:
    """Return the codec of the variables with these keys; it decodes whatever is not encrypted as well.

    Args:
        environ: The environment of the process.
        keys: The keys; None for none.
        layout: Goes before what a variable says.

    Raises:
        ConfigurationError: A variable says what cannot be.
    """
    tree = told(environ)
    encryption = {**(tree.get("encryption") or {}), "on_plaintext": "allow"}
    encryption.pop("keys", None)  # they were found already, and may be others
    if layout is not None:
        encryption["format"] = layout
    return options({**tree, "encryption": encryption}).chain(keys or KeyRing([]))


def plain(environ: Mapping[str, str], ring: Path | None, layout: Format | None) -> CodecChain | None:
    """Return a codec that does not encrypt where the services do not and no keys were named; otherwise None.

    Args:
        environ: The environment of the process.
        ring: What ``--ring`` names.
        layout: What ``--format`` says.

    Raises:
        ConfigurationError: Outside development, and no reason is given.
        InvalidInputError: There is a layout, and nothing to encrypt.
    """
    tree = told(environ)
    if ring is not None or environ.get(RING_VARIABLE) or not _is_off(tree):
        return None
    if layout is not None:
        raise InvalidInputError(
            f"--format is how to encrypt, and {PREFIX}__ENCRYPTION is null. Give --ring too, or leave --format out."
        )
    return options(tree).require_protection(environ.get(ENV_VARIABLE) or _DEVELOPMENT).chain(None)


def _is_off(tree: Tree) -> bool:
    return "encryption" in tree and tree["encryption"] is None
