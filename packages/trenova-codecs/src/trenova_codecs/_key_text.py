"""Keys as people and machines carry them: 32 bytes in base64, which were random."""

import base64
import binascii
import secrets
from typing import Final

from trenova_codecs._keys import KEY_BYTES, Key, KeyState
from trenova_errors import ConfigurationError

_TEXT: Final = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D}


def read_key(key_id: str, text: str, *, state: KeyState) -> Key:
    """Make a key of base64, standard or URL-safe, with white space around it.

    Raises:
        ConfigurationError: It is not base64 of 32 random bytes: short, long, padded, repeated or text. The
            message says which, and does not hold it.
    """
    return Key(key_id, refuse_text(key_id, read_base64(key_id, text)), state=state)


def refuse_text(key_id: str, secret: bytes) -> bytes:
    """Return the secret unless all of it is printable text, which 32 random bytes are once in 10**13.

    Raises:
        ConfigurationError: It is text, hence somebody's passphrase. Legacy keys are for those.
    """
    if secret and _TEXT.issuperset(secret):
        raise ConfigurationError(
            f"Key {key_id!r} is text ({len(secret)} characters), as a passphrase is; its bytes must be random. {_FIX}",
            key_id=key_id,
        )
    return secret


def read_base64(key_id: str, text: str) -> bytes:
    """Return the bytes behind base64, standard or URL-safe, with white space around it.

    Raises:
        ConfigurationError: It is something else. The message does not hold it.
    """
    standard = text.strip().translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(standard, validate=True)
    except (binascii.Error, ValueError):
        # The cause would carry the text.
        raise ConfigurationError(
            f"Key {key_id!r} is not base64 ({len(text.strip())} characters). {_FIX}", key_id=key_id
        ) from None


def write_base64(secret: bytes) -> str:
    """Return bytes as standard base64 with padding."""
    return base64.b64encode(secret).decode()


def new_secret() -> bytes:
    """Return 32 bytes of the operating system's random source that :class:`Key` accepts."""
    while True:
        secret = secrets.token_bytes(KEY_BYTES)
        try:
            Key("new", secret)
        except ConfigurationError:  # an ending that looks like padding: once in 2**64
            continue
        return secret


_FIX: Final = (
    "Make a key with 'openssl rand -base64 32'. What the replaced system used as it was goes on the ring as a "
    "legacy key, which only decrypts ('trenova-codecs keys add --legacy')."
)
